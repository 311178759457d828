// Activations, sums, products and flat vectors.

#include <algorithm>
#include <cstring>

#include "reference/activation.hpp"
#include "support/guarded.hpp"
#include "support/teams.hpp"
#include "unit/kernels/kernel_sets.hpp"

namespace convoy::kernels {
namespace {

class Elementwise : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Elementwise);

template <class Real>
AlignedBuffer<Real> aligned(const std::vector<double>& values) {
  AlignedBuffer<Real> buffer((static_cast<std::int64_t>(values.size()) + kLanes - 1) / kLanes * kLanes);
  for (std::size_t i = 0; i < values.size(); ++i)
    buffer[static_cast<std::int64_t>(i)] = static_cast<Real>(values[i]);
  return buffer;
}

/// Applies function(size, src, dst, team) to `values`.
template <class Real, class Function>
std::vector<Real> apply(const Function& function, const std::vector<double>& values, int threads = 1) {
  const auto src = aligned<Real>(values);
  test::Guarded<Real> dst(src.size());
  test::run_team(threads, [&](const Team& team) { function(src.size(), src.data(), dst.data(), team); });
  EXPECT_TRUE(dst.guards_untouched());
  std::vector<Real> result = dst.values();
  result.resize(values.size());
  return result;
}

/// Applies function(size, a, b, dst, team).
template <class Real, class Function>
std::vector<Real> apply(const Function& function, const std::vector<double>& a, const std::vector<double>& b,
                        int threads = 1) {
  const auto left = aligned<Real>(a);
  const auto right = aligned<Real>(b);
  test::Guarded<Real> dst(left.size());
  test::run_team(
      threads, [&](const Team& team) { function(left.size(), left.data(), right.data(), dst.data(), team); });
  EXPECT_TRUE(dst.guards_untouched());
  std::vector<Real> result = dst.values();
  result.resize(a.size());
  return result;
}

/// activation_forward and activation_backward of one activation.
template <class Real>
auto forward_of(const KernelTable<Real>& table, ActivationKind kind) {
  return [&table, kind](std::int64_t size, const Real* src, Real* dst, const Team& team) {
    table.activation_forward({kind}, size, src, dst, team);
  };
}
template <class Real>
auto backward_of(const KernelTable<Real>& table, ActivationKind kind) {
  return [&table, kind](std::int64_t size, const Real* dst, const Real* diff_dst, Real* diff_src,
                        const Team& team) {
    table.activation_backward({kind}, size, dst, diff_dst, diff_src, team);
  };
}

/// The largest error over `x`, in units in the last place of the exact value.
template <class Real, class Truth>
double largest_ulp(const KernelTable<Real>& table, ActivationKind kind, const std::vector<double>& x,
                   const Truth& truth) {
  const std::vector<Real> got = apply<Real>(forward_of(table, kind), x);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double want = truth(static_cast<long double>(static_cast<Real>(x[i])));
    const auto size = static_cast<Real>(std::fabs(want));
    const Real ulp = std::nextafter(size, std::numeric_limits<Real>::infinity()) - size;
    const double error = static_cast<double>(std::fabs(static_cast<long double>(got[i]) - want) /
                                             static_cast<long double>(ulp));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

/// Numbers in the range where the functions are neither 0 nor saturated, dense near 0.
std::vector<double> sweep() {
  Numbers numbers(6);
  std::vector<double> x = numbers.uniform(20000, -80, 80);
  for (const double range : {1e-30, 1e-6, 1e-3, 0.1, 0.7, 3., 20.}) {
    const auto more = numbers.uniform(20000, -range, range);
    x.insert(x.end(), more.begin(), more.end());
  }
  return x;
}

/// Error bound of the polynomials and the operations around them: half a unit per operation, one for the
/// exponential, three more for a quotient of two such sums.
constexpr double kUlps = 5;

TEST_P(Elementwise, SigmoidIsWithinAFewUlp) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const auto truth = [](long double z) { return 1 / (1 + std::exp(-z)); };
    EXPECT_LE(largest_ulp(table, ActivationKind::kSigmoid, sweep(), truth), kUlps);
  });
}

TEST_P(Elementwise, TanhIsWithinAFewUlpAlsoNearZero) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    EXPECT_LE(largest_ulp(table, ActivationKind::kTanh, sweep(), [](long double z) { return std::tanh(z); }),
              kUlps);
  });
}

TEST_P(Elementwise, TanhIsOdd) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const auto x = sweep();
    std::vector<double> minus = x;
    for (double& value : minus) value = -value;
    const auto plus_tanh = apply<Real>(forward_of(table, ActivationKind::kTanh), x);
    const auto minus_tanh = apply<Real>(forward_of(table, ActivationKind::kTanh), minus);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(plus_tanh[i], -minus_tanh[i]) << x[i];
  });
}

