// The activations beside sigmoid, tanh and relu (elementwise_test.cpp) against the textbook.

#include <cmath>
#include <functional>

#include "convoy/core/aligned.hpp"
#include "reference/activation.hpp"
#include "support/teams.hpp"
#include "unit/kernels/kernel_sets.hpp"

namespace convoy::kernels {
namespace {

class Activations : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Activations);

struct ActivationCase {
  std::string name;
  Activation activation;
  std::function<double(double)> value, derivative;
};

std::vector<ActivationCase> activation_cases() {
  using namespace reference;
  const float slope = 0.125F;
  return {
      {"leakyrelu",
       {ActivationKind::kLeakyRelu, slope},
       [=](double z) { return leaky_relu(z, slope); },
       [=](double z) { return leaky_relu_derivative(z, slope); }},
      {"relu6", {ActivationKind::kRelu6}, relu6, relu6_derivative},
      {"elu",
       {ActivationKind::kElu, slope},
       [=](double z) { return elu(z, slope); },
       [=](double z) { return elu_derivative(z, slope); }},
      {"hardsigmoid", {ActivationKind::kHardSigmoid}, hard_sigmoid, hard_sigmoid_derivative},
      {"gelu", {ActivationKind::kGelu}, gelu, gelu_derivative},
      {"swish", {ActivationKind::kSwish}, swish, swish_derivative},
      {"hardswish", {ActivationKind::kHardSwish}, hard_swish, hard_swish_derivative},
  };
}

template <class Real>
struct ActivationBuffers {
  explicit ActivationBuffers(const std::vector<double>& z)
      : src(size_of(z)), dst(size_of(z)), diff(size_of(z)) {
    for (std::size_t i = 0; i < z.size(); ++i) src[static_cast<std::int64_t>(i)] = static_cast<Real>(z[i]);
    for (std::int64_t i = 0; i < diff.size(); ++i) diff[i] = 1;
  }
  static std::int64_t size_of(const std::vector<double>& z) {
    return (static_cast<std::int64_t>(z.size()) + kLanes - 1) / kLanes * kLanes;
  }
  void run(const KernelTable<Real>& table, const Activation& activation, int threads = 1) {
    test::run_team(threads, [&](const Team& team) {
      table.activation_forward(activation, src.size(), src.data(), dst.data(), team);
      table.activation_backward(activation, src.size(),
                                derivative_reads_input(activation.kind) ? src.data() : dst.data(),
                                diff.data(), diff.data(), team);
    });
  }
  AlignedBuffer<Real> src, dst, diff;
};

/// Dense where the functions bend.
std::vector<double> bends() {
  Numbers numbers(16);
  std::vector<double> z;
  for (const double range : {1e-6, 1e-3, 0.1, 1., 3.5, 10., 100.}) {
    const auto more = numbers.uniform(20000, -range, range);
    z.insert(z.end(), more.begin(), more.end());
  }
  return z;
}

// Errors are relative to 1 + |z|, the size of the factors: Φ and σ are within a few units of 1, the
// exponential and the polynomials of a derivative add some more.
TEST_P(Activations, AndTheirDerivativesMatchTheTextbook) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    constexpr double kUnits = 6;
    // The polynomials of Φ have errors of their own (lanes/elementary.hpp).
    const double bound = kUnits * std::numeric_limits<Real>::epsilon() + (sizeof(Real) == 4 ? 0 : 2e-15);
    const std::vector<double> z = bends();
    for (const ActivationCase& c : activation_cases()) {
      ActivationBuffers<Real> buffers(z);
      buffers.run(table, c.activation);
      for (std::size_t i = 0; i < z.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const double allowed = bound * (1 + std::fabs(z[i]));
        ASSERT_NEAR(buffers.dst[at], c.value(z[i]), allowed) << c.name << " of " << z[i];
        if (std::fabs(std::fabs(z[i]) - 3) < 1e-5 || std::fabs(z[i] - 6) < 1e-5) continue;  // kinks
        ASSERT_NEAR(buffers.diff[at], c.derivative(z[i]), allowed) << c.name << "' of " << z[i];
      }
    }
  });
}

TEST_P(Activations, KeepTheirLimitsAndNaN) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (const ActivationCase& c : activation_cases()) {
      ActivationBuffers<Real> buffers({0, 1e4, -1e4, 1e30, -1e30, std::nan("")});
      buffers.run(table, c.activation);
      EXPECT_EQ(buffers.dst[0], static_cast<Real>(c.value(0))) << c.name;
      for (const std::int64_t i : {1, 2, 3, 4}) {
        const auto z = static_cast<double>(buffers.src[i]);
        EXPECT_EQ(buffers.dst[i], static_cast<Real>(c.value(z))) << c.name << " of " << z;
        EXPECT_EQ(buffers.diff[i], static_cast<Real>(c.derivative(z))) << c.name << "' of " << z;
      }
      EXPECT_TRUE(std::isnan(buffers.dst[5])) << c.name;
    }
  });
}

TEST_P(Activations, GiveTheSameBitsForTeamsOfAnySize) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (const ActivationCase& c : activation_cases()) {
      ActivationBuffers<Real> one(bends());
      ActivationBuffers<Real> three(bends());
      one.run(table, c.activation);
      three.run(table, c.activation, 3);
      for (std::int64_t i = 0; i < one.dst.size(); ++i) {
        ASSERT_EQ(one.dst[i], three.dst[i]) << c.name;
        ASSERT_EQ(one.diff[i], three.diff[i]) << c.name;
      }
    }
  });
}

}  // namespace
}  // namespace convoy::kernels
