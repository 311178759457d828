// maxpool, avgpool, globalavgpool: one number from each window of a channel's picture.

#include "layers.hpp"
#include "window.hpp"

namespace convoy::nn {
namespace {

kernels::Pool2dShape pool_shape(const Window& window, const Shape& input, const Shape& output,
                                std::int64_t blocks) {
  kernels::Pool2dShape shape;
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
  void visit(AttributeVisitor& visitor) const override {
    window_.visit(visitor, "window", {window_.kh, window_.kw});
  }
  [[nodiscard]] Traits traits() const override {
    return {.has_kinks = true, .backward_reads_src = false, .backward_reads_dst = false};
  }
  /// The winner of every window, [B][C][OH][OW][16] int32.
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
  void visit(AttributeVisitor& visitor) const override {
    window_.visit(visitor, "window", {window_.kh, window_.kw});
  }
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

/// The whole picture is the window.
class GlobalAvgPool final : public AvgPool {
 public:
  explicit GlobalAvgPool(const Shape& input) : AvgPool(input, {.kh = input.h, .kw = input.w}) {}

  [[nodiscard]] std::string_view keyword() const override { return "globalavgpool"; }
  void visit(AttributeVisitor&) const override {}
};

Window take_pool_window(LayerLine& line, const Shape& input) {
  const Window window = take_window(line, "the window", std::nullopt);
  window.check(line, input);
  if (2 * window.ph > window.kh || 2 * window.pw > window.kw)
    line.fail("pad is more than half the window (a window would then see padding alone)");
  return window;
}

}  // namespace

LayerMaker maxpool_maker() {
  return {"maxpool HxW [stride=the window] [pad=0]",
          [](LayerLine& line, const Shape& input) -> std::unique_ptr<Layer> {
            return std::make_unique<MaxPool>(input, take_pool_window(line, input));
          }};
}

LayerMaker avgpool_maker() {
  return {"avgpool HxW [stride=the window] [pad=0]",
          [](LayerLine& line, const Shape& input) -> std::unique_ptr<Layer> {
            return std::make_unique<AvgPool>(input, take_pool_window(line, input));
          }};
}

LayerMaker globalavgpool_maker() {
  return {"globalavgpool", [](LayerLine&, const Shape& input) -> std::unique_ptr<Layer> {
            return std::make_unique<GlobalAvgPool>(input);
          }};
}

}  // namespace convoy::nn
