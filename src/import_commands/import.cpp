// convoy import: converts published data sets, arrays and folders of images to a data set file.

#include <fmt/core.h>

#include <algorithm>

#include "convoy/command_line/command_line.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/text.hpp"
#include "convoy/import_commands/import_commands.hpp"
#include "dataset_command.hpp"
#include "import_formats.hpp"

namespace convoy::apps {
namespace {

const std::vector<ImportFormat>& formats() {
  static const std::vector<ImportFormat> table = {mnist_format(), cifar10_format(), cifar100_format(),
                                                  stl10_format(), idx_format(),     npz_format(),
                                                  mat_format(),   folder_format(),  files_format()};
  return table;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const ImportFormat& format : formats()) names.push_back(format.name);
  return names;
}

const ImportFormat& find_format(const std::string& name) {
  const auto found = std::ranges::find(formats(), name, &ImportFormat::name);
  if (found != formats().end()) return *found;
  throw ConfigError(fmt::format("unknown format {}{}; import takes {}", name,
                                config::did_you_mean(name, format_names()), join(format_names(), ", ")));
}

bool has_option(const ImportFormat& format, const std::string& name) {
  return std::ranges::find(format.options, name, &ImportOption::name) != format.options.end();
}

/// Every option once, with the help of each format that has it.
std::vector<ImportOption> all_options() {
  std::vector<ImportOption> all;
  for (const ImportFormat& format : formats()) {
    for (const ImportOption& option : format.options) {
      const auto known = std::ranges::find(all, option.name, &ImportOption::name);
      if (known != all.end()) continue;
      std::vector<std::string> helps;
      std::vector<std::string> values;
      std::vector<std::pair<std::string, std::string>> by_help;  // names of formats, help
      for (const ImportFormat& other : formats()) {
        const auto same = std::ranges::find(other.options, option.name, &ImportOption::name);
        if (same == other.options.end()) continue;
        if (std::ranges::find(values, same->value) == values.end()) values.push_back(same->value);
        const auto told =
            std::ranges::find(by_help, same->help, &std::pair<std::string, std::string>::second);
        if (told == by_help.end())
          by_help.emplace_back(other.name, same->help);
        else
          told->first += ", " + other.name;
      }
      for (const auto& [names, help] : by_help) helps.push_back(names + ": " + help);
      all.push_back({option.name, join(values, "|"), join(helps, "; ")});
    }
  }
  return all;
}

/// A line for the formats that take the same words.
std::string usage() {
  std::vector<std::pair<std::string, std::string>> lines;  // words, names of formats
  for (const ImportFormat& format : formats()) {
    const auto same = std::ranges::find(lines, format.usage, &std::pair<std::string, std::string>::first);
    if (same == lines.end())
      lines.emplace_back(format.usage, format.name);
    else
      same->second += '|' + format.name;
  }
  std::string text;
  for (const auto& [words, names] : lines)
    text += fmt::format("{}convoy import {} {} --out F.h5 [options]", text.empty() ? "" : "\n       ", names,
                        words);
  return text;
}

/// In lines of at most 104 characters; all but the first are indented.
std::string wrapped(const std::string& text) {
  constexpr std::size_t kMost = 104;
  std::string lines;
  std::size_t used = 0;
  for (const std::string& word : split_words(text)) {
    const bool is_full = used + 1 + word.size() > kMost;
    lines += lines.empty() ? "" : is_full ? "\n  " : " ";
    used = is_full ? 2 + word.size() : used + 1 + word.size();
    lines += word;
  }
  return lines;
}

std::string about() {
  std::string text = "Makes a data set file.\n";
  for (const ImportFormat& format : formats())
    text += wrapped(fmt::format("{}: {}{}", format.name, format.about,
                                &format == &formats().back() ? "." : ";")) +
            '\n';
  return text + "SIGINT and SIGTERM stop it with status 130 and 143, and leave F.h5 as it was.";
}

void require_own_options(const CommandLine& line, const ImportFormat& format) {
  for (const ImportOption& option : all_options()) {
    if (!line.has(option.name) || has_option(format, option.name)) continue;
    std::vector<std::string> owners;
    for (const ImportFormat& other : formats())
      if (has_option(other, option.name)) owners.push_back(other.name);
    throw ConfigError(fmt::format("--{} goes with import {} alone, not with {}; leave it out", option.name,
                                  join(owners, ", "), format.name));
  }
}

}  // namespace

ExitStatus import_alone(const std::string& out,
                        const std::function<importers::ImportReport(importers::Observer& observer)>& make) {
  return make_dataset_alone("import", [&](importers::Observer& observer, const Say& say) {
    const importers::ImportReport report = make(observer);
    std::string text =
        fmt::format("Made {}: {}, {}", out, to_string(report.shape), counted(report.classes, "class"));
    for (const importers::ImportReport::Split& split : report.splits)
      text += fmt::format(", {} in {}", counted(split.samples, "image"), split.name);
    text += '.';
    for (const std::string& note : report.notes) text += '\n' + note;
    say(text);
  });
}

importers::FilePair pair_of(const CommandLine& line, const std::string& prefix) {
  return {line.text(prefix + "images").value_or(""), line.text(prefix + "labels").value_or("")};
}

std::vector<ImportOption> label_options() {
  return {
      {"label-values", "auto|as-is|sorted",
       "classes 0 to K-1 are labels 0 to K-1 or 1 to K (auto, default), the labels themselves, or the values "
       "that occur, in ascending order"},
      {"zero-is", "V", "label V means 0 (SVHN: 10)"}};
}

importers::LabelRules label_rules(const CommandLine& line) {
  using Values = importers::LabelRules::Values;
  importers::LabelRules rules;
  constexpr std::array kValues{Values::kAuto, Values::kAsIs, Values::kSorted};
  rules.values = kValues.at(line.choice("label-values", {"auto", "as-is", "sorted"}));
  constexpr std::int64_t kMost = 1 << 20;
  if (line.has("zero-is")) rules.zero = line.integer("zero-is", 0, -kMost, kMost);
  return rules;
}

ExitStatus run_import(const Arguments& arguments) {
  CommandLine line("import", usage(), about());
  line.add_value("out", "F.h5", "file to write; one that is there is replaced when the new one is whole");
  for (const ImportOption& option : all_options()) line.add_value(option.name, option.value, option.help);
  std::size_t most = 0;
  for (const ImportFormat& format : formats()) most = std::max(most, format.most_words);
  line.expect_words(1, 1 + most);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const ImportFormat& format = find_format(line.words().front());
  const std::size_t words = line.words().size() - 1;
  if (words < format.least_words || words > format.most_words)
    throw ConfigError(fmt::format("import {} takes {}, not {}; 'convoy import --help' shows what it takes",
                                  format.name, format.usage,
                                  counted(static_cast<std::int64_t>(words), "word")));
  require_own_options(line, format);
  return format.run(line);
}

}  // namespace convoy::apps
