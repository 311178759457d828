#include "reference/optimizers.hpp"

#include <algorithm>
#include <cmath>

namespace convoy::reference {
namespace {

double norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

/// m̂ and ŝ of one element after its moments have been updated.
struct Corrected {
  double mean;
  double square;
};
Corrected update_moments(double beta1, double beta2, int step, double g, double& mean, double& square) {
  mean = beta1 * mean + (1 - beta1) * g;
  square = beta2 * square + (1 - beta2) * g * g;
  return {mean / (1 - std::pow(beta1, step)), square / (1 - std::pow(beta2, step))};
}

}  // namespace

void adam_step(const Adam& options, int step, const std::vector<double>& gradient,
               std::vector<double>& parameters, Moment& mean, Moment& square) {
  mean.resize(parameters.size());
  square.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    double g = gradient[i];
    if (options.is_decoupled)
      parameters[i] -= options.rate * options.weight_decay * parameters[i];
    else
      g += options.weight_decay * parameters[i];
    const Corrected hat = update_moments(options.beta1, options.beta2, step, g, mean[i], square[i]);
    parameters[i] -= options.rate * hat.mean / (std::sqrt(hat.square) + options.epsilon);
  }
}

void rmsprop_step(const Rmsprop& options, const std::vector<double>& gradient,
                  std::vector<double>& parameters, Moment& square, Moment& mean, Moment& velocity) {
  for (Moment* state : {&square, &mean, &velocity}) state->resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double g = gradient[i] + options.weight_decay * parameters[i];
    square[i] = options.alpha * square[i] + (1 - options.alpha) * g * g;
    mean[i] = options.alpha * mean[i] + (1 - options.alpha) * g;
    const double variance = options.is_centered ? square[i] - mean[i] * mean[i] : square[i];
    velocity[i] = options.momentum * velocity[i] + g / (std::sqrt(variance) + options.epsilon);
    parameters[i] -= options.rate * velocity[i];
  }
}

void lars_step(const Lars& options, const std::vector<double>& gradient, std::vector<double>& parameters,
               Moment& velocity) {
  velocity.resize(parameters.size());
  const double decay = options.is_adapted ? options.weight_decay : 0;
  const double of_parameters = norm(parameters);
  const double of_gradient = norm(gradient);
  double ratio = 1;
  if (options.is_adapted && of_parameters > 0 && of_gradient > 0)
    ratio =
        options.trust_coefficient * of_parameters / (of_gradient + decay * of_parameters + options.epsilon);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    velocity[i] = options.momentum * velocity[i] + gradient[i] + decay * parameters[i];
    parameters[i] -= options.rate * ratio * velocity[i];
  }
}

void lamb_step(const Lamb& options, int step, const std::vector<double>& gradient,
               std::vector<double>& parameters, Moment& mean, Moment& square) {
  mean.resize(parameters.size());
  square.resize(parameters.size());
  std::vector<double> direction(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Corrected hat = update_moments(options.beta1, options.beta2, step, gradient[i], mean[i], square[i]);
    direction[i] = hat.mean / (std::sqrt(hat.square) + options.epsilon) +
                   (options.is_adapted ? options.weight_decay * parameters[i] : 0);
  }
  const double of_parameters = norm(parameters);
  const double of_direction = norm(direction);
  const bool has_ratio = options.is_adapted && of_parameters > 0 && of_direction > 0;
  const double ratio = has_ratio ? of_parameters / of_direction : 1;
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] -= options.rate * ratio * direction[i];
}

void clip_norm(double limit, std::vector<std::vector<double>>& gradients, double epsilon) {
  double squares = 0;
  for (const std::vector<double>& gradient : gradients)
    for (const double g : gradient) squares += g * g;
  const double factor = std::min(1.0, limit / (std::sqrt(squares) + epsilon));
  for (std::vector<double>& gradient : gradients)
    for (double& g : gradient) g *= factor;
}

void clip_value(double limit, std::vector<std::vector<double>>& gradients) {
  for (std::vector<double>& gradient : gradients)
    for (double& g : gradient) g = std::clamp(g, -limit, limit);
}

void lookahead_step(const Lookahead& options, std::vector<double>& parameters, std::vector<double>& slow) {
  if (options.step % options.period != 0) return;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    slow[i] += options.alpha * (parameters[i] - slow[i]);
    parameters[i] = slow[i];
  }
}

void cubic_lookahead_step(const CubicLookahead& options, std::vector<double>& parameters,
                          std::vector<double>& slow) {
  if (options.step % options.period == 0) {
    const double a = options.last_decay * std::pow(static_cast<double>(options.step) / options.steps, 3);
    for (std::size_t i = 0; i < parameters.size(); ++i) slow[i] = a * slow[i] + (1 - a) * parameters[i];
    parameters = slow;
  }
  if (options.step == options.steps) parameters = slow;
}

}  // namespace convoy::reference
