#pragma once
// The configuration options of a command line: `--config FILE` and one `--section.key VALUE` for every key.

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "convoy/config/config.hpp"

namespace convoy::apps {

/// `--config` and, section by section, all keys with their allowed values and defaults: for parsing and for
/// --help.
[[nodiscard]] boost::program_options::options_description command_line_options();

/// The options of groups of parameters among `arguments`: their names are the user's, so
/// command_line_options() has none of them. For parsing alone.
[[nodiscard]] boost::program_options::options_description options_of_groups(
    const std::vector<std::string>& arguments);

/// The run described by a parsed command line. `parsed` must have been made with command_line_options() among
/// its options. Ignores options that are not configuration keys. Throws ConfigError as config::load() does.
[[nodiscard]] config::Options load_config(const boost::program_options::parsed_options& parsed,
                                          config::For what = config::For::kRun);

}  // namespace convoy::apps
