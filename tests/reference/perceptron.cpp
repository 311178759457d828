#include "reference/perceptron.hpp"

namespace convoy::reference {

std::vector<double> perceptron_forward(const std::vector<double>& w, const std::vector<double>& a,
                                       const std::vector<double>& b, std::size_t outputs) {
  std::vector<double> z(outputs);
  for (std::size_t j = 0; j < outputs; ++j) {
    z[j] = b.empty() ? 0. : b[j];
    for (std::size_t k = 0; k < a.size(); ++k) z[j] += w[j * a.size() + k] * a[k];
  }
  return z;
}

std::vector<double> perceptron_backward(const std::vector<double>& w, const std::vector<double>& delta,
                                        std::size_t inputs) {
  std::vector<double> below(inputs);
  for (std::size_t k = 0; k < inputs; ++k) {
    for (std::size_t j = 0; j < delta.size(); ++j) below[k] += w[j * inputs + k] * delta[j];
  }
  return below;
}

std::vector<double> perceptron_gradient(const std::vector<double>& a, const std::vector<double>& delta) {
  std::vector<double> gradient;
  for (const double d : delta) {
    for (const double x : a) gradient.push_back(x * d);
  }
  return gradient;
}

std::vector<double> hadamard(const std::vector<double>& u, const std::vector<double>& v) {
  std::vector<double> product(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) product[i] = u[i] * v[i];
  return product;
}

}  // namespace convoy::reference
