#pragma once
// Group normalisation (Wu & He 2018): each sample's channels are normalised in groups, by the mean and
// variance of a group's elements. One group: PyTorch's GroupNorm(1), for vectors layer normalisation; as many
// groups as channels: instance normalisation.
//
// Samples are in the lanes, so means and variances are vectors. A work item is a group, of all lane blocks:
// its thread also has the gradients of its channels' weights. Sums are as those of batch normalisation: up to
// kChunk pixels in Real, then in double.

#include "batchnorm.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/activation.hpp"

namespace convoy::kernels {
namespace {

/// sums[k][lane] += Σ over `pixels` of K terms; term(offset of a register, lanes before it, sum[K]).
template <class Real, int K, class Term>
CONVOY_INLINE void add_lane_sums(std::int64_t begin, std::int64_t pixels, const Term& term,
                                 double (&sums)[K][kLanes]) {
  for (std::int64_t chunk = 0; chunk < pixels; chunk += kChunk) {
    const std::int64_t end = min(pixels, chunk + kChunk);
    for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
      Vec<Real> sum[K] = {};
      for (std::int64_t pixel = chunk; pixel < end; ++pixel) term(begin + pixel * kLanes + part, part, sum);
      for (int k = 0; k < K; ++k) {
        Real of_lane[kWidth<Real>];
        store<Real>(of_lane, sum[k]);
        for (std::int64_t i = 0; i < kWidth<Real>; ++i) sums[k][part + i] += static_cast<double>(of_lane[i]);
      }
    }
  }
}

/// The elements of one group of one lane block.
struct GroupPlace {
  std::int64_t channels, first;  ///< of the group
  std::int64_t begin, pixels;    ///< offset of its first plane; pixels of all its planes
  std::int64_t statistics;       ///< offset of its [16] in mean and inverse
};
CONVOY_INLINE GroupPlace place_of(const GroupNormShape& s, std::int64_t block, std::int64_t group) {
  const std::int64_t channels = s.c / s.groups;
  return {.channels = channels,
          .first = group * channels,
          .begin = (block * s.c + group * channels) * s.spatial * kLanes,
          .pixels = channels * s.spatial,
          .statistics = (block * s.groups + group) * kLanes};
}

/// mean and 1/√(variance + ε) of each lane.
template <class Real>
void group_statistics(const GroupNormShape& s, const GroupPlace& place, const Real* src, Real* mean,
                      Real* inverse) {
  const auto count = static_cast<double>(place.pixels);
  double sums[1][kLanes] = {};
  add_lane_sums<Real>(
      place.begin, place.pixels,
      [&](std::int64_t i, std::int64_t, Vec<Real>(&add)[1]) { add[0] += load(src + i); }, sums);
  for (std::int64_t lane = 0; lane < kLanes; ++lane) mean[lane] = static_cast<Real>(sums[0][lane] / count);
  double squares[1][kLanes] = {};
  add_lane_sums<Real>(
      place.begin, place.pixels,
      [&](std::int64_t i, std::int64_t part, Vec<Real>(&add)[1]) {
        const Vec<Real> difference = load(src + i) - load(mean + part);
        add[0] = fma(difference, difference, add[0]);
      },
      squares);
  for (std::int64_t lane = 0; lane < kLanes; ++lane)
    inverse[lane] = static_cast<Real>(1. / __builtin_sqrt(squares[0][lane] / count + s.epsilon));
}

template <class Real>
void groupnorm_forward(const GroupNormShape& s, const Real* src, const Real* weight, const Real* bias,
                       const Epilogue<Real>& epilogue, Real* dst, Real* mean, Real* inverse,
                       const Team& team) {
  const Range groups = team.share(s.groups);
  const std::int64_t plane = s.spatial * kLanes;
  with_activation<Real>(epilogue.activation, [&](const auto& function) {
    for (std::int64_t group = groups.begin; group < groups.end; ++group) {
      for (std::int64_t block = 0; block < s.blocks; ++block) {
        const GroupPlace place = place_of(s, block, group);
        const Real* its_mean = mean + place.statistics;
        const Real* its_inverse = inverse + place.statistics;
        group_statistics(s, place, src, mean + place.statistics, inverse + place.statistics);
        for (std::int64_t c = 0; c < place.channels; ++c) {
          const Vec<Real> by = broadcast(weight != nullptr ? weight[place.first + c] : Real(1));
          const Vec<Real> plus = broadcast(bias != nullptr ? bias[place.first + c] : Real(0));
          const std::int64_t begin = place.begin + c * plane;
          for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
            const Vec<Real> center = load(its_mean + part);
            const Vec<Real> scale = load(its_inverse + part) * by;
            for (std::int64_t i = begin + part; i < begin + plane; i += kLanes) {
              Vec<Real> result = fma(load(src + i) - center, scale, plus);
              if (epilogue.addend != nullptr) result += load(epilogue.addend + i);
              store<Real>(dst + i, function.in_registers(result));
            }
          }
          function.in_memory(plane, dst + begin);
        }
      }
    }
  });
  team.barrier();
}

