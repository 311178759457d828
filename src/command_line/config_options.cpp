#include "config_options.hpp"

#include <fmt/core.h>

#include <cctype>

#include "convoy/config/keys.hpp"
#include "convoy/core/text.hpp"

namespace convoy::apps {
namespace po = boost::program_options;

namespace {

std::string description(const config::Key& key) {
  std::string text = fmt::format("{}. {}{}", key.help, static_cast<char>(std::toupper(key.allowed.front())),
                                 key.allowed.substr(1));
  const std::vector<std::string> preset = key.write(config::Options{});
  if (key.need != config::Need::kDefault) {
    text += "; no default";
  } else if (!preset.empty() && !preset.front().empty()) {
    text += "; default " + preset.front();
  }
  if (key.effect != config::Effect::kBits) text += "; may differ on --resume";
  return text;
}

}  // namespace

po::options_description command_line_options() {
  constexpr unsigned kLineLength = 110;
  po::options_description all(
      "Configuration (an INI file's [section] and key; the command line beats every file)", kLineLength);
  all.add_options()("config", po::value<std::vector<std::string>>()->value_name("FILE")->composing(),
                    "INI file to read; may be repeated, later files beat earlier ones");
  for (const config::Key& key : config::keys()) {
    auto* value = po::value<std::vector<std::string>>()->value_name(key.value_name)->composing();
    all.add_options()(key.name.c_str(), value, description(key).c_str());
  }
  return all;
}

po::options_description options_of_groups(const std::vector<std::string>& arguments) {
  po::options_description found;
  for (const std::string& argument : arguments) {
    if (!argument.starts_with("--")) continue;
    const std::string name = argument.substr(2, argument.find('=') - 2);
    const std::string_view group = config::group_of_section(name.substr(0, name.rfind('.')));
    if (group.empty() || group == config::kAnyGroup || !config::find_key(name) ||
        found.find_nothrow(name, false) != nullptr)
      continue;
    found.add_options()(name.c_str(), po::value<std::vector<std::string>>()->composing(), "");
  }
  return found;
}

config::Options load_config(const po::parsed_options& parsed, config::For what) {
  std::vector<std::string> files;
  std::vector<config::Setting> settings;
  for (const po::option& option : parsed.options) {
    if (option.value.empty()) continue;
    if (option.string_key == "config") files.push_back(option.value.front());
    if (config::find_key(option.string_key))
      settings.push_back({option.string_key, option.value.front(), std::string(config::kCommandLine)});
  }
  return config::load(files, settings, what);
}

}  // namespace convoy::apps
