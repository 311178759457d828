#include "convoy/predict/eval_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "convoy/core/text.hpp"
#include "convoy/io/json.hpp"
#include "convoy/predict/answers.hpp"
#include "convoy/train/observer.hpp"
#include "csv.hpp"

namespace convoy::predict {
namespace {

/// Network outputs above this number get no table of their own lines: it would fill screens.
constexpr std::size_t kMostOutputLines = 64;

std::size_t widest_name(const EvalReport& report) {
  std::size_t width = 6;
  for (std::int64_t k = 0; k < report.confusion->classes(); ++k)
    width = std::max(width, report.name_of(k).size() + 1);
  return width;
}

std::string confusion_text(const EvalReport& report) {
  const Confusion& confusion = *report.confusion;
  const std::size_t width = widest_name(report);
  std::string text = fmt::format("confusion (row: label, column: answer)\n{:>{}}", "", width);
  for (std::int64_t k = 0; k < confusion.classes(); ++k)
    text += fmt::format("{:>{}}", report.name_of(k), width);
  text += '\n';
  for (std::int64_t row = 0; row < confusion.classes(); ++row) {
    text += fmt::format("{:>{}}", report.name_of(row), width);
    for (std::int64_t k = 0; k < confusion.classes(); ++k)
      text += fmt::format("{:>{}}", confusion.count(row, k), width);
    text += '\n';
  }
  return text;
}

/// Means of the scores over classes: each class counts once, or by its samples.
std::string mean_line(const std::vector<ClassScore>& scores, bool is_weighted, std::size_t width) {
  double weights = 0;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  std::int64_t support = 0;
  for (const ClassScore& score : scores) {
    const double weight = is_weighted ? static_cast<double>(score.support) : 1;
    weights += weight;
    precision += weight * score.precision();
    recall += weight * score.recall();
    f1 += weight * score.f1();
    support += score.support;
  }
  return fmt::format("{:>{}}{:>11.4f}{:>9.4f}{:>9.4f}{:>10}\n", is_weighted ? "weighted" : "mean", width,
                     precision / weights, recall / weights, f1 / weights, support);
}

std::string class_text(const EvalReport& report) {
  const std::vector<ClassScore> scores = report.confusion->scores();
  const std::size_t width = std::max<std::size_t>(widest_name(report), 9);
  std::string text =
      fmt::format("{:>{}}{:>11}{:>9}{:>9}{:>10}\n", "class", width, "precision", "recall", "F1", "support");
  for (std::size_t k = 0; k < scores.size(); ++k)
    text +=
        fmt::format("{:>{}}{:>11.4f}{:>9.4f}{:>9.4f}{:>10}\n", report.name_of(static_cast<std::int64_t>(k)),
                    width, scores[k].precision(), scores[k].recall(), scores[k].f1(), scores[k].support);
  return text + mean_line(scores, false, width) + mean_line(scores, true, width);
}

std::string output_text(const EvalReport& report) {
  std::string text =
      fmt::format("{:>9}{:>16}{:>16}{:>12}\n", "output", "mean abs. error", "root mean sq.", "R2");
  for (std::size_t k = 0; k < std::min(report.outputs.size(), kMostOutputLines); ++k) {
    const OutputScore& score = report.outputs[k];
    text += fmt::format("{:>9}{:>16.6g}{:>16.6g}{:>12.6g}\n", k, score.mean_absolute_error,
                        score.root_mean_squared_error, score.r_squared);
  }
  if (report.outputs.size() > kMostOutputLines)
    text += fmt::format("{:>9} {} outputs in all; --json has each\n", "...", report.outputs.size());
  return text;
}

double root_mean_squared_error(const EvalReport& report) {
  const train::Evaluation& result = report.evaluation;
  return train::score_of(result.squared_error, result.correct, result.samples,
                         static_cast<std::int64_t>(report.outputs.size()))
      .value;
}

double mean_absolute_error(const EvalReport& report) {
  double sum = 0;
  for (const OutputScore& score : report.outputs) sum += score.mean_absolute_error;
  return sum / static_cast<double>(report.outputs.size());
}

}  // namespace

std::string EvalReport::name_of(std::int64_t k) const {
  return class_name_of(class_names, k);
}

std::string to_text(const EvalReport& report, const EvalTables& tables) {
  constexpr std::int64_t kTop = 5;
  const train::Evaluation& result = report.evaluation;
  std::string text = fmt::format("{} on {}, {}{}, {}\nloss {}\n", report.checkpoint, report.data,
                                 report.split.starts_with('/') ? "" : "split ", report.split,
                                 counted(result.samples, "sample"), json_number(result.loss));
  if (report.has_targets) {
    text +=
        fmt::format("root of the mean squared error {}\nmean absolute error {}\n",
                    json_number(root_mean_squared_error(report)), json_number(mean_absolute_error(report)));
    if (tables.by_class) text += output_text(report);
    return text;
  }
  text += fmt::format("accuracy {:.4f} % ({} correct)\n", 100 * result.accuracy(), grouped(result.correct));
  if (report.classes > kTop) text += fmt::format("top-5 accuracy {:.4f} %\n", 100 * result.top5());
  if (tables.by_class) text += class_text(report);
  if (tables.confusion) text += confusion_text(report);
  return text;
}

std::string to_json(const EvalReport& report) {
  const train::Evaluation& result = report.evaluation;
  io::Json json{{"checkpoint", report.checkpoint},
                {"data", report.data},
                {"split", report.split},
                {"samples", result.samples},
                {"loss", result.loss}};
  if (report.has_targets) {
    json["root_mean_squared_error"] = root_mean_squared_error(report);
    json["mean_absolute_error"] = mean_absolute_error(report);
    json["outputs"] = io::Json::array();
    for (const OutputScore& score : report.outputs)
      json["outputs"].push_back({{"mean_absolute_error", score.mean_absolute_error},
                                 {"root_mean_squared_error", score.root_mean_squared_error},
                                 {"r2", score.r_squared}});
    return io::to_text(json);
  }
  json["accuracy"] = result.accuracy();
  json["correct"] = result.correct;
  json["top5_accuracy"] = result.top5();
  json["classes"] = io::Json::array();
  json["confusion"] = io::Json::array();
  const std::vector<ClassScore> scores = report.confusion->scores();
  for (std::int64_t k = 0; k < report.confusion->classes(); ++k) {
    const ClassScore& score = scores[static_cast<std::size_t>(k)];
    json["classes"].push_back({{"class", k},
                               {"name", report.name_of(k)},
                               {"precision", score.precision()},
                               {"recall", score.recall()},
                               {"f1", score.f1()},
                               {"support", score.support}});
    io::Json row = io::Json::array();
    for (std::int64_t answer = 0; answer < report.confusion->classes(); ++answer)
      row.push_back(report.confusion->count(k, answer));
    json["confusion"].push_back(row);
  }
  return io::to_text(json);
}

std::string confusion_csv(const EvalReport& report) {
  const Confusion& confusion = *report.confusion;
  std::string text = "label";
  for (std::int64_t k = 0; k < confusion.classes(); ++k) text += ',' + csv_field(report.name_of(k));
  text += '\n';
  for (std::int64_t row = 0; row < confusion.classes(); ++row) {
    text += csv_field(report.name_of(row));
    for (std::int64_t k = 0; k < confusion.classes(); ++k)
      text += ',' + std::to_string(confusion.count(row, k));
    text += '\n';
  }
  return text;
}

PredictionsCsv::PredictionsCsv(nn::LossKind loss, std::vector<std::string> class_names)
    : loss_(loss), class_names_(std::move(class_names)) {}

void PredictionsCsv::add(std::int64_t sample, std::int64_t label, std::span<const float> outputs) {
  if (text_.empty()) text_ = "sample,label,prediction,probability\n";
  const std::int64_t answer = answer_of(outputs);
  const std::vector<double> probabilities = probabilities_of(loss_, outputs);
  text_ +=
      fmt::format("{},{},{},{}\n", sample, csv_field(class_name_of(class_names_, label)),
                  csv_field(class_name_of(class_names_, answer)),
                  probabilities.empty() ? "" : shortest(probabilities[static_cast<std::size_t>(answer)]));
}

void PredictionsCsv::add(std::int64_t sample, std::span<const float> targets,
                         std::span<const float> outputs) {
  if (text_.empty()) {
    text_ = "sample";
    for (const char* column : {"target", "output"})
      for (std::size_t k = 0; k < outputs.size(); ++k) text_ += fmt::format(",{}_{}", column, k);
    text_ += '\n';
  }
  text_ += std::to_string(sample);
  for (const std::span<const float> values : {targets, outputs})
    for (const float value : values) text_ += fmt::format(",{:.9g}", value);
  text_ += '\n';
}

void evaluate(EvalReport& report, bool needs_confusion, PredictionsCsv* predictions, step::Engine& engine,
              const comm::Communicator& world, const step::Source& source, const model::State& state) {
  const data::Split& split = *source.split;
  const auto outputs = static_cast<std::size_t>(engine.outputs());
  const bool counts = needs_confusion && !report.has_targets;
  if (counts && world.is_root()) report.confusion.emplace(report.classes);
  OutputErrors errors(report.has_targets ? engine.outputs() : 0);
  const auto read = [&](std::int64_t first, std::span<const float> values) {
    for (std::size_t i = 0; i < values.size() / outputs; ++i) {
      const std::int64_t sample = first + static_cast<std::int64_t>(i);
      const std::span<const float> own = values.subspan(i * outputs, outputs);
      if (!report.has_targets) {
        const std::int64_t label = split.labels()[static_cast<std::size_t>(sample)];
        if (report.confusion) report.confusion->add(label, answer_of(own));
        if (predictions != nullptr) predictions->add(sample, label, own);
      } else {
        const std::span<const float> targets =
            split.targets().subspan(static_cast<std::size_t>(sample) * outputs, outputs);
        errors.add(own, targets);
        if (predictions != nullptr) predictions->add(sample, targets, own);
      }
    }
  };
  const bool needs_outputs = report.has_targets || counts || predictions != nullptr;
  io::IoThread io_thread;
  report.evaluation = train::evaluate(engine, world, source, state, &io_thread,
                                      needs_outputs ? train::OutputReader(read) : train::OutputReader());
  if (report.has_targets && world.is_root()) report.outputs = errors.scores();
}

}  // namespace convoy::predict
