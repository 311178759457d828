// The end of two branches: their channels, one after the other. The diff is cut likewise.

#include <algorithm>
#include <array>

#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Concat final : public LayerOf<Concat> {
 public:
  Concat(const Shape& first, const Shape& second)
      : sizes_{first.size(), second.size()}, output_{first.c + second.c, first.h, first.w} {}
  [[nodiscard]] Shape output() const override { return output_; }
  [[nodiscard]] std::string_view keyword() const override { return "concat"; }
  [[nodiscard]] Traits traits() const override {
    return {.backward_reads_src = false, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    for_parts(pass, [&](std::size_t input, const Range& own, std::int64_t joint) {
      std::copy(pass.src[input] + own.begin, pass.src[input] + own.end, pass.dst + joint);
    });
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    for_parts(pass, [&](std::size_t input, const Range& own, std::int64_t joint) {
      if (pass.diff_src[input] != nullptr)
        std::copy(pass.diff_dst + joint, pass.diff_dst + joint + own.size(),
                  pass.diff_src[input] + own.begin);
    });
  }

 private:
  /// Calls f(input, elements of the input, their place in the output) with this thread's share.
  template <class Real, class Function>
  void for_parts(const Pass<Real>& pass, const Function& f) const {
    for (std::int64_t block = 0; block < pass.batch.blocks(); ++block) {
      std::int64_t joint = block * output_.size() * kLanes;
      for (std::size_t input = 0; input < sizes_.size(); ++input) {
        const std::int64_t size = sizes_[input] * kLanes;
        const Range share = pass.team.share(size);
        f(input, Range{block * size + share.begin, block * size + share.end}, joint + share.begin);
        joint += size;
      }
    }
    pass.team.barrier();
  }

  std::array<std::int64_t, kMostInputs> sizes_;
  Shape output_;
};

}  // namespace

std::unique_ptr<Layer> make_concat(const Shape& first, const Shape& second) {
  return std::make_unique<Concat>(first, second);
}

}  // namespace convoy::nn
