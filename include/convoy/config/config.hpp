#pragma once
// Configuration: converts INI texts and command-line settings to checked Options (src/CONTRACT.md,
// "Configuration"), and Options to the effective INI.
//
// One table defines all keys (src/config/keys/); parsing, help and the effective INI use it. Checks that
// need the data set or the network (shapes, syntax of a layer, length of the warm-up) are in the code that
// builds these. Called by the apps room and by tests.

#include <string>
#include <string_view>
#include <vector>

#include "convoy/config/keys.hpp"
#include "convoy/config/options.hpp"

namespace convoy::config {

/// One unchecked `key = value`.
struct Setting {
  std::string key;     ///< with its section: "train.batch"
  std::string value;   ///< without leading and trailing blanks
  std::string origin;  ///< "configs/lenet5-mnist.ini:31" or kCommandLine
};
inline constexpr std::string_view kCommandLine = "command line";

/// What Options are for.
enum class For {
  kRun,    ///< a run, which needs run.dir
  kTrial,  ///< a command that writes nothing there
  kPart,   ///< a few keys of a run, each judged by itself
};

/// Reads the settings of an INI text, in order; `name` precedes the line number in every origin. Throws
/// ConfigError with the line for a syntax error: unknown section, missing '=', missing key or value, control
/// characters.
[[nodiscard]] std::vector<Setting> read_ini(std::string_view text, const std::string& name);

/// Reads the settings of a file of at most 1 MiB. Throws ConfigError if the file does not exist, is a
/// directory or cannot be read.
[[nodiscard]] std::vector<Setting> read_ini_file(const std::string& path);

/// Makes Options from `files`, then `command_line`. Later sources override earlier ones, and all override the
/// defaults; layer lines of a later source replace all earlier ones. Throws ConfigError for an unknown key, a
/// wrong value, a key set twice in one file (on the command line the last one counts), a missing key without
/// a default, and for contradicting keys.
[[nodiscard]] Options load(const std::vector<std::string>& files, const std::vector<Setting>& command_line,
                           For what = For::kRun);

/// The same from settings, lowest precedence first; one inner list per source.
[[nodiscard]] Options make_options(const std::vector<std::vector<Setting>>& sources);

/// The same for a fit of the library, which needs neither run.dir nor data.file.
[[nodiscard]] Options make_library_options(const std::vector<std::vector<Setting>>& sources);

/// Makes the Options of the run that wrote checkpoint `file`, from the attribute `config`. Only the keys of
/// [network] and [schedule] are required: evaluation needs neither run.dir nor data.file. Throws DataError,
/// because a wrong text means a damaged checkpoint.
[[nodiscard]] Options from_checkpoint(std::string_view text, const std::string& file);

/// Every key with its effective value as an INI text. load() reads it back into equal Options (except for
/// origins of layers), numbers bit for bit. An INI file cannot hold a value with '#'; its line becomes a
/// comment with an explanation.
[[nodiscard]] std::string effective_ini(const Options& options);

/// A key with a different value in a stored configuration.
struct Difference {
  std::string key;
  std::string there;  ///< value in the text; several values joined by " | "
  std::string here;   ///< value in the Options
  Effect effect = Effect::kBits;
};

/// The differences between `options` and the configuration `text` of a checkpoint, in the order of the table.
/// A key missing in the text has its default value; unknown keys count as Effect::kBits. Values with '#' are
/// not compared, because no INI text holds them. Throws ConfigError as read_ini() does.
[[nodiscard]] std::vector<Difference> differences(std::string_view text, const std::string& name,
                                                  const Options& options);

}  // namespace convoy::config
