#include "reference/activation.hpp"

#include <algorithm>
#include <cmath>

namespace convoy::reference {

double relu(double z) {
  return z > 0 ? z : 0.;
}
double relu_derivative(double z) {
  return z > 0 ? 1. : 0.;
}

double sigmoid(double z) {
  return 1. / (1. + std::exp(-z));
}
double sigmoid_derivative(double z) {
  return sigmoid(z) * (1. - sigmoid(z));
}

double tanh(double z) {
  return std::tanh(z);
}
double tanh_derivative(double z) {
  return 1. - std::tanh(z) * std::tanh(z);
}

std::vector<double> softmax(const std::vector<double>& z) {
  const double largest = *std::max_element(z.begin(), z.end());  // e^(z−c)/Σ e^(z−c) is the same for any c
  std::vector<double> p;
  double sum = 0;
  for (const double x : z) {
    p.push_back(std::exp(x - largest));
    sum += p.back();
  }
  for (double& x : p) x /= sum;
  return p;
}

std::vector<double> softmax_backward(const std::vector<double>& p, const std::vector<double>& diff) {
  std::vector<double> out(p.size());
  for (std::size_t k = 0; k < p.size(); ++k) {
    for (std::size_t j = 0; j < p.size(); ++j) out[k] += diff[j] * p[j] * ((j == k ? 1. : 0.) - p[k]);
  }
  return out;
}

}  // namespace convoy::reference
