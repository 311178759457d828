#include <gtest/gtest.h>

#include "apps/command.hpp"
#include "convoy/core/version.hpp"

namespace convoy::apps {
namespace {

struct Outcome {
  int status = 0;
  std::string output;
  std::string errors;
};

Outcome run(const Arguments& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = run_program(arguments);
  return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(Program, HelpListsEveryCommandWithItsSummary) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.status, 0);
  for (const Command& command : commands()) {
    EXPECT_NE(outcome.output.find("  " + std::string(command.name) + " "), std::string::npos) << command.name;
    EXPECT_NE(outcome.output.find(command.summary), std::string::npos) << command.name;
  }
}

TEST(Program, EveryCommandHasHelpThatEndsWithStatusZero) {
  for (const Command& command : commands()) {
    const Outcome outcome = run({std::string(command.name), "--help"});
    EXPECT_EQ(outcome.status, 0) << command.name;
    const std::string usage = outcome.output.substr(0, outcome.output.find('\n'));
    EXPECT_TRUE(usage.starts_with("Usage: ")) << usage;
    EXPECT_NE(usage.find("convoy " + std::string(command.name)), std::string::npos) << usage;
    EXPECT_EQ(outcome.errors, "") << command.name;
  }
}

TEST(Program, TellsItsVersion) {
  const std::string told = run({"--version"}).output;
  EXPECT_TRUE(told.starts_with("convoy " + std::string(version()) + "\nMPI: ")) << told;
  EXPECT_NE(told.find("\nHDF5: 1."), std::string::npos) << told;
  EXPECT_EQ(run({"train", "--version"}).output, told);
}

TEST(Program, RefusesAnUnknownCommandAndNamesTheNearest) {
  const Outcome outcome = run({"inspekt"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors,
            "convoy: unknown command inspekt (did you mean inspect?); 'convoy --help' lists the commands\n");
}

TEST(Program, RefusesToDoNothing) {
  EXPECT_EQ(run({}).status, 2);
}

TEST(Program, PrintsACommandsErrorOnceWithItsName) {
  const Outcome outcome = run({"inspect", "/nowhere/a.h5"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.errors,
            "convoy inspect: there is no file /nowhere/a.h5; name a data set or checkpoint\n");
}

}  // namespace
}  // namespace convoy::apps
