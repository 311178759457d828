#pragma once
// Batch normalisation. A work item is a channel: one thread computes its statistics and its images.
//
// Sums over a channel: up to kChunk pixels of a lane are added in Real, then the chunks of a lane in double,
// in order, then the lanes of real samples in double. So the error does not grow with the image, and idle
// lanes have no effect.

#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/activation.hpp"

namespace convoy::kernels {
namespace {

inline constexpr std::int64_t kChunk = 64;

/// Lanes of `block` that hold samples.
CONVOY_INLINE std::int64_t real_lanes(const BatchNormShape& s, std::int64_t block) {
  return max(0, min(kLanes, s.samples - block * kLanes));
}

/// Offset of channel c of `block`, in elements.
CONVOY_INLINE std::int64_t plane_of(const BatchNormShape& s, std::int64_t block, std::int64_t c) {
  return (block * s.c + c) * s.spatial * kLanes;
}

/// Σ over the samples and pixels of channel c of K terms at once: term(element, sum[K]) adds the terms of the
/// register at `element` to the sums.
template <class Real, int K, class Term>
CONVOY_INLINE void channel_sums(const BatchNormShape& s, std::int64_t c, const Term& term,
                                double (&total)[K]) {
  for (int k = 0; k < K; ++k) total[k] = 0;
  for (std::int64_t block = 0; block < s.blocks; ++block) {
    const std::int64_t plane = plane_of(s, block, c);
    double lane_sum[K][kLanes] = {};
    for (std::int64_t chunk = 0; chunk < s.spatial; chunk += kChunk) {
      const std::int64_t end = min(s.spatial, chunk + kChunk);
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        Vec<Real> sum[K] = {};
        for (std::int64_t pixel = chunk; pixel < end; ++pixel) term(plane + pixel * kLanes + part, sum);
        for (int k = 0; k < K; ++k) {
          Real of_lane[kWidth<Real>];
          store<Real>(of_lane, sum[k]);
          for (std::int64_t i = 0; i < kWidth<Real>; ++i)
            lane_sum[k][part + i] += static_cast<double>(of_lane[i]);
        }
      }
    }
    for (int k = 0; k < K; ++k) {
      for (std::int64_t lane = 0; lane < real_lanes(s, block); ++lane) total[k] += lane_sum[k][lane];
    }
  }
}

/// `weight` null: 1.
template <class Real>
CONVOY_INLINE Real weight_of(const Real* weight, std::int64_t c) {
  return weight != nullptr ? weight[c] : Real(1);
}

/// 1/√(variance + ε)
template <class Real>
CONVOY_INLINE Real inverse_deviation(const BatchNormShape& s, Real variance) {
  return static_cast<Real>(1. / __builtin_sqrt(static_cast<double>(variance) + s.epsilon));
}

/// dst = (src − mean)·(weight·inverse) + bias for one channel, then the epilogue.
template <class Real>
CONVOY_INLINE void normalise(const BatchNormShape& s, std::int64_t c, const Real* src, Real mean, Real scale,
                             Real bias, const Epilogue<Real>& epilogue, Real* dst) {
  with_activation<Real>(epilogue.activation, [&](const auto& function) {
    const Real* addend = epilogue.addend;
    const std::int64_t size = s.spatial * kLanes;
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      const std::int64_t plane = plane_of(s, block, c);
      for (std::int64_t i = plane; i < plane + size; i += kWidth<Real>) {
        Vec<Real> result = fma(load(src + i) - broadcast(mean), broadcast(scale), broadcast(bias));
        if (addend != nullptr) result += load(addend + i);
        store<Real>(dst + i, function.in_registers(result));
      }
      function.in_memory(size, dst + plane);
    }
  });
}

