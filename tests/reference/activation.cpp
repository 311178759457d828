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

double leaky_relu(double z, double slope) {
  return z > 0 ? z : slope * z;
}
double leaky_relu_derivative(double z, double slope) {
  return z > 0 ? 1. : slope;
}

double relu6(double z) {
  return std::min(std::max(z, 0.), 6.);
}
double relu6_derivative(double z) {
  return z > 0 && z < 6 ? 1. : 0.;
}

double elu(double z, double alpha) {
  return z > 0 ? z : alpha * std::expm1(z);
}
double elu_derivative(double z, double alpha) {
  return z > 0 ? 1. : alpha * std::exp(z);
}

double hard_sigmoid(double z) {
  return std::min(std::max(z / 6 + 0.5, 0.), 1.);
}
double hard_sigmoid_derivative(double z) {
  return z > -3 && z < 3 ? 1. / 6 : 0.;
}

double gelu(double z) {
  return z / 2 * std::erfc(-z / std::sqrt(2.));
}
double gelu_derivative(double z) {
  return std::erfc(-z / std::sqrt(2.)) / 2 + z * std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.));
}

double swish(double z) {
  return z * sigmoid(z);
}
double swish_derivative(double z) {
  return sigmoid(z) + z * sigmoid_derivative(z);
}

double hard_swish(double z) {
  return z * hard_sigmoid(z);
}
double hard_swish_derivative(double z) {
  return hard_sigmoid(z) + z * hard_sigmoid_derivative(z);
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
