#pragma once
// Scores of a network's answers beyond loss and accuracy: by class, and by output for targets. Used by the
// eval command.

#include <cstdint>
#include <span>
#include <vector>

namespace convoy::predict {

/// Scores of one class. A ratio without samples is 0, as in scikit-learn.
struct ClassScore {
  std::int64_t support = 0;   ///< samples with this label
  std::int64_t answered = 0;  ///< samples for which the network answered this class
  std::int64_t correct = 0;

  [[nodiscard]] double precision() const;  ///< correct / answered
  [[nodiscard]] double recall() const;     ///< correct / support
  [[nodiscard]] double f1() const;         ///< harmonic mean of precision and recall
};

/// Counts answers by label, sample by sample.
class Confusion {
 public:
  explicit Confusion(std::int64_t classes);
  void add(std::int64_t label, std::int64_t answer);

  [[nodiscard]] std::int64_t classes() const { return classes_; }
  /// Samples of class `label` for which the network answered `answer`.
  [[nodiscard]] std::int64_t count(std::int64_t label, std::int64_t answer) const;
  [[nodiscard]] std::vector<ClassScore> scores() const;

 private:
  std::int64_t classes_;
  std::vector<std::int64_t> counts_;  // [classes][classes], row = label
};

/// Errors of one output over all samples.
struct OutputScore {
  double mean_absolute_error = 0;
  double root_mean_squared_error = 0;
  /// R² = 1 − Σ(y − z)² / Σ(y − mean of y)², with targets y and outputs z; NaN if all targets are equal.
  double r_squared = 0;
};

/// Sums the errors of outputs, sample by sample, in double.
class OutputErrors {
 public:
  explicit OutputErrors(std::int64_t outputs);
  /// One sample's outputs and targets.
  void add(std::span<const float> outputs, std::span<const float> targets);
  [[nodiscard]] std::vector<OutputScore> scores() const;

 private:
  struct Sums {
    double absolute = 0;
    double squared = 0;
    double mean = 0;    // of the targets so far
    double spread = 0;  // Σ(y − mean)² of the targets so far (Welford 1962)
  };
  double samples_ = 0;
  std::vector<Sums> sums_;
};

}  // namespace convoy::predict
