#pragma once
// Activations: their formulas, forward and backward, and their application, common to all kernels.
//
// A kernel calls with_activation() outside its loops; the loops are compiled once for each function. To add
// an activation: a function below, and a line in with_activation().

#include "convoy/core/operations.hpp"
#include "convoy/lanes/elementary.hpp"

namespace convoy::kernels {
namespace {

/// Instruction cost of a function. kFew: applied to results in registers. kMany: results are stored first and
/// read again from the cache.
enum class Cost { kNothing, kFew, kMany };

// A function has its kCost, forward(x), and backward(y, diff) = diff · dy/dx, computed from y = forward(x).

template <class Real>
struct Identity {
  static constexpr Cost kCost = Cost::kNothing;
  CONVOY_INLINE explicit Identity(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return x; }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& /*y*/, const Vec<Real>& diff) const { return diff; }
};

/// max(x, 0); NaN is not ≤ 0, so NaN stays.
template <class Real>
struct Relu {
  static constexpr Cost kCost = Cost::kFew;
  CONVOY_INLINE explicit Relu(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return x <= Vec<Real>{} ? Vec<Real>{} : x; }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    return y <= Vec<Real>{} ? Vec<Real>{} : diff;
  }
};

/// σ' = σ·(1 − σ)
template <class Real>
struct Sigmoid {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit Sigmoid(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return logistic<Real>(x); }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    return diff * (y * (broadcast(Real(1)) - y));
  }
};

/// tanh' = 1 − tanh², as (1 − y)·(1 + y), without cancellation near ±1.
template <class Real>
struct Tanh {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit Tanh(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return hyperbolic_tangent<Real>(x); }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    const Vec<Real> one = broadcast(Real(1));
    return diff * ((one - y) * (one + y));
  }
};

/// A function as the epilogue of another operation, which calls in_registers() for each register of results
/// and in_memory() after the store; one of the two is a no-op.
template <class Real, class Function>
struct Applied : Function {
  using Function::Function;
  CONVOY_INLINE Vec<Real> in_registers(const Vec<Real>& x) const {
    if constexpr (Function::kCost == Cost::kFew) {
      return this->forward(x);
    } else {
      return x;
    }
  }
  /// For `size` results, a multiple of 16.
  CONVOY_INLINE void in_memory(std::int64_t size, Real* at) const {
    if constexpr (Function::kCost == Cost::kMany) {
      for (std::int64_t i = 0; i < size; i += kWidth<Real>) store<Real>(at + i, this->forward(load(at + i)));
    }
  }
};

/// Calls use(function) with the function of `activation`, an Applied.
template <class Real, class Use>
CONVOY_INLINE void with_activation(const Activation& activation, const Use& use) {
  switch (activation.kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kRelu:
      return use(Applied<Real, Relu<Real>>(activation));
    case ActivationKind::kSigmoid:
      return use(Applied<Real, Sigmoid<Real>>(activation));
    case ActivationKind::kTanh:
      return use(Applied<Real, Tanh<Real>>(activation));
  }
  use(Applied<Real, Identity<Real>>(activation));
}

}  // namespace
}  // namespace convoy::kernels
