// upsample: every pixel FH × FW times, the nearest neighbour of a larger image. Its diff is the sum over
// them.

#include <algorithm>
#include <array>

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"
#include "window.hpp"

namespace convoy::nn {
namespace {

constexpr std::int64_t kMostTimes = 256;

class Upsample final : public LayerOf<Upsample> {
 public:
  Upsample(const Shape& input, const HeightWidth& factor) : input_(input), factor_(factor) {}
  [[nodiscard]] Shape output() const override {
    return {input_.c, input_.h * factor_.h, input_.w * factor_.w};
  }
  [[nodiscard]] std::string_view keyword() const override { return "upsample"; }
  void visit(AttributeVisitor& visitor) const override { visitor.positional("factor", factor_); }
  [[nodiscard]] Traits traits() const override {
    return {.backward_reads_src = false, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    for_rows(pass, [&](std::int64_t small, std::int64_t large) {
      const Real* from = pass.src[0] + small;
      Real* to = pass.dst + large;
      const std::int64_t row = input_.w * factor_.w * kLanes;
      for (std::int64_t x = 0; x < row; x += factor_.w * kLanes, from += kLanes)
        for (std::int64_t i = 0; i < factor_.w; ++i) std::copy(from, from + kLanes, to + x + i * kLanes);
      for (std::int64_t y = 1; y < factor_.h; ++y) std::copy(to, to + row, to + y * row);
    });
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] == nullptr) return pass.team.barrier();
    for_rows(pass, [&](std::int64_t small, std::int64_t large) {
      const std::int64_t row = input_.w * factor_.w * kLanes;
      for (std::int64_t x = 0; x < input_.w; ++x) {
        std::array<Real, kLanes> sum{};
        for (std::int64_t y = 0; y < factor_.h; ++y) {
          const Real* from = pass.diff_dst + large + y * row + x * factor_.w * kLanes;
          for (std::int64_t i = 0; i < factor_.w * kLanes; i += kLanes)
            for (std::int64_t lane = 0; lane < kLanes; ++lane)
              sum[static_cast<std::size_t>(lane)] += from[i + lane];
        }
        std::ranges::copy(sum, pass.diff_src[0] + small + x * kLanes);
      }
    });
  }

 private:
  /// Calls f(offset of a row of the input, offset of its first row in the output) with this thread's share.
  template <class Real, class Function>
  void for_rows(const Pass<Real>& pass, const Function& f) const {
    const Range rows = pass.team.share(pass.batch.blocks() * input_.c * input_.h);
    const std::int64_t small = input_.w * kLanes;
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      f(row * small, row * small * factor_.h * factor_.w);
    pass.team.barrier();
  }

  Shape input_;
  HeightWidth factor_;
};

}  // namespace

std::unique_ptr<Layer> make_upsample(const Shape& input, const HeightWidth& factor) {
  for (const std::int64_t times : {factor.h, factor.w})
    if (times < 1 || times > kMostTimes)
      throw LayerError("the factor is not from 1 to " + std::to_string(kMostTimes));
  return std::make_unique<Upsample>(input, factor);
}

LayerMaker upsample_maker() {
  return {"upsample FHxFW [name=…]", [](LayerLine& line, const Shape& input) {
            return make_upsample(input, take_size(line, "the factor"));
          }};
}

}  // namespace convoy::nn
