// The end of a residual block: body + shortcut (He et al. 2016). The diff is passed unchanged to both inputs.

#include <algorithm>

#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Add final : public LayerOf<Add> {
 public:
  explicit Add(const Shape& shape) : shape_(shape) {}
  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return "add"; }
  [[nodiscard]] Traits traits() const override {
    return {.is_sum = true, .backward_reads_src = false, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    pass.kernels.add(elements(pass), pass.src[0], pass.src[1], pass.dst, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    const Range share = pass.team.share(elements(pass));
    for (Real* diff_src : pass.diff_src)
      if (diff_src != nullptr)
        std::copy(pass.diff_dst + share.begin, pass.diff_dst + share.end, diff_src + share.begin);
    pass.team.barrier();
  }

 private:
  template <class Real>
  [[nodiscard]] std::int64_t elements(const Pass<Real>& pass) const {
    return pass.batch.blocks() * shape_.size() * kLanes;
  }

  Shape shape_;
};

}  // namespace

std::unique_ptr<Layer> make_add(const Shape& shape) {
  return std::make_unique<Add>(shape);
}

}  // namespace convoy::nn
