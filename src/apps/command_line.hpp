#pragma once
// One command's command line: what it takes, its --help, and strict parsing (src/CONTRACT.md, "Command
// line"). Every value is text until somebody asks for it as a number. Called by the commands of the apps
// room.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/shape.hpp"

namespace convoy::apps {

/// What --version prints: "convoy 0.1.0", and its MPI and HDF5, a line each.
[[nodiscard]] std::string version_lines();

/// Describe (add_…, expect_words), then parse once, then ask. All errors are ConfigErrors naming the option
/// or word, its value and what would be right.
class CommandLine {
 public:
  /// `usage` is the line(s) after "Usage: ", e.g. "convoy inspect FILE"; `about` a sentence or two for
  /// --help.
  CommandLine(std::string command, std::string usage, std::string about);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// --name, present or not.
  void add_flag(const std::string& name, const std::string& help);
  /// --name VALUE, at most once; `value_name` is what --help shows for VALUE.
  void add_value(const std::string& name, const std::string& value_name, const std::string& help);
  /// --config FILE and every --section.key VALUE; read them with configuration().
  void add_configuration();
  /// How many words that are no options the command takes; without this call, none.
  void expect_words(std::size_t least, std::size_t most);

  /// Parses. False where --help, --version or --describe was asked for and has been printed: there is nothing
  /// more to do.
  [[nodiscard]] bool parse(const Arguments& arguments);

  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> text(const std::string& name) const;
  /// text() of an option the command cannot do without.
  [[nodiscard]] std::string required_text(const std::string& name) const;
  /// An integer in [least, most]; `otherwise` where the option is absent.
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t otherwise, std::int64_t least,
                                     std::int64_t most) const;
  /// A number in [least, most]; `otherwise` where the option is absent.
  [[nodiscard]] double number(const std::string& name, double otherwise, double least, double most) const;
  /// Two integers "HxW", each in [least, most].
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> size(const std::string& name,
                                                           std::pair<std::int64_t, std::int64_t> otherwise,
                                                           std::int64_t least, std::int64_t most) const;
  /// Three integers "CxHxW", each in [1, most]; nothing where the option is absent.
  [[nodiscard]] std::optional<Shape> shape(const std::string& name, std::int64_t most) const;
  /// The words that are no options, in order.
  [[nodiscard]] const std::vector<std::string>& words() const;
  /// The run that --config files and --section.key options describe; reads the files now.
  [[nodiscard]] config::Options configuration() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::apps
