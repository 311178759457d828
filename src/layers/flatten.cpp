// flatten: the image as a vector, c, h, w with w fastest. In lane blocks the memory is identical.

#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Flatten final : public LayerOf<Flatten> {
 public:
  explicit Flatten(std::int64_t features) : features_(features) {}
  [[nodiscard]] Shape output() const override { return {features_, 1, 1}; }
  [[nodiscard]] std::string_view keyword() const override { return "flatten"; }
  [[nodiscard]] Traits traits() const override { return {.is_view = true}; }

  template <class Real>
  void run_forward(const Pass<Real>&) const {}
  template <class Real>
  void run_backward(const Pass<Real>&) const {}

 private:
  std::int64_t features_;
};

}  // namespace

std::unique_ptr<Layer> make_flatten(const Shape& input) {
  return std::make_unique<Flatten>(input.size());
}

LayerMaker flatten_maker() {
  return {"flatten", [](LayerLine&, const Shape& input) { return make_flatten(input); }};
}

}  // namespace convoy::nn
