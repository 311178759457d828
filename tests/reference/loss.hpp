#pragma once
// Losses of one sample: z the network's outputs, y the target (one-hot for classes).

#include <vector>

namespace convoy::reference {

struct Loss {
  double value = 0;
  std::vector<double> diff;  ///< ∂C/∂z
};

/// C = ½ Σ_k (y_k − z_k)², ∂C/∂z = z − y (Nielsen's quadratic cost; src/CONTRACT.md, "Configuration").
Loss quadratic(const std::vector<double>& z, const std::vector<double>& y);
/// C = Σ_k |z_k − y_k|, ∂C/∂z = sign(z − y).
Loss absolute(const std::vector<double>& z, const std::vector<double>& y);
/// C = Σ_k ½e² for |e| ≤ δ, δ(|e| − ½δ) else, with e = z_k − y_k (Huber 1964).
Loss huber(const std::vector<double>& z, const std::vector<double>& y, double delta);
/// C = −Σ_k (y_k ln σ(z_k) + (1 − y_k) ln(1 − σ(z_k))), ∂C/∂z = σ(z) − y.
Loss sigmoid_cross_entropy(const std::vector<double>& z, const std::vector<double>& y);
/// C = −Σ_k (1 − p_k)^γ ln p_k with p_k = σ(z_k) where y_k = 1, else 1 − σ(z_k) (Lin et al. 2017, eq. 4, of
/// every output); ∂C/∂z by the chain rule.
Loss focal_sigmoid(const std::vector<double>& z, const std::vector<double>& y, double gamma);
/// C = −(1 − p_t)^γ ln p_t with p the softmax of z and t the class where y_t = 1 (likewise).
Loss focal_softmax(const std::vector<double>& z, const std::vector<double>& y, double gamma);
/// C = −Σ_k y_k ln p_k with p the softmax of z, ∂C/∂z = p − y (y sums to 1).
Loss softmax_cross_entropy(const std::vector<double>& z, const std::vector<double>& y);

}  // namespace convoy::reference
