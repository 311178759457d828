#include "convoy/library/options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy {
namespace {

constexpr const char* kOrigin = "options";

}  // namespace

bool Options::concerns_fit(std::string_view key) {
  const std::string_view section = key.substr(0, key.find('.'));
  if (section == "data") {
    constexpr std::string_view kUsed[] = {"data.normalize", "data.shuffle", "data.augment", "data.order",
                                          "data.window"};
    return std::ranges::find(kUsed, key) != std::end(kUsed);
  }
  constexpr std::string_view kSections[] = {"train", "optimizer", "schedule", "comm"};
  return key == "run.threads" || std::ranges::find(kSections, section) != std::end(kSections);
}

Option::Option(std::string name, double number) : key(std::move(name)), value(shortest(number)) {}

Options::Options(std::initializer_list<Option> options) {
  for (const Option& option : options) set(option);
}

Options Options::read(const std::string& ini_file) {
  Options options;
  for (config::Setting& setting : config::read_ini_file(ini_file)) {
    // Reports unknown keys later, with the line.
    if (!config::find_key(setting.key) || concerns_fit(setting.key))
      options.settings_.push_back(std::move(setting));
  }
  return options;
}

void Options::set(const Option& option) {
  if (!config::find_key(option.key))
    throw ConfigError(fmt::format("unknown key {}{}; configs/README.md lists all keys", option.key,
                                  config::suggest_key(option.key)));
  if (!concerns_fit(option.key))
    throw ConfigError(
        fmt::format("{} = '{}' has no use in a fit: the program that calls it has the data, the network and "
                    "the files; leave it out",
                    option.key, option.value));
  std::erase_if(settings_, [&](const config::Setting& setting) { return setting.key == option.key; });
  settings_.push_back({.key = option.key, .value = option.value, .origin = kOrigin});
}

config::Options Options::with_network(const std::vector<std::string>& lines,
                                      const nn::LossFunction& loss) const {
  if (std::ranges::find(settings_, "schedule.lr", &config::Setting::key) == settings_.end())
    throw ConfigError("schedule.lr is missing (there is no default); set it, e.g. to 0.1");
  std::vector<config::Setting> network{
      {.key = "network.loss", .value = std::string(nn::to_string(loss.kind)), .origin = "the model"}};
  for (const std::string& line : lines)
    network.push_back({.key = "network.layer", .value = line, .origin = "the model"});
  config::Options options = config::make_library_options({network, settings_});
  options.loss = loss;
  return options;
}

}  // namespace convoy
