// adaptiveavgpool: the mean over windows that divide any image into OH × OW parts: output row o reads the
// rows from ⌊o·H/OH⌋ to ⌈(o + 1)·H/OH⌉, columns likewise (PyTorch).

#include <array>

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"
#include "window.hpp"

namespace convoy::nn {
namespace {

/// The positions that output `o` of `outputs` reads of `size`.
Range window_of(std::int64_t o, std::int64_t outputs, std::int64_t size) {
  return {o * size / outputs, ((o + 1) * size + outputs - 1) / outputs};
}

class AdaptiveAvgPool final : public LayerOf<AdaptiveAvgPool> {
 public:
  AdaptiveAvgPool(const Shape& input, const HeightWidth& size) : input_(input), size_(size) {}
  [[nodiscard]] Shape output() const override { return {input_.c, size_.h, size_.w}; }
  [[nodiscard]] std::string_view keyword() const override { return "adaptiveavgpool"; }
  void visit(AttributeVisitor& visitor) const override { visitor.positional("size", size_); }
  [[nodiscard]] Traits traits() const override {
    return {.backward_reads_src = false, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    for_planes(pass, [&](std::int64_t plane) {
      const Real* from = pass.src[0] + plane * input_.h * input_.w * kLanes;
      Real* to = pass.dst + plane * size_.h * size_.w * kLanes;
      for_windows([&](std::int64_t output, const Range& rows, const Range& columns) {
        std::array<Real, kLanes> sum{};
        for (std::int64_t y = rows.begin; y < rows.end; ++y)
          for (std::int64_t x = columns.begin; x < columns.end; ++x)
            for (std::int64_t lane = 0; lane < kLanes; ++lane)
              sum[static_cast<std::size_t>(lane)] += from[(y * input_.w + x) * kLanes + lane];
        const auto count = static_cast<Real>(rows.size() * columns.size());
        for (std::int64_t lane = 0; lane < kLanes; ++lane)
          to[output * kLanes + lane] = sum[static_cast<std::size_t>(lane)] / count;
      });
    });
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] == nullptr) return pass.team.barrier();
    for_planes(pass, [&](std::int64_t plane) {
      const std::int64_t size = input_.h * input_.w * kLanes;
      Real* to = pass.diff_src[0] + plane * size;
      const Real* from = pass.diff_dst + plane * size_.h * size_.w * kLanes;
      std::fill(to, to + size, Real{0});
      for_windows([&](std::int64_t output, const Range& rows, const Range& columns) {
        const auto count = static_cast<Real>(rows.size() * columns.size());
        for (std::int64_t y = rows.begin; y < rows.end; ++y)
          for (std::int64_t x = columns.begin; x < columns.end; ++x)
            for (std::int64_t lane = 0; lane < kLanes; ++lane)
              to[(y * input_.w + x) * kLanes + lane] += from[output * kLanes + lane] / count;
      });
    });
  }

 private:
  template <class Real, class Function>
  void for_planes(const Pass<Real>& pass, const Function& f) const {
    const Range planes = pass.team.share(pass.batch.blocks() * input_.c);
    for (std::int64_t plane = planes.begin; plane < planes.end; ++plane) f(plane);
    pass.team.barrier();
  }
  template <class Function>
  void for_windows(const Function& f) const {
    for (std::int64_t oy = 0; oy < size_.h; ++oy)
      for (std::int64_t ox = 0; ox < size_.w; ++ox)
        f(oy * size_.w + ox, window_of(oy, size_.h, input_.h), window_of(ox, size_.w, input_.w));
  }

  Shape input_;
  HeightWidth size_;
};

}  // namespace

std::unique_ptr<Layer> make_adaptiveavgpool(const Shape& input, const HeightWidth& size) {
  if (size.h < 1 || size.w < 1 || size.h > input.h || size.w > input.w)
    throw LayerError("the output of " + std::to_string(size.h) + "x" + std::to_string(size.w) +
                     " is not from 1x1 to its input (" + to_string(input) + ")");
  return std::make_unique<AdaptiveAvgPool>(input, size);
}

LayerMaker adaptiveavgpool_maker() {
  return {"adaptiveavgpool OHxOW [name=…]", [](LayerLine& line, const Shape& input) {
            return make_adaptiveavgpool(input, take_size(line, "the output"));
          }};
}

}  // namespace convoy::nn
