#pragma once
// Configuration: INI texts and settings of the command line become a checked Options
// (src/CONTRACT.md, "Configuration"), and Options become the effective INI again.
//
// What can be set is one table (src/config/keys.cpp); parsing, help and the effective INI are made from it.
// What needs the data set or the network (shapes, grammar of a layer, length of the warm-up) is checked where
// those are built. Called by the apps room and by tests.

#include <string>
#include <string_view>
#include <vector>

#include "convoy/config/keys.hpp"
#include "convoy/config/options.hpp"

namespace convoy::config {

/// One `key = value` as somebody wrote it. Nothing is known of its correctness yet.
struct Setting {
  std::string key;     ///< with its section: "train.batch"
  std::string value;   ///< without blanks at either end
  std::string origin;  ///< "configs/lenet5-mnist.ini:31" or "command line"
};

/// The settings of an INI text, in order; `name` stands before the line number in every origin. Throws
/// ConfigError naming the line for what is no INI: unknown section, missing '=', missing key or value,
/// control characters.
[[nodiscard]] std::vector<Setting> read_ini(std::string_view text, const std::string& name);

/// The settings of a file of at most 1 MiB. Throws ConfigError where it does not exist, is a directory or
/// cannot be read.
[[nodiscard]] std::vector<Setting> read_ini_file(const std::string& path);

/// The run that `files` and then `command_line` describe: later beats earlier, everything beats the defaults,
/// and layer lines of a later source replace all earlier ones. Throws ConfigError for an unknown key, a wrong
/// value, a key set twice in one source, a missing key that has no default, and for keys that contradict each
/// other.
[[nodiscard]] Options load(const std::vector<std::string>& files, const std::vector<Setting>& command_line);

/// The same from settings, lowest precedence first; one inner list a source.
[[nodiscard]] Options make_options(const std::vector<std::vector<Setting>>& sources);

/// The run that made checkpoint `file`, from its attribute `config`. Only the keys of [network] and
/// [schedule] must be there: evaluation needs neither run.dir nor data.file. Throws DataError: a wrong text
/// means a wrong checkpoint.
[[nodiscard]] Options from_checkpoint(std::string_view text, const std::string& file);

/// Every key with its effective value, as an INI text that load() turns into equal Options (origins of layers
/// aside), numbers to the bit. A value with '#' cannot stand in an INI file: its line becomes a comment that
/// says so.
[[nodiscard]] std::string effective_ini(const Options& options);

/// A key whose value in a stored configuration is another one.
struct Difference {
  std::string key;
  std::string there;  ///< in the text; several values joined by " | "
  std::string here;   ///< in the Options
  Effect effect = Effect::kBits;
};

/// In what `options` differ from the configuration `text` that a checkpoint holds, key by key in the order of
/// the table. A key that the text lacks stood for its default; keys that this program does not know decide
/// bits. A value with '#' cannot be compared: no INI text holds it. Throws ConfigError as read_ini().
[[nodiscard]] std::vector<Difference> differences(std::string_view text, const std::string& name,
                                                  const Options& options);

}  // namespace convoy::config
