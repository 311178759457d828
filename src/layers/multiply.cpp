// The end of a gate: the block's input times the body's output, which has one number per channel or one per
// element (squeeze-and-excitation, Hu et al. 2018).

#include <algorithm>
#include <array>

#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Multiply final : public LayerOf<Multiply> {
 public:
  Multiply(const Shape& shape, const Shape& gate) : shape_(shape), per_channel_(gate != shape) {}
  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return "multiply"; }
  [[nodiscard]] Traits traits() const override { return {.backward_reads_dst = false}; }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    for_parts(pass, [&](std::int64_t begin, std::int64_t pixels, std::int64_t gate) {
      for (std::int64_t i = 0; i < pixels * kLanes; ++i)
        pass.dst[begin + i] = pass.src[0][begin + i] * pass.src[1][gate + i % kLanes];
    });
  }

  /// The diff of a channel's factor is the sum over its pixels, in order.
  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    for_parts(pass, [&](std::int64_t begin, std::int64_t pixels, std::int64_t gate) {
      const Real* diff = pass.diff_dst + begin;
      if (pass.diff_src[1] != nullptr) {
        std::array<Real, kLanes> sum{};
        for (std::int64_t i = 0; i < pixels * kLanes; ++i)
          sum[static_cast<std::size_t>(i % kLanes)] += diff[i] * pass.src[0][begin + i];
        std::ranges::copy(sum, pass.diff_src[1] + gate);
      }
      if (pass.diff_src[0] != nullptr)
        for (std::int64_t i = 0; i < pixels * kLanes; ++i)
          pass.diff_src[0][begin + i] = diff[i] * pass.src[1][gate + i % kLanes];
    });
  }

 private:
  /// Calls f(first element, pixels that have one factor, its first element), with this thread's share.
  template <class Real, class Function>
  void for_parts(const Pass<Real>& pass, const Function& f) const {
    const std::int64_t pixels = per_channel_ ? shape_.h * shape_.w : 1;
    const Range parts = pass.team.share(pass.batch.blocks() * shape_.size() / pixels);
    for (std::int64_t part = parts.begin; part < parts.end; ++part)
      f(part * pixels * kLanes, pixels, part * kLanes);
    pass.team.barrier();
  }

  Shape shape_;
  bool per_channel_;
};

}  // namespace

std::unique_ptr<Layer> make_multiply(const Shape& shape, const Shape& gate) {
  return std::make_unique<Multiply>(shape, gate);
}

}  // namespace convoy::nn