TEST_P(Elementwise, ActivationsSaturateAndKeepNaN) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const double inf = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> x = {-inf, -1e30, -1000, 0, 1000, 1e30, inf, nan};
    const auto expect = [&](ActivationKind kind, const std::vector<Real>& want) {
      const auto got = apply<Real>(forward_of(table, kind), x);
      for (std::size_t i = 0; i + 1 < x.size(); ++i) EXPECT_EQ(got[i], want[i]) << x[i];
      EXPECT_TRUE(std::isnan(got.back()));
    };
    const auto infinite = static_cast<Real>(inf);
    expect(ActivationKind::kTanh, {-1, -1, -1, 0, 1, 1, 1});
    expect(ActivationKind::kSigmoid, {0, 0, 0, Real(0.5), 1, 1, 1});
    expect(ActivationKind::kRelu, {0, 0, 0, 0, 1000, static_cast<Real>(1e30), infinite});
  });
}

TEST_P(Elementwise, BackwardIsDiffTimesTheDerivative) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    Numbers numbers(8);
    const auto z = numbers.uniform(4096, -6, 6);
    const auto diff = numbers.uniform(4096);
    const auto check = [&](ActivationKind kind, double (*derivative)(double), const std::string& what) {
      const auto y = apply<Real>(forward_of(table, kind), z);
      const auto got = apply<Real>(backward_of(table, kind), std::vector<double>(y.begin(), y.end()), diff);
      std::vector<double> want(z.size());
      std::vector<double> bound(z.size());
      for (std::size_t i = 0; i < z.size(); ++i) {
        want[i] = diff[i] * derivative(z[i]);
        bound[i] = 2 * std::fabs(diff[i]);  // y and 1 ± y are at most 2, and the error of y is kUlps
      }
      expect_within<Real>(std::vector<double>(got.begin(), got.end()), want, bound,
                          4 * static_cast<std::int64_t>(kUlps), what);
    };
    check(ActivationKind::kSigmoid, reference::sigmoid_derivative, "sigmoid");
    check(ActivationKind::kTanh, reference::tanh_derivative, "tanh");
    check(ActivationKind::kRelu, reference::relu_derivative, "relu");
  });
}

TEST_P(Elementwise, AddAndMultiplyRoundOnceAndMayWorkInPlace) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    Numbers numbers(9);
    const auto a = numbers.uniform(320);
    const auto b = numbers.uniform(320);
    const auto sum = apply<Real>(table.add, a, b);
    const auto product = apply<Real>(table.multiply, a, b);
    auto in_place = aligned<Real>(a);
    const auto right = aligned<Real>(b);
    table.add(in_place.size(), in_place.data(), right.data(), in_place.data(), Team());
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(sum[i], static_cast<Real>(a[i]) + static_cast<Real>(b[i]));
      ASSERT_EQ(product[i], static_cast<Real>(a[i]) * static_cast<Real>(b[i]));
      ASSERT_EQ(in_place[static_cast<std::int64_t>(i)], sum[i]);
    }
  });
}

TEST_P(Elementwise, AccumulateAndDivideTakeAnySizeAlignmentAndTeam) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (const std::int64_t size : {0, 1, 15, 16, 33, 1001}) {
      for (const std::int64_t offset : {0, 1, 3}) {
        Numbers numbers(10);
        const auto a = to_real<Real>(numbers.uniform(size));
        const auto b = to_real<Real>(numbers.uniform(size));
        for (const int threads : {1, 2, 3}) {
          test::Guarded<Real> left(size, offset);
          std::copy(a.begin(), a.end(), left.data());
          test::run_team(threads, [&](const Team& team) {
            table.accumulate(size, left.data(), b.data(), team);
            table.divide(size, left.data(), Real(3), team);
          });
          EXPECT_TRUE(left.guards_untouched());
          for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(left.data()[i], (a[i] + b[i]) / Real(3));
        }
      }
    }
  });
}

TEST_P(Elementwise, GivesTheSameBitsForTeamsOfOneTwoAndThree) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const auto x = sweep();
    for (const ActivationKind kind :
         {ActivationKind::kSigmoid, ActivationKind::kTanh, ActivationKind::kRelu}) {
      const auto one = apply<Real>(forward_of(table, kind), x, 1);
      for (const int threads : {2, 3}) EXPECT_EQ(one, apply<Real>(forward_of(table, kind), x, threads));
    }
  });
}

}  // namespace
}  // namespace convoy::kernels
