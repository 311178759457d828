#include "convoy/optim/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include "convoy/core/layout.hpp"
#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {

void NormValues::clear() {
  of_tensors_.clear();
  of_all_.clear();
}

void NormValues::add(std::span<const double> squares_of_tensors, double squares_of_all) {
  for (const double squares : squares_of_tensors) of_tensors_.push_back(std::sqrt(squares));
  of_all_.push_back(std::sqrt(squares_of_all));
}

double sum_of_squares(std::span<const float> values) {
  // Squares of floats are exact in double. One sum per lane, then the lanes in a tree.
  constexpr auto kWidth = static_cast<std::size_t>(kLanes);
  std::array<double, kWidth> sums{};
  const auto add = [&](std::size_t lane, float value) {
    const auto x = static_cast<double>(value);
    sums[lane] += x * x;
  };
  const std::size_t whole = values.size() / kWidth * kWidth;
  for (std::size_t i = 0; i < whole; i += kWidth)
    for (std::size_t lane = 0; lane < kWidth; ++lane) add(lane, values[i + lane]);
  for (std::size_t i = whole; i < values.size(); ++i) add(i - whole, values[i]);
  for (std::size_t half = sums.size() / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

void Optimizer::measure(int, const StepInfo&, const Stretch&, const Norms&, std::span<double>) const {
  assert(false && "an optimizer with norm stages has its own measure()");
}

std::vector<std::string_view> optimizer_names() {
  std::vector<std::string_view> names;
  for (const OptimizerEntry& each : kOptimizers) names.push_back(each.name);
  return names;
}

std::vector<std::string_view> lookahead_schedule_names() {
  return {"constant", "cubic"};
}

std::unique_ptr<const Optimizer> make_optimizer(const OptimizerOptions& options) {
  const bool is_lamb = options.kind == OptimizerKind::kLamb;
  auto optimizer = kOptimizers.at(static_cast<std::size_t>(options.kind)).make(options);
  if (options.clip_value > 0) optimizer = clip_by_value(std::move(optimizer), options.clip_value);
  const double clip_norm = options.clip_norm.value_or(is_lamb ? 1 : 0);
  if (clip_norm > 0) optimizer = clip_by_norm(std::move(optimizer), clip_norm, is_lamb ? 0 : 1e-6);
  if (options.lookahead_steps > 0)
    optimizer = look_ahead(std::move(optimizer), options.lookahead_steps, options.lookahead_alpha,
                           options.lookahead_schedule);
  return optimizer;
}

}  // namespace convoy::optim
