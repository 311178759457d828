// convoy inspect: what is in a file of ours, and whether its sums hold.

#include <filesystem>
#include <iostream>

#include "convoy/apps/command.hpp"
#include "convoy/apps/command_line.hpp"
#include "convoy/data/describe.hpp"

namespace convoy::apps {

ExitStatus run_inspect(const Arguments& arguments) {
  CommandLine line(
      "inspect", "convoy inspect FILE",
      "Shows what is in a data set, reads all of it and checks its sums. Status 1 where one does not hold.");
  line.expect_words(1, 1);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const std::string& file = line.words()[0];
  if (!std::filesystem::exists(file)) throw ConfigError("there is no file " + file + "; name a data set");
  const data::Description found = data::describe(file);
  std::cout << found.text;
  return found.sound ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

}  // namespace convoy::apps
