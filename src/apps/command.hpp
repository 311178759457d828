#pragma once
// The commands of `convoy` and their common main function. A new command is src/apps/<name>.cpp with a run
// function, declared here, and one line in the table of src/apps/commands.cpp. Commands missing in the table
// are not listed.

#include <string>
#include <string_view>
#include <vector>

#include "convoy/command_line/command_line.hpp"
#include "convoy/core/error.hpp"

namespace convoy::apps {

struct Command {
  std::string_view name;
  std::string_view summary;  ///< one line for `convoy --help`
  /// Runs the command; prints its normal output, throws Error on every failure.
  ExitStatus (*run)(const Arguments& arguments);
};

/// All commands of this build, in the order of `convoy --help`.
[[nodiscard]] const std::vector<Command>& commands();

/// The whole program; `arguments` excludes the name of the program. Prints an error once, to standard error,
/// as `convoy <command>: <message>`; returns the exit status. Never throws.
[[nodiscard]] int run_program(const Arguments& arguments) noexcept;

ExitStatus run_bench(const Arguments& arguments);
ExitStatus run_doctor(const Arguments& arguments);
ExitStatus run_eval(const Arguments& arguments);
ExitStatus run_explain(const Arguments& arguments);
ExitStatus run_export(const Arguments& arguments);
ExitStatus run_gradcheck(const Arguments& arguments);
ExitStatus run_import_weights(const Arguments& arguments);
ExitStatus run_inspect(const Arguments& arguments);
ExitStatus run_lr_find(const Arguments& arguments);
ExitStatus run_predict(const Arguments& arguments);
ExitStatus run_scaling(const Arguments& arguments);
ExitStatus run_verify(const Arguments& arguments);
ExitStatus run_train(const Arguments& arguments);

}  // namespace convoy::apps
