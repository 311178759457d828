#include "convoy/step/micro_batches.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::step {
namespace {

TEST(CheckRanks, AsManyRanksAsMicroBatchesAreRight) {
  Options options;
  options.batch = 20;
  options.micro_batch = 6;
  EXPECT_NO_THROW(check_ranks(options, 4));
  EXPECT_THROW(check_ranks(options, 5), ConfigError);
}

TEST(CheckRanks, TheMicroBatchThatItNamesIsTheLargestThatWouldDo) {
  Options options;
  options.batch = 20;
  options.micro_batch = 20;
  for (int ranks = 2; ranks <= 20; ++ranks) {
    std::int64_t largest = 20;
    while (ceil_div(20, largest) < ranks) --largest;
    EXPECT_HOLDS(test::message_of<ConfigError>([&] { check_ranks(options, ranks); }),
                 "train.micro-batch = " + std::to_string(largest) + " or less would do");
  }
  EXPECT_HOLDS(test::message_of<ConfigError>([&] { check_ranks(options, 21); }), "at most 20 ranks");
}

}  // namespace
}  // namespace convoy::step
