#include "convoy/predict/scores.hpp"

#include <cassert>
#include <cmath>
#include <limits>

namespace convoy::predict {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double ClassScore::precision() const {
  return ratio(correct, answered);
}

double ClassScore::recall() const {
  return ratio(correct, support);
}

double ClassScore::f1() const {
  return ratio(2 * correct, support + answered);
}

Confusion::Confusion(std::int64_t classes)
    : classes_(classes), counts_(static_cast<std::size_t>(classes * classes)) {}

void Confusion::add(std::int64_t label, std::int64_t answer) {
  assert(label >= 0 && label < classes_ && answer >= 0 && answer < classes_);
  ++counts_[static_cast<std::size_t>(label * classes_ + answer)];
}

std::int64_t Confusion::count(std::int64_t label, std::int64_t answer) const {
  return counts_[static_cast<std::size_t>(label * classes_ + answer)];
}

std::vector<ClassScore> Confusion::scores() const {
  std::vector<ClassScore> scores(static_cast<std::size_t>(classes_));
  for (std::int64_t label = 0; label < classes_; ++label) {
    for (std::int64_t answer = 0; answer < classes_; ++answer) {
      scores[static_cast<std::size_t>(label)].support += count(label, answer);
      scores[static_cast<std::size_t>(answer)].answered += count(label, answer);
    }
    scores[static_cast<std::size_t>(label)].correct = count(label, label);
  }
  return scores;
}

OutputErrors::OutputErrors(std::int64_t outputs) : sums_(static_cast<std::size_t>(outputs)) {}

void OutputErrors::add(std::span<const float> outputs, std::span<const float> targets) {
  assert(outputs.size() == sums_.size() && targets.size() == sums_.size());
  samples_ += 1;
  for (std::size_t k = 0; k < sums_.size(); ++k) {
    Sums& sums = sums_[k];
    const double target = targets[k];
    const double error = static_cast<double>(outputs[k]) - target;
    sums.absolute += std::abs(error);
    sums.squared += error * error;
    const double before = target - sums.mean;
    sums.mean += before / samples_;
    sums.spread += before * (target - sums.mean);
  }
}

std::vector<OutputScore> OutputErrors::scores() const {
  std::vector<OutputScore> scores;
  scores.reserve(sums_.size());
  for (const Sums& sums : sums_) {
    scores.push_back({.mean_absolute_error = sums.absolute / samples_,
                      .root_mean_squared_error = std::sqrt(sums.squared / samples_),
                      .r_squared = sums.spread > 0 ? 1 - sums.squared / sums.spread
                                                   : std::numeric_limits<double>::quiet_NaN()});
  }
  return scores;
}

}  // namespace convoy::predict
