#pragma once
// The command line of one command: its options, its --help, and strict parsing (src/CONTRACT.md, "Command
// line"). Values are stored as text and converted on request. Called by the commands of the apps room.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/config/config.hpp"
#include "convoy/core/shape.hpp"

namespace convoy::apps {

/// The words after the command's name.
using Arguments = std::vector<std::string>;

/// --help for programs: as the only word, or as the only word after a command, it prints lines of fields
/// separated by tabs (`command`, name, summary; `usage`, text; `about`, text; `option` or `configuration`,
/// names, value, help). The man page and the shell's completion are made from it (src/apps/pages); --help
/// does not list it.
inline constexpr std::string_view kDescribe = "--describe";

/// Output of --version: "convoy 0.1.0", then MPI and HDF5, one line each.
[[nodiscard]] std::string version_lines();

/// Order of calls: describe (add_…, expect_words), parse once, read values. All errors are ConfigErrors that
/// name the option or word, its value and the valid values.
class CommandLine {
 public:
  /// `usage` is the line(s) after "Usage: ", e.g. "convoy inspect FILE"; `about` is one or two sentences for
  /// --help.
  CommandLine(std::string command, std::string usage, std::string about);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// A flag --name.
  void add_flag(const std::string& name, const std::string& help);
  /// --name VALUE; of several the last counts. --help shows `value_name` for VALUE.
  void add_value(const std::string& name, const std::string& value_name, const std::string& help);
  /// --config FILE and every --section.key VALUE; read them with configuration().
  void add_configuration();
  /// Sets the number of positional words; without this call, none.
  void expect_words(std::size_t least, std::size_t most);

  /// Parses. False if --help, --version or --describe was given and has been printed: the command is then
  /// done.
  [[nodiscard]] bool parse(const Arguments& arguments);

  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> text(const std::string& name) const;
  /// text() of a required option.
  [[nodiscard]] std::string required_text(const std::string& name) const;
  /// An integer in [least, most]; `otherwise` if the option is absent.
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t otherwise, std::int64_t least,
                                     std::int64_t most) const;
  /// A number in [least, most]; `otherwise` if the option is absent.
  [[nodiscard]] double number(const std::string& name, double otherwise, double least, double most) const;
  /// The index of the value in `choices`; 0 if the option is absent.
  [[nodiscard]] std::size_t choice(const std::string& name, const std::vector<std::string>& choices) const;
  /// Two integers "HxW", each in [least, most].
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> size(const std::string& name,
                                                           std::pair<std::int64_t, std::int64_t> otherwise,
                                                           std::int64_t least, std::int64_t most) const;
  /// Three integers "CxHxW", each in [1, most]; no value if the option is absent.
  [[nodiscard]] std::optional<Shape> shape(const std::string& name, std::int64_t most) const;
  /// The positional words, in order.
  [[nodiscard]] const std::vector<std::string>& words() const;
  /// The run described by --config files and --section.key options; reads the files now.
  [[nodiscard]] config::Options configuration(config::For what = config::For::kRun) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::apps
