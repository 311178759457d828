// convoy import-weights: a checkpoint with weights from a file of another tool.

#include <fmt/core.h>

#include <iostream>

#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/exchange/weights.hpp"

namespace convoy::apps {
ExitStatus run_import_weights(const Arguments& arguments) {
  CommandLine line(
      "import-weights", "convoy import-weights FILE --checkpoint F.h5 --out OUT.h5",
      "Makes a checkpoint with the weights of FILE (.safetensors, .npz or .onnx) for the network of another\n"
      "checkpoint, which also gives the input's transform and the classes ('convoy train' writes one before\n"
      "its first step with checkpoint.at-start = yes). Every tensor of the network must be in FILE, under "
      "the\n"
      "name that 'convoy export' gives it or a name from --names. Eval, predict and train --resume read "
      "OUT.h5.");
  line.add_value("checkpoint", "F.h5", "the network, as a file of run.dir/checkpoints");
  line.add_value("out", "OUT.h5", "the file to make");
  line.add_value("names", "NAMES",
                 "a text file: on each line a tensor's name in the network, and its name in FILE");
  line.expect_words(1, 1);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const std::string& file = line.words().front();
  const std::string out = line.required_text("out");
  predict::TrainedNetwork trained =
      predict::read_trained_network(line.required_text("checkpoint"), comm::Communicator::self());
  const exchange::NamePairs names =
      line.has("names") ? exchange::read_names(line.required_text("names")) : exchange::NamePairs{};
  const exchange::ImportReport report =
      exchange::import_weights(trained, exchange::read_weights(file), names, file);
  exchange::write_imported(trained, out, file);
  for (const exchange::Match& match : report.matches)
    std::cout << fmt::format("  {:32} {:16} from {}\n", match.name, to_string(match.dims), match.source);
  for (const std::string& unused : report.unused) std::cout << fmt::format("  not used: {}\n", unused);
  std::cout << fmt::format("Made {}: {} from {}.\n", out,
                           counted(static_cast<std::int64_t>(report.matches.size()), "tensor"), file);
  return ExitStatus::kDone;
}

}  // namespace convoy::apps
