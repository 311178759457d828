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

// A function has its kCost, forward(x), and backward(y, diff) = diff · dy/dx, computed from y = forward(x),
// or for those of with_any_activation() alone from x. kFew is for functions that are worth their code in
// every register tile.

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

template <class Real>
struct LeakyRelu {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit LeakyRelu(const Activation& activation)
      : slope(broadcast(static_cast<Real>(activation.slope))) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return x <= Vec<Real>{} ? slope * x : x; }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    return y <= Vec<Real>{} ? slope * diff : diff;
  }
  Vec<Real> slope;
};

/// Where it is cut off, y is 0 or 6.
template <class Real>
struct Relu6 {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit Relu6(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const {
    const Vec<Real> most = broadcast(Real(6));
    return x <= Vec<Real>{} ? Vec<Real>{} : x >= most ? most : x;
  }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    const Vec<Real> below = y <= Vec<Real>{} ? Vec<Real>{} : diff;
    return y >= broadcast(Real(6)) ? Vec<Real>{} : below;
  }
};

/// Below 0, dy/dx = α·e^x = y + α.
template <class Real>
struct Elu {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit Elu(const Activation& activation)
      : alpha(broadcast(static_cast<Real>(activation.slope))) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const {
    const Vec<Real> below = x > Vec<Real>{} ? Vec<Real>{} : x;
    return x > Vec<Real>{} ? x : alpha * exp_minus_one_of_nonpositive<Real>(below);
  }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    return y > Vec<Real>{} ? diff : diff * (y + alpha);
  }
  Vec<Real> alpha;
};

template <class Real>
struct HardSigmoid {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit HardSigmoid(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const {
    const Vec<Real> one = broadcast(Real(1));
    const Vec<Real> line = fma(x, broadcast(Real(1. / 6)), broadcast(Real(0.5)));
    return line <= Vec<Real>{} ? Vec<Real>{} : line >= one ? one : line;
  }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& y, const Vec<Real>& diff) const {
    const Vec<Real> above = y <= Vec<Real>{} ? Vec<Real>{} : diff * broadcast(Real(1. / 6));
    return y >= broadcast(Real(1)) ? Vec<Real>{} : above;
  }
};

/// d(x·Φ)/dx = Φ + x·φ (Hendrycks & Gimpel 2016).
template <class Real>
struct Gelu {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit Gelu(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return x * normal_distribution<Real>(x); }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& x, const Vec<Real>& diff) const {
    return diff * fma(x, normal_density<Real>(x), normal_distribution<Real>(x));
  }
};

/// d(x·σ)/dx = σ·(1 + x·(1 − σ)) (Ramachandran et al. 2017).
template <class Real>
struct Swish {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit Swish(const Activation& /*activation*/) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return x * logistic<Real>(x); }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& x, const Vec<Real>& diff) const {
    const Vec<Real> one = broadcast(Real(1));
    const Vec<Real> s = logistic<Real>(x);
    return diff * (s * fma(x, one - s, one));
  }
};

/// From −3 to 3, dy/dx = x/3 + ½ (Howard et al. 2019).
template <class Real>
struct HardSwish {
  static constexpr Cost kCost = Cost::kMany;
  CONVOY_INLINE explicit HardSwish(const Activation& activation) : gate(activation) {}
  CONVOY_INLINE Vec<Real> forward(const Vec<Real>& x) const { return x * gate.forward(x); }
  CONVOY_INLINE Vec<Real> backward(const Vec<Real>& x, const Vec<Real>& diff) const {
    const Vec<Real> inside = diff * fma(x, broadcast(Real(1. / 3)), broadcast(Real(0.5)));
    const Vec<Real> above = x < broadcast(Real(-3)) ? Vec<Real>{} : inside;
    return x > broadcast(Real(3)) ? diff : above;
  }
  HardSigmoid<Real> gate;
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

/// Calls use(function) with the function of `activation`, an Applied. Not for those whose derivative is
/// computed from the input: they are no epilogues.
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
    case ActivationKind::kLeakyRelu:
      return use(Applied<Real, LeakyRelu<Real>>(activation));
    case ActivationKind::kRelu6:
      return use(Applied<Real, Relu6<Real>>(activation));
    case ActivationKind::kElu:
      return use(Applied<Real, Elu<Real>>(activation));
    case ActivationKind::kHardSigmoid:
      return use(Applied<Real, HardSigmoid<Real>>(activation));
    case ActivationKind::kGelu:
    case ActivationKind::kSwish:
    case ActivationKind::kHardSwish:
      break;
  }
  use(Applied<Real, Identity<Real>>(activation));
}

/// Calls use(function) with the function of any `activation`.
template <class Real, class Use>
CONVOY_INLINE void with_any_activation(const Activation& activation, const Use& use) {
  switch (activation.kind) {
    case ActivationKind::kGelu:
      return use(Gelu<Real>(activation));
    case ActivationKind::kSwish:
      return use(Swish<Real>(activation));
    case ActivationKind::kHardSwish:
      return use(HardSwish<Real>(activation));
    default:
      return with_activation<Real>(activation, use);
  }
}

}  // namespace
}  // namespace convoy::kernels
