#include "convoy/command_line/command_line.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "config_options.hpp"
#include "convoy/comm/communicator.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/hdf5/file.hpp"

namespace convoy::apps {
namespace po = boost::program_options;

namespace {

constexpr unsigned kLineLength = 110;
constexpr const char* kWords = "words that are no options";  // cannot be typed as an option name

/// Joins the lines of a text into one line.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string range_text(std::int64_t least, std::int64_t most) {
  return fmt::format("an integer from {} to {}", grouped(least), grouped(most));
}

}  // namespace

std::string version_lines() {
  return fmt::format("convoy {}\nMPI: {}\nHDF5: {}\nDecodes in HDF5 files: {}\n", version(),
                     comm::Environment::library_version(), io::hdf5_version(), io::hdf5_compressors());
}

struct CommandLine::Impl {
  std::string command;
  std::string usage;
  std::string about;
  po::options_description options{"Options", kLineLength};
  po::options_description configuration;
  std::size_t least_words = 0;
  std::size_t most_words = 0;

  po::parsed_options parsed{nullptr};
  std::map<std::string, std::string> values;  // flags have the value ""
  std::vector<std::string> words;

  [[noreturn]] void fail(const std::string& problem) const {
    throw ConfigError(fmt::format("{}; 'convoy {} --help' shows what it takes", problem, command));
  }

  [[nodiscard]] std::vector<std::string> option_names() const {
    std::vector<std::string> names;
    for (const auto* group : {&options, &configuration})
      for (const auto& option : group->options()) names.push_back("--" + option->long_name());
    return names;
  }

  void parse(const Arguments& arguments) {
    po::options_description all;
    all.add(options).add(configuration);
    if (!configuration.options().empty()) all.add(options_of_groups(arguments));
    all.add_options()(kWords, po::value<std::vector<std::string>>());
    po::positional_options_description positional;
    positional.add(kWords, -1);
    namespace style = po::command_line_style;
    try {
      parsed = po::command_line_parser(arguments)
                   .options(all)
                   .positional(positional)
                   .style(style::unix_style & ~style::allow_guessing)
                   .run();
    } catch (const po::unknown_option& error) {
      fail("unknown option " + error.get_option_name() +
           config::did_you_mean(error.get_option_name(), option_names()));
    } catch (const po::error& error) {
      fail(error.what());
    }
    for (const po::option& option : parsed.options) sort_in(option);
  }

  void sort_in(const po::option& option) {
    const std::string value = option.value.empty() ? std::string() : option.value.front();
    if (option.string_key == kWords) {
      words.push_back(value);
    } else if (options.find_nothrow(option.string_key, false)) {
      values.insert_or_assign(option.string_key, value);  // the last wins
    }
  }

  /// One line per option: `kind`, names, value, help.
  static void describe(const po::options_description& group, std::string_view kind) {
    for (const auto& option : group.options()) {
      const std::string other = option->canonical_display_name(po::command_line_style::allow_dash_for_short);
      const bool takes_value = option->semantic()->max_tokens() > 0;
      std::cout << kind << '\t' << (other.starts_with('-') ? other + " " : "") << "--" << option->long_name()
                << '\t' << (takes_value ? option->semantic()->name() : "") << '\t'
                << one_line(option->description()) << '\n';
    }
  }

  void describe() const {
    for (std::size_t begin = 0; begin < usage.size();) {
      const std::size_t end = std::min(usage.find('\n', begin), usage.size());
      const std::size_t text = std::min(usage.find_first_not_of(' ', begin), end);
      std::cout << "usage\t" << usage.substr(text, end - text) << '\n';
      begin = end + 1;
    }
    std::cout << "about\t" << one_line(about) << '\n';
    describe(options, "option");
    describe(configuration, "configuration");
  }

  void check_words() const {
    if (words.size() > most_words) {
      const std::string& word = words[most_words];
      const bool is_file = !configuration.options().empty() && word.ends_with(".ini");
      fail("stray word '" + word + "'" + (is_file ? " (did you mean --config " + word + "?)" : ""));
    }
    if (words.size() < least_words) fail("something is missing (usage: " + usage + ")");
  }
};

CommandLine::CommandLine(std::string command, std::string usage, std::string about)
    : impl_(std::make_unique<Impl>()) {
  impl_->command = std::move(command);
  impl_->usage = std::move(usage);
  impl_->about = std::move(about);
  impl_->options.add_options()("help,h", "show this and do nothing")("version",
                                                                     "show the version and do nothing");
}

