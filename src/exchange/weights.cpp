#include "convoy/exchange/weights.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/exchange/onnx.hpp"
#include "convoy/exchange/safetensors.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/optim/optimizers.hpp"
#include "npz.hpp"

namespace convoy::exchange {
namespace {

constexpr std::size_t kMostListed = 8;

/// "a, b, c and 4 more".
std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kMostListed);
  std::string text = join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  return names.size() > shown ? text + fmt::format(" and {} more", names.size() - shown) : text;
}

/// "", "model.", "model.module.", … as far as all names begin so.
std::vector<std::string> common_prefixes(const std::vector<ExportedTensor>& tensors) {
  std::vector<std::string> prefixes{""};
  while (!tensors.empty()) {
    const std::size_t dot = tensors.front().name.find('.', prefixes.back().size());
    if (dot == std::string::npos) break;
    const std::string longer = tensors.front().name.substr(0, dot + 1);
    const bool is_common = std::ranges::all_of(
        tensors, [&](const ExportedTensor& tensor) { return tensor.name.starts_with(longer); });
    if (!is_common) break;
    prefixes.push_back(longer);
  }
  return prefixes;
}

/// Finds the tensors of a file by their names in the network.
class Names {
 public:
  Names(const std::vector<ExportedTensor>& tensors, const NamePairs& names)
      : tensors_(tensors), prefixes_(common_prefixes(tensors)), names_(names.begin(), names.end()) {}

  /// Null if there is none.
  [[nodiscard]] const ExportedTensor* find(const std::string& name) const {
    const auto other = names_.find(name);
    if (other != names_.end()) return named(other->second);
    const ExportedTensor* found = nullptr;
    for (std::size_t i = 0; i < prefixes_.size() && found == nullptr; ++i) found = named(prefixes_[i] + name);
    return found;
  }

 private:
  [[nodiscard]] const ExportedTensor* named(const std::string& name) const {
    const auto found = std::ranges::find(tensors_, name, &ExportedTensor::name);
    return found == tensors_.end() ? nullptr : &*found;
  }

  const std::vector<ExportedTensor>& tensors_;
  std::vector<std::string> prefixes_;
  std::map<std::string, std::string> names_;
};

}  // namespace

std::vector<ExportedTensor> read_weights(const std::string& path) {
  if (!io::exists(path))
    throw ConfigError(fmt::format("there is no file {}; name one of .safetensors, .npz or .onnx", path));
  const auto ends = [&](std::string_view end) { return path.ends_with(end); };
  if (!ends(".safetensors") && !ends(".npz") && !ends(".onnx"))
    throw ConfigError(fmt::format(
        "{} has another ending than .safetensors, .npz and .onnx, which say how to read it", path));
  constexpr std::int64_t kMostBytes = std::int64_t{64} << 30;
  const std::string bytes = io::read_text_file(path, kMostBytes);
  if (ends(".safetensors")) return safetensors_tensors(bytes, path);
  return ends(".npz") ? npz_tensors(bytes, path) : onnx_tensors(bytes, path);
}

NamePairs read_names(const std::string& path) {
  NamePairs names;
  std::string text = io::read_text_file(path);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string> words = split_words(text.substr(0, std::min(text.find('#'), end)));
    if (!words.empty() && words.size() != 2)
      throw ConfigError(
          fmt::format("{}:{}: a line has two names, the network's and the file's", path, number));
    if (!words.empty()) names.emplace_back(words[0], words[1]);
    text.erase(0, end + 1);
  }
  return names;
}

ImportReport import_weights(predict::TrainedNetwork& trained, const std::vector<ExportedTensor>& tensors,
                            const NamePairs& names, const std::string& path) {
  const Names file(tensors, names);
  ImportReport report;
  std::vector<std::string> missing;
  std::vector<std::string> wrong;
  std::vector<std::pair<const ExportedTensor*, float*>> copies;
  const auto match = [&](const std::vector<nn::Tensor>& own, std::span<float> values) {
    const std::vector<std::string> own_names = exported_names(own);
    for (std::size_t i = 0; i < own.size(); ++i) {
      const ExportedTensor* found = file.find(own_names[i]);
      if (found == nullptr) {
        missing.push_back(own_names[i]);
      } else if (found->dims != own[i].dims) {
        wrong.push_back(
            fmt::format("{} is {}, not {}", found->name, to_string(found->dims), to_string(own[i].dims)));
      } else {
        copies.emplace_back(found, values.data() + own[i].offset);
        report.matches.push_back({.name = own_names[i], .source = found->name, .dims = own[i].dims});
      }
    }
  };
  match(trained.network.parameters(), trained.state.parameters);
  match(trained.network.statistics(), trained.state.statistics);
  for (const ExportedTensor& tensor : tensors) {
    const bool is_used = std::ranges::any_of(copies, [&](const auto& copy) { return copy.first == &tensor; });
    if (!is_used) report.unused.push_back(tensor.name);
  }
  if (!missing.empty())
    throw DataError(
        fmt::format("{} lacks {} of the network (it has besides: {}); --names FILE says which is which", path,
                    listed(missing), report.unused.empty() ? "nothing" : listed(report.unused)));
  if (!wrong.empty()) throw DataError(fmt::format("{} is of another network: {}", path, listed(wrong)));
  for (const auto& [tensor, values] : copies) {
    const bool is_finite =
        std::ranges::all_of(tensor->values, [](float value) { return std::isfinite(value); });
    if (!is_finite)
      throw DataError(fmt::format("{} of {} holds a number that is not finite", tensor->name, path));
  }
  for (const auto& [tensor, values] : copies) std::ranges::copy(tensor->values, values);
  return report;
}

void write_imported(const predict::TrainedNetwork& trained, const std::string& path,
                    const std::string& source) {
  // With the optimizer's states, which are zero.
  model::State state =
      model::make_state(trained.network, optim::make_optimizer(trained.options.optimizer).get());
  std::ranges::copy(trained.state.parameters, state.parameters.begin());
  std::ranges::copy(trained.state.statistics, state.statistics.begin());
  const model::WriterGroup group(comm::Communicator::self(), model::Writers::kOne, trained.network, state);
  model::CheckpointHeader header = trained.header;
  header.progress = {};
  header.fit_begin = {};
  model::write_checkpoint(path, group, trained.network, header,
                          model::take_snapshot(group, trained.network, state), {{"weights", source}}, 0,
                          [] {});
}

}  // namespace convoy::exchange
