#include "convoy/predict/predictions.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "convoy/core/text.hpp"
#include "convoy/hdf5/commit.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/json.hpp"
#include "convoy/predict/answers.hpp"
#include "csv.hpp"

namespace convoy::predict {
namespace {

constexpr std::size_t kMostNumbersInText = 16;

std::string in_percent(double probability) {
  return fmt::format("{:.2f} %", 100 * probability);
}

}  // namespace

std::string OutputMeaning::name_of(std::int64_t k) const {
  return class_name_of(class_names, k);
}

std::vector<Candidate> best_classes(const OutputMeaning& meaning, std::span<const float> outputs,
                                    std::int64_t most) {
  std::vector<std::int64_t> order(outputs.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](std::int64_t k) {
    const float output = outputs[static_cast<std::size_t>(k)];
    return std::isnan(output) ? -std::numeric_limits<float>::infinity() : output;
  };
  const auto count = std::min<std::int64_t>(most, static_cast<std::int64_t>(order.size()));
  std::ranges::partial_sort(order, order.begin() + count, [&](std::int64_t a, std::int64_t b) {
    return value(a) != value(b) ? value(a) > value(b) : a < b;
  });
  const std::vector<double> probabilities = probabilities_of(meaning.loss, outputs);
  std::vector<Candidate> best;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto k = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
    best.push_back(
        {.class_number = static_cast<std::int64_t>(k),
         .output = outputs[k],
         .probability = probabilities.empty() ? std::numeric_limits<double>::quiet_NaN() : probabilities[k]});
  }
  return best;
}

std::string text_line(const OutputMeaning& meaning, const std::string& input, std::span<const float> outputs,
                      std::int64_t most) {
  std::vector<std::string> parts;
  if (meaning.has_classes()) {
    for (const Candidate& each : best_classes(meaning, outputs, most)) {
      const std::string value =
          std::isnan(each.probability) ? fmt::format("{:.6g}", each.output) : in_percent(each.probability);
      parts.push_back(meaning.name_of(each.class_number) + ' ' + value);
    }
    return fmt::format("{}: {}\n", input, join(parts, ", "));
  }
  for (const float output : outputs.first(std::min(outputs.size(), kMostNumbersInText)))
    parts.push_back(fmt::format("{:.9g}", output));
  if (outputs.size() > kMostNumbersInText)
    parts.push_back(fmt::format("... ({} numbers; --json, --csv and --out have all)", outputs.size()));
  return fmt::format("{}: {}\n", input, join(parts, " "));
}

std::string json_line(const OutputMeaning& meaning, const std::string& input, std::span<const float> outputs,
                      std::int64_t most) {
  io::Json json{{"input", input}, {"outputs", io::Json::array()}};
  for (const float output : outputs) json["outputs"].push_back(static_cast<double>(output));
  if (meaning.has_classes()) {
    const auto described = [&](const Candidate& each) {
      return io::Json{{"class", each.class_number},
                      {"class_name", meaning.name_of(each.class_number)},
                      {"probability", each.probability}};
    };
    const std::vector<Candidate> best = best_classes(meaning, outputs, std::max<std::int64_t>(most, 1));
    json.update(described(best.front()));
    json["top"] = io::Json::array();
    for (const Candidate& each : best) json["top"].push_back(described(each));
  }
  return io::to_text(json) + '\n';
}

std::string csv_header(const OutputMeaning& meaning) {
  std::string line = "input";
  if (meaning.has_classes()) line += ",class,class_name,probability";
  for (std::int64_t k = 0; k < meaning.outputs; ++k) line += fmt::format(",output_{}", k);
  return line + '\n';
}

std::string csv_line(const OutputMeaning& meaning, const std::string& input, std::span<const float> outputs) {
  std::string line = csv_field(input);
  if (meaning.has_classes()) {
    const Candidate best = best_classes(meaning, outputs, 1).front();
    line += fmt::format(",{},{},{}", best.class_number, csv_field(meaning.name_of(best.class_number)),
                        std::isnan(best.probability) ? "" : shortest(best.probability));
  }
  for (const float output : outputs) line += fmt::format(",{:.9g}", output);
  return line + '\n';
}

struct PredictionsFile::Impl {
  Impl(const std::string& path, const OutputMeaning& its_meaning, std::int64_t samples)
      : meaning(its_meaning),
        pending(path, comm::Communicator::self(),
                samples * (meaning.outputs * static_cast<std::int64_t>(sizeof(float)) + 16)),
        file(io::File::create(pending.path(), comm::Communicator::self())) {}

  const OutputMeaning meaning;
  io::PendingFile pending;
  io::File file;
  std::int64_t written = 0;
};

PredictionsFile::PredictionsFile(const std::string& path, const OutputMeaning& meaning, std::int64_t samples,
                                 const std::string& checkpoint, const std::vector<std::string>& inputs)
    : impl_(std::make_unique<Impl>(path, meaning, samples)) {
  io::File& file = impl_->file;
  file.set_attribute("/", "format", std::string_view("convoy-predictions"));
  file.set_attribute("/", "format_version", std::int64_t{1});
  file.set_attribute("/", "checkpoint", std::string_view(checkpoint));
  file.set_attribute("/", "inputs", inputs);
  if (!meaning.class_names.empty()) file.set_attribute("/", "class_names", meaning.class_names);
  file.create_dataset<float>("/outputs", {samples, meaning.outputs});
  if (!meaning.has_classes()) return;
  file.create_dataset<std::int64_t>("/class", {samples});
  file.create_dataset<double>("/probability", {samples});
}

PredictionsFile::~PredictionsFile() = default;

void PredictionsFile::add(std::span<const float> outputs) {
  const auto size = static_cast<std::size_t>(impl_->meaning.outputs);
  const Range rows{impl_->written, impl_->written + static_cast<std::int64_t>(outputs.size() / size)};
  impl_->written = rows.end;
  impl_->file.write_rows<float>("/outputs", rows, outputs);
  if (!impl_->meaning.has_classes()) return;
  std::vector<std::int64_t> classes;
  std::vector<double> probabilities;
  for (std::size_t at = 0; at < outputs.size(); at += size) {
    const Candidate best = best_classes(impl_->meaning, outputs.subspan(at, size), 1).front();
    classes.push_back(best.class_number);
    probabilities.push_back(best.probability);
  }
  impl_->file.write_rows<std::int64_t>("/class", rows, classes);
  impl_->file.write_rows<double>("/probability", rows, probabilities);
}

void PredictionsFile::finish() {
  impl_->file.close();
  impl_->pending.commit();
}

}  // namespace convoy::predict
