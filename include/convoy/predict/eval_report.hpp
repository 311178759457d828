#pragma once
// What `convoy eval` says of a checkpoint on a data set: as text, as JSON, and as CSV files.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/predict/scores.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy::predict {

/// Result of an evaluation, on rank 0.
struct EvalReport {
  std::string checkpoint;
  std::string data;
  std::string split;  ///< or the path of the array that was asked for
  train::Evaluation evaluation;
  std::vector<std::string> class_names;  ///< may be empty
  bool has_targets = false;              ///< the data set has targets instead of labels
  std::int64_t classes = 0;              ///< outputs of the network
  std::optional<Confusion> confusion;    ///< of a data set with labels, if tables, CSV or JSON need it
  std::vector<OutputScore> outputs;      ///< of a data set with targets

  /// The name of class `k`, else its number.
  [[nodiscard]] std::string name_of(std::int64_t k) const;
};

/// Which tables the text contains.
struct EvalTables {
  bool by_class = false;  ///< precision, recall, F1 and support; for targets the errors of each output
  bool confusion = false;
};

[[nodiscard]] std::string to_text(const EvalReport& report, const EvalTables& tables);
/// One object; null for what has no value.
[[nodiscard]] std::string to_json(const EvalReport& report);
/// A line per label, a column per answer, with names.
[[nodiscard]] std::string confusion_csv(const EvalReport& report);

/// Collects the lines of `--predictions`: sample, label, prediction, probability; for targets the targets and
/// the outputs. The probability is empty if the loss is quadratic, whose outputs are no probabilities.
class PredictionsCsv {
 public:
  PredictionsCsv(nn::LossKind loss, std::vector<std::string> class_names);
  void add(std::int64_t sample, std::int64_t label, std::span<const float> outputs);
  void add(std::int64_t sample, std::span<const float> targets, std::span<const float> outputs);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  nn::LossKind loss_;
  std::vector<std::string> class_names_;
  std::string text_;
};

/// Collective over `world`. Evaluates `source`: assigns report.evaluation and, on rank 0, report.confusion
/// (of labels, if `needs_confusion`) and report.outputs (of targets). `predictions`: gets a line per sample
/// on rank 0; null: not wanted.
void evaluate(EvalReport& report, bool needs_confusion, PredictionsCsv* predictions, step::Engine& engine,
              const comm::Communicator& world, const step::Source& source, const model::State& state);

}  // namespace convoy::predict
