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

Loss absolute(const std::vector<double>& z, const std::vector<double>& y) {
  Loss loss;
  for (std::size_t k = 0; k < z.size(); ++k) {
    loss.value += z[k] > y[k] ? z[k] - y[k] : y[k] - z[k];
    loss.diff.push_back(z[k] > y[k] ? 1 : z[k] < y[k] ? -1 : 0);
  }
  return loss;
}

Loss huber(const std::vector<double>& z, const std::vector<double>& y, double delta) {
  Loss loss;
  for (std::size_t k = 0; k < z.size(); ++k) {
    const double error = z[k] - y[k];
    const bool is_far = std::fabs(error) > delta;
    loss.value += is_far ? delta * (std::fabs(error) - 0.5 * delta) : 0.5 * error * error;
    loss.diff.push_back(std::clamp(error, -delta, delta));
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

namespace {

/// −(1 − p)^γ ln p, and its derivative with respect to p.
double focal(double p, double gamma) {
  return -std::pow(1 - p, gamma) * std::log(p);
}
double focal_slope(double p, double gamma) {
  return gamma * std::pow(1 - p, gamma - 1) * std::log(p) - std::pow(1 - p, gamma) / p;
}

}  // namespace

Loss focal_sigmoid(const std::vector<double>& z, const std::vector<double>& y, double gamma) {
  Loss loss;
  for (std::size_t k = 0; k < z.size(); ++k) {
    const double p = y[k] == 1 ? sigmoid(z[k]) : 1 - sigmoid(z[k]);
    loss.value += focal(p, gamma);
    loss.diff.push_back((y[k] == 1 ? 1 : -1) * focal_slope(p, gamma) * p * (1 - p));
  }
  return loss;
}

Loss focal_softmax(const std::vector<double>& z, const std::vector<double>& y, double gamma) {
  Loss loss;
  const std::vector<double> p = softmax(z);
  for (std::size_t t = 0; t < z.size(); ++t) {
    if (y[t] != 1) continue;
    loss.value = focal(p[t], gamma);
    for (std::size_t k = 0; k < z.size(); ++k)
      loss.diff.push_back(focal_slope(p[t], gamma) * p[t] * ((k == t ? 1. : 0.) - p[k]));
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