template <class Real>
void batchnorm_forward(const BatchNormShape& s, const Real* src, const Real* weight, const Real* bias,
                       const Epilogue<Real>& epilogue, Real* dst, Real* mean, Real* variance,
                       const Team& team) {
  const double count = static_cast<double>(s.samples * s.spatial);
  const Range channels = team.share(s.c);
  for (std::int64_t c = channels.begin; c < channels.end; ++c) {
    double sum[1];
    channel_sums<Real>(
        s, c, [&](std::int64_t i, Vec<Real>(&add)[1]) { add[0] += load(src + i); }, sum);
    mean[c] = static_cast<Real>(sum[0] / count);
    // Second pass: squares of differences do not cancel, unlike E[x²] − E[x]².
    const Vec<Real> center = broadcast(mean[c]);
    channel_sums<Real>(
        s, c,
        [&](std::int64_t i, Vec<Real>(&add)[1]) {
          const Vec<Real> difference = load(src + i) - center;
          add[0] = fma(difference, difference, add[0]);
        },
        sum);
    variance[c] = static_cast<Real>(sum[0] / count);
    normalise(s, c, src, mean[c], weight_of(weight, c) * inverse_deviation(s, variance[c]), bias[c], epilogue,
              dst);
  }
  team.barrier();
}

template <class Real>
void batchnorm_inference(const BatchNormShape& s, const Real* src, const Real* weight, const Real* bias,
                         const Real* mean, const Real* variance, const Epilogue<Real>& epilogue, Real* dst,
                         const Team& team) {
  const Range channels = team.share(s.c);
  for (std::int64_t c = channels.begin; c < channels.end; ++c) {
    normalise(s, c, src, mean[c], weight_of(weight, c) * inverse_deviation(s, variance[c]), bias[c], epilogue,
              dst);
  }
  team.barrier();
}

/// sum = {Σ diff_dst, Σ diff_dst·(src − mean)} for one channel; diff_dst is first multiplied in place by the
/// derivative of the activation that gave dst.
template <class Real>
CONVOY_INLINE void sum_diffs(const BatchNormShape& s, std::int64_t c, const Real* src, Real mean,
                             const Activation& activation, const Real* dst, Real* diff_dst,
                             double (&sum)[2]) {
  const Vec<Real> center = broadcast(mean);
  with_activation<Real>(activation, [&](const auto& function) {
    channel_sums<Real>(
        s, c,
        [&](std::int64_t i, Vec<Real>(&add)[2]) {
          Vec<Real> diff = load(diff_dst + i);
          if constexpr (std::remove_cvref_t<decltype(function)>::kCost != Cost::kNothing) {
            diff = function.backward(load(dst + i), diff);
            store<Real>(diff_dst + i, diff);
          }
          add[0] += diff;
          add[1] = fma(diff, load(src + i) - center, add[1]);
        },
        sum);
  });
}

template <class Real>
void batchnorm_backward(const BatchNormShape& s, const Real* src, const Activation& activation,
                        const Real* dst, Real* diff_dst, const Real* weight, const Real* mean,
                        const Real* variance, Real* diff_src, Real* diff_weight, Real* diff_bias,
                        const Team& team) {
  const double count = static_cast<double>(s.samples * s.spatial);
  const Range channels = team.share(s.c);
  for (std::int64_t c = channels.begin; c < channels.end; ++c) {
    const Real inverse = inverse_deviation(s, variance[c]);
    const Vec<Real> center = broadcast(mean[c]);
    double sum[2];
    sum_diffs(s, c, src, mean[c], activation, dst, diff_dst, sum);
    diff_bias[c] = static_cast<Real>(sum[0]);
    if (diff_weight != nullptr) diff_weight[c] = static_cast<Real>(sum[1] * static_cast<double>(inverse));

    if (diff_src == nullptr) continue;
    // scale·(diff − diff_bias/m − (src − mean)·inverse·diff_weight/m)
    const Vec<Real> scale = broadcast(weight_of(weight, c) * inverse);
    const Vec<Real> offset = broadcast(static_cast<Real>(sum[0] / count));
    const Vec<Real> slope = broadcast(
        static_cast<Real>(-sum[1] / count * static_cast<double>(inverse) * static_cast<double>(inverse)));
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      const std::int64_t plane = plane_of(s, block, c);
      for (std::int64_t i = plane; i < plane + s.spatial * kLanes; i += kWidth<Real>) {
        const Vec<Real> centered = load(src + i) - center;
        store<Real>(diff_src + i, scale * fma(centered, slope, load(diff_dst + i) - offset));
      }
      const std::int64_t idle = real_lanes(s, block);
      if (idle == kLanes) continue;
      for (std::int64_t i = plane; i < plane + s.spatial * kLanes; i += kLanes) {
        for (std::int64_t lane = idle; lane < kLanes; ++lane) diff_src[i + lane] = 0;
      }
    }
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
