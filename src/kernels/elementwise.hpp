#pragma once
// Elementwise operations: activations, sums and products, and operations on flat parameter vectors.

#include "convoy/core/team.hpp"
#include "convoy/lanes/activation.hpp"
#include "convoy/lanes/elementary.hpp"

namespace convoy::kernels {
namespace {

/// Calls `body(i)` for the first element of every register of this thread's share; `size` a multiple of 16.
template <class Real, class Body>
CONVOY_INLINE void for_each_register(std::int64_t size, const Team& team, const Body& body) {
  const Range share = team.share(size / kLanes);
  for (std::int64_t i = share.begin * kLanes; i < share.end * kLanes; i += kWidth<Real>) body(i);
  team.barrier();
}

template <class Real>
void activation_forward(const Activation& activation, std::int64_t size, const Real* src, Real* dst,
                        const Team& team) {
  with_any_activation<Real>(activation, [&](const auto& function) {
    for_each_register<Real>(size, team,
                            [=](std::int64_t i) { store<Real>(dst + i, function.forward(load(src + i))); });
  });
}

template <class Real>
void activation_backward(const Activation& activation, std::int64_t size, const Real* values,
                         const Real* diff_dst, Real* diff_src, const Team& team) {
  with_any_activation<Real>(activation, [&](const auto& function) {
    for_each_register<Real>(size, team, [=](std::int64_t i) {
      store<Real>(diff_src + i, function.backward(load(values + i), load(diff_dst + i)));
    });
  });
}

template <class Real>
void add(std::int64_t size, const Real* a, const Real* b, Real* dst, const Team& team) {
  for_each_register<Real>(size, team,
                          [=](std::int64_t i) { store<Real>(dst + i, load(a + i) + load(b + i)); });
}

template <class Real>
void multiply(std::int64_t size, const Real* a, const Real* b, Real* dst, const Team& team) {
  for_each_register<Real>(size, team,
                          [=](std::int64_t i) { store<Real>(dst + i, load(a + i) * load(b + i)); });
}

template <class Real>
void accumulate(std::int64_t size, Real* left, const Real* right, const Team& team) {
  const Range share = team.share(size);
  std::int64_t i = share.begin;
  for (; i + kWidth<Real> <= share.end; i += kWidth<Real>)
    store<Real>(left + i, load(left + i) + load(right + i));
  for (; i < share.end; ++i) left[i] += right[i];
  team.barrier();
}

template <class Real>
void divide(std::int64_t size, Real* values, Real divisor, const Team& team) {
  const Range share = team.share(size);
  const Vec<Real> by = broadcast(divisor);
  std::int64_t i = share.begin;
  for (; i + kWidth<Real> <= share.end; i += kWidth<Real>) store<Real>(values + i, load(values + i) / by);
  for (; i < share.end; ++i) values[i] /= divisor;
  team.barrier();
}

/// Softmax of each lane, one register of lanes at a time.
template <class Real>
void softmax_forward(std::int64_t blocks, std::int64_t c, const Real* src, Real* dst, const Team& team) {
  const Range items = team.share(blocks * kParts<Real>);
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const std::int64_t at = item / kParts<Real> * c * kLanes + item % kParts<Real> * kWidth<Real>;
    Vec<Real> largest = load(src + at);
    for (std::int64_t k = 1; k < c; ++k) {
      const Vec<Real> x = load(src + at + k * kLanes);
      largest = x > largest ? x : largest;
    }
    Vec<Real> sum{};
    for (std::int64_t k = 0; k < c; ++k) {
      const Vec<Real> e = exp_of_nonpositive<Real>(load(src + at + k * kLanes) - largest);
      store<Real>(dst + at + k * kLanes, e);
      sum += e;
    }
    for (std::int64_t k = 0; k < c; ++k)
      store<Real>(dst + at + k * kLanes, load(dst + at + k * kLanes) / sum);
  }
  team.barrier();
}

template <class Real>
void softmax_backward(std::int64_t blocks, std::int64_t c, const Real* dst, const Real* diff_dst,
                      Real* diff_src, const Team& team) {
  const Range items = team.share(blocks * kParts<Real>);
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const std::int64_t at = item / kParts<Real> * c * kLanes + item % kParts<Real> * kWidth<Real>;
    Vec<Real> sum{};
    for (std::int64_t k = 0; k < c; ++k)
      sum = fma(load(diff_dst + at + k * kLanes), load(dst + at + k * kLanes), sum);
    for (std::int64_t k = 0; k < c; ++k) {
      const std::int64_t i = at + k * kLanes;
      store<Real>(diff_src + i, load(dst + i) * (load(diff_dst + i) - sum));
    }
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
