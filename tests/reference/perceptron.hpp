#pragma once
// One layer of the multilayer perceptron (M. Nielsen, chapter 2; src/CONTRACT.md, "Mathematics"): w[out][in],
// one sample.

#include <vector>

namespace convoy::reference {

/// z_j = Σ_k w_jk·a_k + b_j; `b` may be empty.
std::vector<double> perceptron_forward(const std::vector<double>& w, const std::vector<double>& a,
                                       const std::vector<double>& b, std::size_t outputs);

/// (wᵀ δ)_k = Σ_j w_jk·δ_j: δ of the layer below, before ⊙ σ'(z).
std::vector<double> perceptron_backward(const std::vector<double>& w, const std::vector<double>& delta,
                                        std::size_t inputs);

/// ∂C/∂w_jk = a_k·δ_j. (∂C/∂b_j = δ_j.)
std::vector<double> perceptron_gradient(const std::vector<double>& a, const std::vector<double>& delta);

/// u ⊙ v.
std::vector<double> hadamard(const std::vector<double>& u, const std::vector<double>& v);

}  // namespace convoy::reference
