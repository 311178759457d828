// `convoy train` in which CONVOY_TEST_FLIP=WHAT:RANK:STEP flips one bit: of what ranks compare at start
// (build, configuration, data; step 0), of the parameters after step STEP, or of each gradient of an
// operation and micro-batch in step STEP; gradient@N: of operation N alone. Without the variable it is
// `convoy train`.

#include <cstdlib>

#include "apps/command.hpp"
#include "apps/train.hpp"
#include "convoy/core/text.hpp"
#include "convoy/launch/ranks.hpp"

namespace {

using namespace convoy;

struct Flip {
  std::string what;
  std::int64_t operation = -1;  // all
  std::int64_t rank = -1;
  std::int64_t step = -1;
};

Flip flip_from_environment() {
  const char* text = std::getenv("CONVOY_TEST_FLIP");
  if (text == nullptr) return {};
  const std::string all = text;
  const auto first = all.find(':');
  const auto second = all.rfind(':');
  const auto rank = parse_integer(all.substr(first + 1, second - first - 1));
  const auto step = parse_integer(all.substr(second + 1));
  if (first == second || !rank || !step)
    throw ConfigError("CONVOY_TEST_FLIP=" + all + " is not WHAT:RANK:STEP");
  Flip flip{.what = all.substr(0, first), .rank = *rank, .step = *step};
  if (const auto at = flip.what.find('@'); at != std::string::npos) {
    flip.operation = parse_integer(flip.what.substr(at + 1)).value();
    flip.what.resize(at);
  }
  return flip;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Flip flip = flip_from_environment();
    step::Hooks hooks;
    hooks.corrupt = [flip](std::string_view what, int operation, int rank, std::int64_t step,
                           std::span<std::byte> bytes) {
      if (what == flip.what && rank == flip.rank && step == flip.step &&
          (flip.operation < 0 || operation == flip.operation))
        bytes[bytes.size() / 2] ^= std::byte{1};
    };
    return static_cast<int>(apps::run_train_with_hooks({argv + 1, argv + argc}, hooks));
  } catch (...) {
    const launch::Failure failure = launch::current_failure();
    launch::print_failure("train", failure.message);
    return static_cast<int>(failure.status);
  }
}
