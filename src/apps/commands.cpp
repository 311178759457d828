#include "command.hpp"
#include "convoy/import_commands/import_commands.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iomanip>
#include <iostream>

#include "convoy/command_line/command_line.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/launch/ranks.hpp"

namespace convoy::apps {

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"train", "train a network", run_train},
      {"lr-find", "find a learning rate: a sweep from low to high, with a suggestion", run_lr_find},
      {"eval", "loss and accuracy of a checkpoint on a data set", run_eval},
      {"predict", "what a checkpoint's network says of images", run_predict},
      {"import", "make a data set file from folders of images, or the files of published data sets",
       run_import},
      {"export", "write a checkpoint's network for other tools: ONNX, safetensors, PyTorch", run_export},
      {"import-weights", "make a checkpoint with the weights of another tool's file", run_import_weights},
      {"synth", "make a data set file of images the program draws itself", run_synth},
      {"verify", "do the steps between two checkpoints again and compare the bits", run_verify},
      {"inspect", "show what is in a data set or checkpoint, and check its checksums", run_inspect},
      {"gradcheck", "compare the gradients of a network with numeric ones, layer by layer", run_gradcheck},
      {"bench", "measure the machine, and every layer and the whole step of a configuration", run_bench},
      {"scaling", "predict what more ranks would make of a configuration", run_scaling},
      {"doctor", "look for what is wrong with a machine before a run meets it, and say what mends it",
       run_doctor},
      {"explain", "the derivation of a convolution layer, worked on a small example in numbers", run_explain},
  };
  return table;
}

namespace {

void print_help() {
  std::cout << "Usage: convoy <command> [options]\n\n"
               "Trains convolutional networks on CPU clusters: the same bits on any number of ranks and "
               "threads.\n\n"
               "Commands:\n";
  for (const Command& command : commands())
    std::cout << "  " << std::left << std::setw(16) << command.name << command.summary << '\n';
  std::cout << "\n'convoy <command> --help' explains one of them; 'convoy --version' shows the version.\n";
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names{"--help", "--version"};
  for (const Command& command : commands()) {
    if (command.name == name) return command;
    names.emplace_back(command.name);
  }
  const std::string kind = name.starts_with('-') ? "option " : "command ";
  throw ConfigError(fmt::format("unknown {}{}{}; 'convoy --help' lists the commands", kind, name,
                                config::did_you_mean(name, names)));
}

ExitStatus dispatch(const Arguments& arguments) {
  if (arguments.empty()) throw ConfigError("no command is given; 'convoy --help' lists the commands");
  const std::string& first = arguments.front();
  const bool is_known_alone =
      first == "--help" || first == "-h" || first == "--version" || first == kDescribe;
  if (is_known_alone && arguments.size() > 1)
    throw ConfigError(fmt::format("stray word '{}' after {}; 'convoy <command> --help' explains a command",
                                  arguments[1], first));
  if (first == "--help" || first == "-h") {
    print_help();
    return ExitStatus::kDone;
  }
  if (first == kDescribe) {
    for (const Command& command : commands())
      std::cout << "command\t" << command.name << '\t' << command.summary << '\n';
    return ExitStatus::kDone;
  }
  if (first == "--version") {
    std::cout << version_lines();
    return ExitStatus::kDone;
  }
  return find_command(first).run({arguments.begin() + 1, arguments.end()});
}

/// The word if it is the name of a command, else an empty string; for messages.
std::string_view command_name(const Arguments& arguments) {
  for (const Command& command : commands())
    if (!arguments.empty() && command.name == arguments.front()) return command.name;
  return {};
}

}  // namespace

int run_program(const Arguments& arguments) noexcept {
  try {
    const ExitStatus status = dispatch(arguments);
    std::cout.flush();
    if (!std::cout && status == ExitStatus::kDone)
      throw IoError(
          "standard output cannot be written (is the disk full?); what was printed is not complete");
    return static_cast<int>(status);
  } catch (...) {
    return static_cast<int>(launch::end_before_meeting(command_name(arguments), launch::current_failure()));
  }
}

}  // namespace convoy::apps
