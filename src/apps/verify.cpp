// convoy verify: repeats the steps between two checkpoints and compares the bits.

#include <fmt/core.h>

#include <chrono>
#include <iostream>

#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/progress_line.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/launch/terminal.hpp"
#include "convoy/verify/compare_runs.hpp"
#include "convoy/verify/replay.hpp"

namespace convoy::apps {
namespace {

void print_differences(const verify::ReplayResult& result) {
  constexpr std::size_t kMost = 10;
  for (std::size_t i = 0; i < result.differences.size() && i < kMost; ++i) {
    const verify::Difference& each = result.differences[i];
    std::cout << fmt::format("  {}: {}, first [{}], there {:.9g}, here {:.9g}\n", each.path,
                             counted(each.count, "number"), each.first, each.in_file, each.replayed);
  }
  if (result.differences.size() > kMost)
    std::cout << "  and "
              << counted(static_cast<std::int64_t>(result.differences.size() - kMost), "more tensor") << '\n';
}

ExitStatus verify_runs(const CommandLine& line, const comm::Communicator& world) {
  launch::ProgressLine progress(std::cout, launch::standard_output_is_terminal());
  const verify::RunsRequest request{.a = line.words().front(),
                                    .b = line.words().back(),
                                    .data = line.text("data").value_or(""),
                                    .threads = line.integer("threads", 0, 0, 4096),
                                    .isa = kernels::choose_isa(),
                                    .progress = [&](std::int64_t done, std::int64_t all) {
                                      progress.show("done again", done, all, std::chrono::steady_clock::now(),
                                                    "steps");
                                    }};
  const verify::RunsComparison result = verify::compare_runs(world, request);
  progress.clear();
  if (world.is_root()) std::cout << verify::to_text(result, request);
  return result.agrees() ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

ExitStatus verify_steps(const CommandLine& line, const comm::Communicator& world) {
  const std::string from = line.required_text("from");
  config::Options options;
  io::agreed(world, [&] {
    model::require_sound_checkpoint(from);
    options = config::from_checkpoint(model::read_checkpoint_header(from).config, from);
  });
  if (const auto data = line.text("data")) options.data.file = *data;
  if (options.data.file.empty())
    throw ConfigError(from + " does not say which data set it was trained on; name it with --data");
  options.threads = line.integer("threads", 0, 0, 4096);

  launch::ProgressLine progress(std::cout, launch::standard_output_is_terminal());
  const verify::ReplayResult result =
      verify::replay(options, world,
                     {.from = from,
                      .to = line.required_text("to"),
                      .isa = kernels::choose_isa(),
                      .progress = [&](std::int64_t done, std::int64_t all) {
                        progress.show("done again", done, all, std::chrono::steady_clock::now(), "steps");
                      }});
  progress.clear();
  if (!result.other_data.empty()) {
    if (world.is_root())
      std::cout << "OTHER DATA: " << options.data.file << " is not what " << from
                << " was trained on (its checksum is " << result.other_data << ", there "
                << result.from.data_digest << "); no step was done again\n";
    return ExitStatus::kCheckFailed;
  }
  const bool agrees = result.differences.empty();
  if (world.is_root()) {
    std::cout << counted(result.steps, "step") << " from step " << grouped(result.from.progress.step)
              << " to " << grouped(result.to.progress.step) << " done again on "
              << counted(world.size(), "rank") << ", " << result.isa << ": "
              << (agrees ? "the same bits" : "OTHER BITS") << '\n';
    print_differences(result);
    if (!agrees && !kernels::same_bits(result.to.isa, kernels::parse_isa(result.isa)))
      std::cout << line.required_text("to") << " was written with instruction set " << result.to.isa
                << ", which makes other bits; CONVOY_ISA=" << result.to.isa
                << " replays with it where the processor has it\n";
  }
  return agrees ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

}  // namespace

ExitStatus run_verify(const Arguments& arguments) {
  CommandLine line(
      "verify",
      "[mpirun …] convoy verify --from A.h5 --to B.h5 [options]\n"
      "       [mpirun …] convoy verify --runs A B [options]",
      "Does the steps between two checkpoints of a run again, on any number of ranks and threads, "
      "and compares\nevery bit of network, optimizer and progress. Writes nothing. Status 0: the "
      "same; 1: a wrong machine,\nprogram or file, or another instruction set. --runs tells where two runs "
      "part: "
      "the first checkpoint,\nthe first step and what in it, as far as they recorded their steps "
      "(run.hashes), and "
      "which of them\nis as the steps done again here.");
  line.add_value("from", "A.h5", "the earlier checkpoint; its configuration is used");
  line.add_value("to", "B.h5", "the later one");
  line.add_flag("runs", "A and B, the words of the command, are the run.dir of two runs");
  line.add_value("data", "F.h5", "the data set, where it is not where the run found it");
  line.add_value("threads", "N", "threads of a rank; default 0: as train chooses them");
  line.expect_words(0, 2);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const bool compares_runs = line.has("runs");
  if (compares_runs != (line.words().size() == 2) || (compares_runs && (line.has("from") || line.has("to"))))
    throw ConfigError("--runs takes two folders and neither --from nor --to: convoy verify --runs A B");
  if (!compares_runs) {
    (void)line.required_text("from");
    (void)line.required_text("to");
  }
  return launch::run_with_ranks("verify", [&](const comm::Communicator& world) {
    return compares_runs ? verify_runs(line, world) : verify_steps(line, world);
  });
}

}  // namespace convoy::apps