CommandLine::~CommandLine() = default;

void CommandLine::add_flag(const std::string& name, const std::string& help) {
  impl_->options.add_options()(name.c_str(), help.c_str());
}

void CommandLine::add_value(const std::string& name, const std::string& value_name, const std::string& help) {
  impl_->options.add_options()(name.c_str(), po::value<std::string>()->value_name(value_name), help.c_str());
}

void CommandLine::add_configuration() {
  impl_->configuration.add(command_line_options());
}

void CommandLine::expect_words(std::size_t least, std::size_t most) {
  impl_->least_words = least;
  impl_->most_words = most;
}

bool CommandLine::parse(const Arguments& arguments) {
  if (arguments == Arguments{std::string(kDescribe)}) {
    impl_->describe();
    return false;
  }
  impl_->parse(arguments);
  if (has("version")) {
    std::cout << version_lines();
    return false;
  }
  if (has("help")) {
    std::cout << "Usage: " << impl_->usage << "\n\n" << impl_->about << "\n\n" << impl_->options;
    if (!impl_->configuration.options().empty()) std::cout << impl_->configuration;
    return false;
  }
  impl_->check_words();
  return true;
}

bool CommandLine::has(const std::string& name) const {
  return impl_->values.contains(name);
}

std::optional<std::string> CommandLine::text(const std::string& name) const {
  const auto found = impl_->values.find(name);
  return found == impl_->values.end() ? std::nullopt : std::optional(found->second);
}

std::string CommandLine::required_text(const std::string& name) const {
  const std::optional<std::string> value = text(name);
  if (!value) impl_->fail("--" + name + " is missing (there is no default)");
  return *value;
}

std::int64_t CommandLine::integer(const std::string& name, std::int64_t otherwise, std::int64_t least,
                                  std::int64_t most) const {
  const std::optional<std::string> value = text(name);
  if (!value) return otherwise;
  const auto number = parse_integer(*value);
  if (!number || *number < least || *number > most)
    impl_->fail("--" + name + " '" + *value + "' is not " + range_text(least, most));
  return *number;
}

double CommandLine::number(const std::string& name, double otherwise, double least, double most) const {
  const std::optional<std::string> value = text(name);
  if (!value) return otherwise;
  const auto number = parse_number(*value);
  if (!number || *number < least || *number > most)
    impl_->fail("--" + name + " '" + *value + "' is not a number from " + shortest(least) + " to " +
                shortest(most));
  return *number;
}

std::size_t CommandLine::choice(const std::string& name, const std::vector<std::string>& choices) const {
  const std::string value = text(name).value_or(choices.front());
  const auto found = std::ranges::find(choices, value);
  if (found == choices.end()) impl_->fail("--" + name + " '" + value + "' is not " + join(choices, " or "));
  return static_cast<std::size_t>(found - choices.begin());
}

std::pair<std::int64_t, std::int64_t> CommandLine::size(const std::string& name,
                                                        std::pair<std::int64_t, std::int64_t> otherwise,
                                                        std::int64_t least, std::int64_t most) const {
  const std::optional<std::string> value = text(name);
  if (!value) return otherwise;
  const auto pair = parse_pair(*value);
  if (!pair || std::min(pair->first, pair->second) < least || std::max(pair->first, pair->second) > most)
    impl_->fail("--" + name + " '" + *value + "' is not HEIGHTxWIDTH, each " + range_text(least, most));
  return *pair;
}

std::optional<Shape> CommandLine::shape(const std::string& name, std::int64_t most) const {
  const std::optional<std::string> value = text(name);
  if (!value) return std::nullopt;
  const std::size_t first = value->find('x');
  const auto channels = parse_integer(value->substr(0, first));
  const auto size = first == std::string::npos ? std::nullopt : parse_pair(value->substr(first + 1));
  if (!channels || !size || std::min({*channels, size->first, size->second}) < 1 ||
      std::max({*channels, size->first, size->second}) > most)
    impl_->fail("--" + name + " '" + *value + "' is not CHANNELSxHEIGHTxWIDTH, each " + range_text(1, most));
  return Shape{*channels, size->first, size->second};
}

const std::vector<std::string>& CommandLine::words() const {
  return impl_->words;
}

config::Options CommandLine::configuration(config::For what) const {
  return load_config(impl_->parsed, what);
}

}  // namespace convoy::apps
