#include "convoy/launch/progress_line.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace convoy::launch {
namespace {

using std::chrono::milliseconds;

ProgressLine::Time at(int passed) {
  return ProgressLine::Time{} + std::chrono::hours(1) + milliseconds(passed);
}

TEST(ProgressLine, IsALineAfterASecondAndThenEveryFewInALog) {
  std::ostringstream out;
  ProgressLine line(out, false);
  for (int ms = 0; ms <= 10000; ms += 500) line.show("train", ms / 10, 4000, at(ms));
  line.clear();
  EXPECT_EQ(out.str(),
            "train: 100 of 4,000 images, 100 a second, 0:39 left\n"
            "train: 600 of 4,000 images, 100 a second, 0:34 left\n");
}

TEST(ProgressLine, SaysNothingOfWhatIsOverSoon) {
  std::ostringstream out;
  ProgressLine line(out, false);
  line.show("train", 0, 10, at(0));
  line.show("train", 10, 10, at(999));
  line.clear();
  EXPECT_EQ(out.str(), "");
}

TEST(ProgressLine, IsRedrawnAndTakenAwayOnATerminal) {
  std::ostringstream out;
  ProgressLine line(out, true);
  line.show("train", 0, 300, at(0));
  line.show("train", 10, 300, at(50));  // too soon
  line.show("train", 20, 300, at(100));
  line.show("test", 5, 10, at(150));
  line.show("test", 7, 10, at(200));
  line.clear();
  line.clear();
  EXPECT_EQ(out.str(),
            "\rtrain: 20 of 300 images, 200 a second, 0:01 left\033[K"
            "\rtest: 7 of 10 images, 40 a second, 0:00 left\033[K"
            "\r\033[K");
}

}  // namespace
}  // namespace convoy::launch
