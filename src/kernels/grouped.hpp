#pragma once
// Convolutions in groups of channels: those of depthwise.hpp, and any others as one convolution for each lane
// block and group. Each of them is computed by one thread if there are enough for the team, else by all; the
// results are the same. The gradients of several blocks are added in their order.

#include "convoy/convolution/data.hpp"
#include "convoy/convolution/weights.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "depthwise.hpp"

namespace convoy::kernels {
namespace {

/// The convolution of one group of one lane block.
[[gnu::always_inline]] inline Conv2dShape shape_of_group(const Conv2dShape& s) {
  Conv2dShape group = s;
  group.blocks = 1;
  group.groups = 1;
  group.ic = s.ic / s.groups;
  group.oc = s.oc / s.groups;
  return group;
}

/// True if each of `items` convolutions is computed by one thread.
[[gnu::always_inline]] inline bool has_thread_each(std::int64_t items, std::int64_t threads) {
  return items >= threads;
}

/// Scratch of a team of `threads`; size(shape, team) is that of a convolution without groups.
template <class Size>
std::int64_t grouped_scratch_size(const Conv2dShape& s, std::int64_t threads, const Size& size) {
  if (s.groups == 1) return size(s, threads);
  if (is_depthwise(s)) return threads * s.kh * s.kw * kLanes;
  const Conv2dShape group = shape_of_group(s);
  return max(threads * round_up(size(group, 1), kLanes), size(group, threads));
}

/// Calls f(item, team, scratch) for `items` convolutions. `scratch_size`: of one thread.
template <class Real, class Function>
void for_each_group(std::int64_t items, std::int64_t scratch_size, Real* scratch, const Team& team,
                    const Function& f) {
  if (!has_thread_each(items, team.size())) {
    for (std::int64_t item = 0; item < items; ++item) f(item, team, scratch);
    return;
  }
  const Range own = team.share(items);
  for (std::int64_t item = own.begin; item < own.end; ++item)
    f(item, Team(), scratch + team.index() * round_up(scratch_size, kLanes));
  team.barrier();
}

/// Numbers of a group in src, dst and the weights.
struct GroupSizes {
  std::int64_t src, dst, weights;
};
[[gnu::always_inline]] inline GroupSizes sizes_of_group(const Conv2dShape& group) {
  return {group.ic * group.ih * group.iw * kLanes, group.oc * group.oh * group.ow * kLanes,
          group.oc * group.ic * group.kh * group.kw};
}

template <class Real>
void grouped_forward(const Conv2dShape& s, const Real* src, const Real* weights, const Real* bias,
                     const Epilogue<Real>& epilogue, Real* dst, Real* scratch, const Team& team) {
  if (s.groups == 1) return conv2d_forward(s, src, weights, bias, epilogue, dst, scratch, team);
  if (is_depthwise(s))
    return convolve_depthwise(forward_walk<Real, Real>(s, 1, src, weights, bias, epilogue, dst, nullptr),
                              team);
  const Conv2dShape group = shape_of_group(s);
  const GroupSizes size = sizes_of_group(group);
  const std::int64_t scratch_size = plan_forward(as_computed<Real>(group), 1).size;
  for_each_group(s.blocks * s.groups, scratch_size, scratch, team,
                 [&](std::int64_t item, const Team& own_team, Real* own) {
                   const std::int64_t g = item % s.groups;
                   Epilogue<Real> its = epilogue;
                   if (its.addend != nullptr) its.addend += item * size.dst;
                   conv2d_forward(group, src + item * size.src, weights + g * size.weights,
                                  bias != nullptr ? bias + g * group.oc : nullptr, its, dst + item * size.dst,
                                  own, own_team);
                 });
}

template <class Real>
void grouped_backward_data(const Conv2dShape& s, const Real* diff_dst, const Real* weights, Update update,
                           Real* diff_src, Real* scratch, const Team& team) {
  if (s.groups == 1) return conv2d_backward_data(s, diff_dst, weights, update, diff_src, scratch, team);
  if (is_depthwise(s))
    return convolve_depthwise(backward_walk<Real, Real>(s, 1, diff_dst, weights, update, diff_src, nullptr),
                              team);
  const Conv2dShape group = shape_of_group(s);
  const GroupSizes size = sizes_of_group(group);
  const std::int64_t scratch_size = plan_backward_data(as_computed<Real>(group), 1).size;
  for_each_group(s.blocks * s.groups, scratch_size, scratch, team,
                 [&](std::int64_t item, const Team& own_team, Real* own) {
                   conv2d_backward_data(group, diff_dst + item * size.dst,
                                        weights + item % s.groups * size.weights, update,
                                        diff_src + item * size.src, own, own_team);
                 });
}

template <class Real>
void grouped_backward_weights(const Conv2dShape& s, const Real* src, const Real* diff_dst, Update update,
                              Real* diff_weights, Real* diff_bias, Real* scratch, const Team& team) {
  if (s.groups == 1)
    return conv2d_backward_weights(s, src, diff_dst, update, diff_weights, diff_bias, scratch, team);
  if (diff_bias != nullptr) sum_bias(s, diff_dst, update, diff_bias, team);
  if (is_depthwise(s)) return depthwise_weights(s, src, diff_dst, update, diff_weights, scratch, team);
  const Conv2dShape group = shape_of_group(s);
  const GroupSizes size = sizes_of_group(group);
  const std::int64_t scratch_size = plan_backward_weights(as_computed<Real>(group), 1).size;
  for_each_group(s.groups, scratch_size, scratch, team, [&](std::int64_t g, const Team& own_team, Real* own) {
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      const std::int64_t item = block * s.groups + g;
      conv2d_backward_weights<Real>(group, src + item * size.src, diff_dst + item * size.dst,
                                    block == 0 ? update : Update::kAdd, diff_weights + g * size.weights,
                                    nullptr, own, own_team);
    }
  });
}

}  // namespace
}  // namespace convoy::kernels