/// Sums of a channel in one block: sums[0] = Σ diff, sums[1] = Σ diff·(src − mean), by lane.
template <class Real>
CONVOY_INLINE void channel_diffs(const GroupNormShape& s, std::int64_t begin, const Real* src,
                                 const Real* mean, const Real* diff_dst, double (&sums)[2][kLanes]) {
  add_lane_sums<Real>(
      begin, s.spatial,
      [&](std::int64_t i, std::int64_t part, Vec<Real>(&add)[2]) {
        const Vec<Real> diff = load(diff_dst + i);
        add[0] += diff;
        add[1] = fma(diff, load(src + i) - load(mean + part), add[1]);
      },
      sums);
}

/// The diffs of one group of one block. Idle lanes have no diffs, so they add nothing.
template <class Real>
void groupnorm_backward_group(const GroupNormShape& s, const GroupPlace& place, bool is_first,
                              const Real* src, const Real* diff_dst, const Real* weight, const Real* mean,
                              const Real* inverse, Real* diff_src, Real* diff_weight, Real* diff_bias) {
  const std::int64_t plane = s.spatial * kLanes;
  double of_diff[kLanes] = {};     // Σ weight·diff
  double of_product[kLanes] = {};  // Σ weight·diff·(src − mean)
  for (std::int64_t c = 0; c < place.channels; ++c) {
    double sums[2][kLanes] = {};
    channel_diffs(s, place.begin + c * plane, src, mean, diff_dst, sums);
    const double by = weight != nullptr ? static_cast<double>(weight[place.first + c]) : 1.;
    double bias_sum = 0;
    double weight_sum = 0;
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      bias_sum += sums[0][lane];
      weight_sum += sums[1][lane] * static_cast<double>(inverse[lane]);
      of_diff[lane] += by * sums[0][lane];
      of_product[lane] += by * sums[1][lane];
    }
    if (diff_weight == nullptr) continue;
    Real& to_weight = diff_weight[place.first + c];
    Real& to_bias = diff_bias[place.first + c];
    to_weight = (is_first ? Real(0) : to_weight) + static_cast<Real>(weight_sum);
    to_bias = (is_first ? Real(0) : to_bias) + static_cast<Real>(bias_sum);
  }
  if (diff_src == nullptr) return;
  // inverse·(weight·diff − Σ weight·diff/m − (src − mean)·inverse²·Σ weight·diff·(src − mean)/m)
  const auto count = static_cast<double>(place.pixels);
  Real offset[kLanes];
  Real slope[kLanes];
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    const auto own = static_cast<double>(inverse[lane]);
    offset[lane] = static_cast<Real>(of_diff[lane] / count);
    slope[lane] = static_cast<Real>(-of_product[lane] / count * own * own);
  }
  for (std::int64_t c = 0; c < place.channels; ++c) {
    const Vec<Real> by = broadcast(weight != nullptr ? weight[place.first + c] : Real(1));
    const std::int64_t begin = place.begin + c * plane;
    for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
      const Vec<Real> center = load(mean + part);
      const Vec<Real> by_inverse = load(inverse + part);
      const Vec<Real> minus = load(offset + part);
      const Vec<Real> times = load(slope + part);
      for (std::int64_t i = begin + part; i < begin + plane; i += kLanes) {
        const Vec<Real> diff = fma(by, load(diff_dst + i), -minus);
        store<Real>(diff_src + i, by_inverse * fma(load(src + i) - center, times, diff));
      }
    }
  }
}

template <class Real>
void groupnorm_backward(const GroupNormShape& s, const Real* src, const Real* diff_dst, const Real* weight,
                        const Real* mean, const Real* inverse, Real* diff_src, Real* diff_weight,
                        Real* diff_bias, const Team& team) {
  const Range groups = team.share(s.groups);
  for (std::int64_t group = groups.begin; group < groups.end; ++group) {
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      const GroupPlace place = place_of(s, block, group);
      groupnorm_backward_group(s, place, block == 0, src, diff_dst, weight, mean + place.statistics,
                               inverse + place.statistics, diff_src, diff_weight, diff_bias);
    }
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
