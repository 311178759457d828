// convoy explain: shows the derivation on a small example, with numbers computed by the code that trains.

#include <fmt/core.h>

#include <iostream>
#include <limits>

#include "command.hpp"
#include "convoy/check/explanation.hpp"
#include "convoy/command_line/command_line.hpp"

namespace convoy::apps {

ExitStatus run_explain(const Arguments& arguments) {
  constexpr std::int64_t kMostExtent = 12;  // wider images fit no page, and nobody adds 144 terms on fingers
  CommandLine line(
      "explain", "convoy explain [options]",
      "The derivation of backpropagation in a convolution layer, worked on a small example in numbers:\n"
      "multilayer perceptron, cut connections, shared weights, convolution. Status 1 where two answers "
      "differ.");
  line.add_value("seed", "S", "of the example; default 1");
  line.add_value("size", "HxW", "of the image, each 1 to 12; default 4x4");
  line.add_value("kernel", "KHxKW", "of the kernel, no larger than the image; default 2x2");
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const auto seed =
      static_cast<std::uint64_t>(line.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  const auto size = line.size("size", {4, 4}, 1, kMostExtent);
  const auto kernel = line.size("kernel", {2, 2}, 1, kMostExtent);
  if (kernel.first > size.first || kernel.second > size.second) {
    throw ConfigError(
        fmt::format("--kernel {}x{} is larger than the image, --size {}x{} (a window must lie on the "
                    "image); make the kernel smaller or the image larger",
                    kernel.first, kernel.second, size.first, size.second));
  }
  const check::Example example = check::draw_example(seed, size, kernel);
  const auto derived = [&](check::Below below) {
    return check::derive(example.image, example.kernel, example.bias, example.target, below);
  };
  const check::Explanation explanation =
      check::explain(derived(check::Below::kImage), derived(check::Below::kSigmoid), seed);
  std::cout << explanation.text;
  return explanation.holds ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

}  // namespace convoy::apps
