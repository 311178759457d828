#pragma once
// The probe of gradient checks: dst = src + p, with one p for each number of each sample, so that ∂C/∂p is
// ∂C/∂dst. Private to the check room; configurations cannot use it.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "convoy/layers/layer.hpp"

namespace convoy::check {

inline constexpr const char* kProbeKeyword = "probe";

class Probe final : public nn::LayerOf<Probe> {
 public:
  Probe(const Shape& shape, std::int64_t samples) : shape_(shape), samples_(samples) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return kProbeKeyword; }
  [[nodiscard]] std::vector<nn::Parameter> parameters() const override {
    return {{.name = "input", .dims = {samples_, shape_.c, shape_.h, shape_.w}}};
  }

  template <class Real>
  void run_forward(const nn::Pass<Real>& pass) const {
    const std::int64_t size = shape_.size();
    for (std::int64_t n = pass.team.index(); n < pass.batch.blocks() * kLanes; n += pass.team.size()) {
      // An idle lane repeats its block's first sample (core/layout.hpp).
      const std::int64_t sample = n < samples_ ? n : n / kLanes * kLanes;
      for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t at = (n / kLanes * size + i) * kLanes + n % kLanes;
        pass.dst[at] = pass.src[0][at] + pass.parameters[sample * size + i];
      }
    }
    pass.team.barrier();
  }

  template <class Real>
  void run_backward(const nn::Pass<Real>& pass) const {
    const std::int64_t size = shape_.size();
    for (std::int64_t n = pass.team.index(); n < samples_; n += pass.team.size())
      for (std::int64_t i = 0; i < size; ++i)
        pass.diff_parameters[n * size + i] = pass.diff_dst[(n / kLanes * size + i) * kLanes + n % kLanes];
    if (pass.diff_src[0] != nullptr) {
      const Range share = pass.team.share(pass.batch.blocks() * size * kLanes);
      std::copy(pass.diff_dst + share.begin, pass.diff_dst + share.end, pass.diff_src[0] + share.begin);
    }
    pass.team.barrier();
  }

 private:
  Shape shape_;
  std::int64_t samples_;
};

}  // namespace convoy::check
