// maxpool, avgpool, globalavgpool: one output per window of a channel's image.

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"
#include "window.hpp"

namespace convoy::nn {
namespace {

Pool2dShape pool_shape(const Window& window, const Shape& input, const Shape& output, std::int64_t blocks) {
  Pool2dShape shape;
  shape.blocks = blocks;
  shape.c = input.c;
  window.fill(shape, input, output);
  return shape;
}

class MaxPool final : public LayerOf<MaxPool> {
 public:
  MaxPool(const Shape& input, const Window& window)
      : window_(window), input_(input), output_(window.output(input, input.c)) {}

  [[nodiscard]] Shape output() const override { return output_; }
  [[nodiscard]] std::string_view keyword() const override { return "maxpool"; }
  void visit(AttributeVisitor& visitor) const override { window_.visit(visitor, "window", window_.size()); }
  [[nodiscard]] Traits traits() const override {
    return {.has_kinks = true, .backward_reads_src = false, .backward_reads_dst = false};
  }
  /// The index of the largest element of every window, [B][C][OH][OW][16] int32.
  [[nodiscard]] std::int64_t saved_bytes(std::int64_t blocks, std::int64_t) const override {
    return blocks * output_.size() * kLanes * static_cast<std::int64_t>(sizeof(std::int32_t));
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    pass.kernels.maxpool_forward(pool_shape(window_, input_, output_, pass.batch.blocks()), pass.src[0],
                                 pass.dst, reinterpret_cast<std::int32_t*>(pass.saved), pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      pass.kernels.maxpool_backward(pool_shape(window_, input_, output_, pass.batch.blocks()), pass.diff_dst,
                                    reinterpret_cast<const std::int32_t*>(pass.saved), pass.diff_src[0],
                                    pass.team);
  }

 private:
  Window window_;
  Shape input_;
  Shape output_;
};

class AvgPool : public LayerOf<AvgPool> {
 public:
  AvgPool(const Shape& input, const Window& window)
      : window_(window), input_(input), output_(window.output(input, input.c)) {}

  [[nodiscard]] Shape output() const override { return output_; }
  [[nodiscard]] std::string_view keyword() const override { return "avgpool"; }
  void visit(AttributeVisitor& visitor) const override { window_.visit(visitor, "window", window_.size()); }
  [[nodiscard]] Traits traits() const override {
    return {.backward_reads_src = false, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    pass.kernels.avgpool_forward(pool_shape(window_, input_, output_, pass.batch.blocks()), pass.src[0],
                                 pass.dst, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      pass.kernels.avgpool_backward(pool_shape(window_, input_, output_, pass.batch.blocks()), pass.diff_dst,
                                    pass.diff_src[0], pass.team);
  }

 private:
  Window window_;
  Shape input_;
  Shape output_;
};

/// The window is the whole image.
class GlobalAvgPool final : public AvgPool {
 public:
  explicit GlobalAvgPool(const Shape& input) : AvgPool(input, Window::whole(input)) {}

  [[nodiscard]] std::string_view keyword() const override { return "globalavgpool"; }
  void visit(AttributeVisitor&) const override {}
};

Window pool_window(const Shape& input, const HeightWidth& size, const PoolOptions& options) {
  const Window window(size, options.stride.value_or(size), options.pad, input);
  if (2 * options.pad.h > size.h || 2 * options.pad.w > size.w)
    throw LayerError("pad is more than half the window (a window would then see padding alone)");
  return window;
}

PoolOptions take_options(LayerLine& line, const HeightWidth& window) {
  return {.stride = take_stride(line, window), .pad = take_pad(line)};
}

}  // namespace

std::unique_ptr<Layer> make_maxpool(const Shape& input, const HeightWidth& window,
                                    const PoolOptions& options) {
  return std::make_unique<MaxPool>(input, pool_window(input, window, options));
}

std::unique_ptr<Layer> make_avgpool(const Shape& input, const HeightWidth& window,
                                    const PoolOptions& options) {
  return std::make_unique<AvgPool>(input, pool_window(input, window, options));
}

std::unique_ptr<Layer> make_globalavgpool(const Shape& input) {
  return std::make_unique<GlobalAvgPool>(input);
}

LayerMaker maxpool_maker() {
  return {"maxpool HxW [stride=the window] [pad=0]", [](LayerLine& line, const Shape& input) {
            const HeightWidth window = take_size(line, "the window");
            return make_maxpool(input, window, take_options(line, window));
          }};
}

LayerMaker avgpool_maker() {
  return {"avgpool HxW [stride=the window] [pad=0]", [](LayerLine& line, const Shape& input) {
            const HeightWidth window = take_size(line, "the window");
            return make_avgpool(input, window, take_options(line, window));
          }};
}

LayerMaker globalavgpool_maker() {
  return {"globalavgpool", [](LayerLine&, const Shape& input) { return make_globalavgpool(input); }};
}

}  // namespace convoy::nn
