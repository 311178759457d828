// convoy inspect: prints the contents of a Convoy file and verifies its checksums.

#include <fmt/core.h>

#include <filesystem>
#include <iostream>

#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/data/describe.hpp"
#include "convoy/hdf5/child_process.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/model/checkpoint.hpp"

namespace convoy::apps {
namespace {

/// Verify the checksum first: libhdf5 may crash on a damaged file.
data::Description describe(const std::string& file) {
  const io::ChecksumResult checksum = io::verify_checksum(file);
  if (checksum.damaged()) return {fmt::format("{}: {}\n", file, checksum.detail), false};
  if (checksum.state == io::ChecksumState::kAbsent) {
    // A checkpoint is read completely, which may take long.
    constexpr std::int64_t kBytesPerSecond = std::int64_t{64} << 20;
    io::ChildLimits limits;
    limits.seconds += io::file_size(file) / kBytesPerSecond;
    const auto read_if_checkpoint = [&] {
      if (model::is_checkpoint(file)) (void)model::describe_checkpoint(file);
    };
    io::run_in_child(file, read_if_checkpoint, limits);
  }
  if (!model::is_checkpoint(file)) return data::describe(file);
  // Every checkpoint is written with a checksum; without one, another program has changed it.
  return {fmt::format("{}  {}\n", model::describe_checkpoint(file), checksum.detail),
          checksum.state == io::ChecksumState::kGood};
}

}  // namespace

ExitStatus run_inspect(const Arguments& arguments) {
  CommandLine line(
      "inspect", "convoy inspect FILE",
      "Shows what is in a data set or checkpoint, reads all of it and checks its checksums. Status 1 where "
      "one does\nnot hold. Two checkpoints hold the same bits if their 'hash of /model and /optimizer' is "
      "the same.");
  line.expect_words(1, 1);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const std::string& file = line.words()[0];
  if (!std::filesystem::exists(file))
    throw ConfigError("there is no file " + file + "; name a data set or checkpoint");
  const data::Description found = describe(file);
  std::cout << found.text;
  return found.sound ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

}  // namespace convoy::apps
