#include "reference/loss.hpp"

#include <algorithm>
#include <cmath>

#include "reference/activation.hpp"

namespace convoy::reference {

Loss quadratic(const std::vector<double>& z, const std::vector<double>& y) {
  Loss loss;
  for (std::size_t k = 0; k < z.size(); ++k) {
    loss.value += 0.5 * (y[k] - z[k]) * (y[k] - z[k]);
    loss.diff.push_back(z[k] - y[k]);
  }
  return loss;
}

Loss sigmoid_cross_entropy(const std::vector<double>& z, const std::vector<double>& y) {
  Loss loss;
  for (std::size_t k = 0; k < z.size(); ++k) {
    // −ln σ(z) = ln(1 + e^−z) and −ln(1 − σ(z)) = ln(1 + e^z).
    loss.value += y[k] * std::log1p(std::exp(-z[k])) + (1. - y[k]) * std::log1p(std::exp(z[k]));
    loss.diff.push_back(sigmoid(z[k]) - y[k]);
  }
  return loss;
}

Loss softmax_cross_entropy(const std::vector<double>& z, const std::vector<double>& y) {
  Loss loss;
  const double largest = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double x : z) sum += std::exp(x - largest);
  const std::vector<double> p = softmax(z);
  for (std::size_t k = 0; k < z.size(); ++k) {
    loss.value -= y[k] * (z[k] - largest - std::log(sum));
    loss.diff.push_back(p[k] - y[k]);
  }
  return loss;
}

}  // namespace convoy::reference
