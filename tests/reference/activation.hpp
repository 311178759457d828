#pragma once
// Activation functions and their derivatives, as functions of z, and softmax over one sample's outputs.

#include <vector>

namespace convoy::reference {

/// max(z, 0); derivative 1 above 0, else 0.
double relu(double z);
double relu_derivative(double z);
/// σ(z) = 1/(1 + e^−z); σ' = σ·(1 − σ).
double sigmoid(double z);
double sigmoid_derivative(double z);
/// tanh z; 1 − tanh² z.
double tanh(double z);
double tanh_derivative(double z);

/// z above 0, else slope·z.
double leaky_relu(double z, double slope);
double leaky_relu_derivative(double z, double slope);
/// min(max(z, 0), 6); derivative 1 between, else 0.
double relu6(double z);
double relu6_derivative(double z);
/// z above 0, else α·(e^z − 1).
double elu(double z, double alpha);
double elu_derivative(double z, double alpha);
/// min(max(z/6 + ½, 0), 1).
double hard_sigmoid(double z);
double hard_sigmoid_derivative(double z);
/// z·Φ(z) = z/2·(1 + erf(z/√2)).
double gelu(double z);
double gelu_derivative(double z);
/// z·σ(z).
double swish(double z);
double swish_derivative(double z);
/// z·hard_sigmoid(z).
double hard_swish(double z);
double hard_swish_derivative(double z);

/// p_k = e^{z_k} / Σ_j e^{z_j}.
std::vector<double> softmax(const std::vector<double>& z);
/// (Jᵀ d)_k = Σ_j d_j·∂p_j/∂z_k, with ∂p_j/∂z_k = p_j·([j = k] − p_k).
std::vector<double> softmax_backward(const std::vector<double>& p, const std::vector<double>& diff);

}  // namespace convoy::reference
