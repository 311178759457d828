// scale: every element times a constant, which is not trained.

#include <cmath>

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Scale final : public LayerOf<Scale> {
 public:
  Scale(const Shape& shape, double factor) : shape_(shape), factor_(factor) {}
  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return "scale"; }
  void visit(AttributeVisitor& visitor) const override { visitor.positional("factor", factor_); }
  [[nodiscard]] Traits traits() const override {
    return {.backward_reads_src = false, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    scale(pass, pass.src[0], pass.dst);
  }
  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] == nullptr) return pass.team.barrier();
    scale(pass, static_cast<const Real*>(pass.diff_dst), pass.diff_src[0]);
  }

 private:
  template <class Real>
  void scale(const Pass<Real>& pass, const Real* from, Real* to) const {
    const auto factor = static_cast<Real>(factor_);
    const Range share = pass.team.share(pass.batch.blocks() * shape_.size() * kLanes);
    for (std::int64_t i = share.begin; i < share.end; ++i) to[i] = factor * from[i];
    pass.team.barrier();
  }

  Shape shape_;
  double factor_;
};

constexpr double kMostFactor = 1e6;

}  // namespace

std::unique_ptr<Layer> make_scale(const Shape& input, double factor) {
  if (!(std::abs(factor) <= kMostFactor)) throw LayerError("the factor is not from -1e6 to 1e6");
  return std::make_unique<Scale>(input, factor);
}

LayerMaker scale_maker() {
  return {"scale FACTOR [name=…]", [](LayerLine& line, const Shape& input) {
            return make_scale(input, line.take_number("the factor", -kMostFactor, kMostFactor));
          }};
}

}  // namespace convoy::nn
