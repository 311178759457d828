#pragma once
// Common code of the kernel tests: the kernel sets of this machine as test parameters, random numbers that
// are exact in float, and the error bound of a sum of products.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {

/// One table: the float kernels of an instruction set, or the double kernels.
struct KernelSet {
  std::string name;
  Isa isa;
  bool is_double;
};

inline std::vector<KernelSet> all_kernel_sets() {
  std::vector<KernelSet> sets;
  for (const Isa isa : supported_isas()) sets.push_back({std::string(to_string(isa)), isa, false});
  sets.push_back({"double", Isa::kPortable, true});
  return sets;
}

inline void PrintTo(const KernelSet& set, std::ostream* out) {
  *out << set.name;
}

/// Tests that run on every set.
class Kernels : public testing::TestWithParam<KernelSet> {
 protected:
  /// Calls body(table) with the table under test, KernelTable<float> or KernelTable<double>.
  template <class Body>
  void with_table(const Body& body) {
    if (GetParam().is_double) {
      body(double_kernels());
    } else {
      body(float_kernels(GetParam().isa));
    }
  }
};

#define CONVOY_FOR_ALL_KERNEL_SETS(Suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::ValuesIn(::convoy::kernels::all_kernel_sets()), \
                           [](const auto& set_info) { return set_info.param.name; })

/// Deterministic numbers in [low, high], rounded to float, so that all sets have equal inputs.
class Numbers {
 public:
  explicit Numbers(unsigned seed) : generator_(seed) {}

  std::vector<double> uniform(std::int64_t count, double low = -1, double high = 1) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i) {
      const double unit = static_cast<double>(generator_()) / 4294967296.;
      values.push_back(static_cast<double>(static_cast<float>(low + (high - low) * unit)));
    }
    return values;
  }

  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(generator_() % static_cast<unsigned>(high - low + 1));
  }

 private:
  std::mt19937 generator_;
};

template <class Real>
std::vector<Real> to_real(const std::vector<double>& values) {
  return std::vector<Real>(values.begin(), values.end());
}

inline std::vector<double> magnitudes(std::vector<double> values) {
  for (double& value : values) value = std::fabs(value);
  return values;
}

/// γ_k = k·u/(1 − k·u), u half a unit in the last place of 1: a sum of k products, in any order, with or
/// without fused multiply-add, has an error of at most γ_k·Σ|a·b| (Higham, "Accuracy and Stability", 3.1).
template <class Real>
double gamma(std::int64_t k) {
  const double ku = static_cast<double>(k) * static_cast<double>(std::numeric_limits<Real>::epsilon()) / 2;
  return ku / (1 - ku);
}

/// Expects |got − want| ≤ gamma(k)·magnitude (plus `of_factors`·magnitude if operands were rounded first) for
/// each element, plus γ_k·magnitude in double for the rounding of the reference.
template <class Real>
void expect_within(const std::vector<double>& got, const std::vector<double>& want,
                   const std::vector<double>& magnitude, std::int64_t k, const std::string& what,
                   double of_factors = 0) {
  ASSERT_EQ(got.size(), want.size()) << what;
  const double factor = of_factors + (1 + of_factors) * gamma<Real>(k) + gamma<double>(k);
  for (std::size_t i = 0; i < want.size(); ++i) {
    // In this form NaN fails.
    if (!(std::fabs(got[i] - want[i]) <= factor * magnitude[i])) {
      FAIL() << what << "[" << i << "] is " << got[i] << ", the reference says " << want[i] << " ± "
             << factor * magnitude[i];
    }
  }
}

}  // namespace convoy::kernels
