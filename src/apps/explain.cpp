// convoy explain: shows the derivation on a small example, with numbers computed by the code that trains.

#include "explain.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>

#include "command.hpp"
#include "command_line.hpp"
#include "explain_text.hpp"

namespace convoy::apps {
namespace {

using check::Derivation;
using check::Image;

/// Number of sums printed in full per step; one if a kernel has more than kManyTaps weights.
constexpr std::int64_t kSums = 4;
constexpr std::size_t kManyTaps = 9;
/// Images with more columns are printed with fewer decimals.
constexpr std::int64_t kManyColumns = 9;
/// Maximum of inputs and of outputs for printing the perceptron's weights as a matrix.
constexpr std::size_t kWidestMatrix = 30;

std::string size_text(const Image& p) {
  return fmt::format("{}x{}", p.rows, p.columns);
}

/// "w(0,1)".
std::string place(std::string_view name, std::int64_t row, std::int64_t column) {
  return fmt::format("{}({},{})", name, row, column);
}

std::string digits(double value) {
  return number_text(value, 0);
}

/// The terms of a sum, each a product of two factors.
using Terms = std::vector<std::pair<std::string, std::string>>;

class Writer {
 public:
  Writer(const Derivation& plain, const Derivation& sigmoid, std::uint64_t seed)
      : d_(plain), sigmoid_(sigmoid), seed_(seed) {}

  Explanation write() {
    example();
    perceptron();
    cut();
    share();
    convolution();
    feed_forward();
    backpropagate();
    gradient();
    with_sigmoid();
    result_.text +=
        result_.holds
            ? "\nAll of it holds: the convolution layer is the perceptron with cut connections and shared "
              "weights.\n"
            : "\nNOT all of it holds: see the lines marked NO.\n";
    return std::move(result_);
  }

 private:
  void say(const std::string& line) { result_.text += line + '\n'; }

  /// A line that reports whether `claim` holds.
  void verdict(const std::string& claim, bool holds, const std::string& how = "") {
    result_.holds = result_.holds && holds;
    say(fmt::format("  => {}: {}{}", claim, holds ? "yes" : "NO", how));
  }

  void verdict_equal(const std::string& claim, const Image& a, const Image& b, const Derivation& d) {
    const double tolerance = check::equality_tolerance(d);
    const double difference = check::largest_difference(a, b);
    verdict(claim, difference <= tolerance,
            tolerance > 0
                ? fmt::format(" (largest difference {:.1e} of {:.1e} allowed)", difference, tolerance)
                : "");
  }

  [[nodiscard]] const Image& z() const { return d_.convolution.z; }
  [[nodiscard]] std::int64_t sums() const { return d_.kernel.values.size() > kManyTaps ? 1 : kSums; }

  void example() {
    say("A convolution layer is a multilayer perceptron with connections cut and weights shared.");
    say("(G. Gwardys 2016, notation of M. Nielsen. * is a true convolution: the kernel is flipped. Places "
        "are");
    say(fmt::format(
        "(row,column) from (0,0). Both sides are computed by the code that trains. Example of seed {}.)\n",
        seed_));
    result_.text += side_by_side({image_block("image a", d_.a), image_block("kernel w", d_.kernel),
                                  image_block("stored filter v = ROT180(w)", d_.stored),
                                  Block{"bias b", {digits(d_.bias)}}});
    const std::int64_t columns = z().columns;
    say("\n  The answer y asked for is 1 at " + place("", d_.target / columns, d_.target % columns) +
        " and 0 elsewhere. The cost is C = ½ Σ (y − z)²,\n  so δ = ∂C/∂z = z − y.");
    if (d_.kernel.values == d_.stored.values)
      say("  By chance this w is its own rotation: nothing below shows what the rotation is "
          "for.\n  Try another seed.");
  }

  void perceptron() {
    const std::size_t inputs = d_.a.values.size();
    const std::size_t outputs = z().values.size();
    say("\nStep 1. A multilayer perceptron: every output j sees every input k.");
    say("  feed-forward    z_j = Σ_k w_jk a_k + b_j");
    say("  backpropagate   δ_k = Σ_j w_jk δ_j           (times σ'(z_k) where a layer with σ lies below)");
    say("  gradient        ∂C/∂w_jk = a_k δ_j,   ∂C/∂b_j = δ_j");
    say(fmt::format("  {0} inputs and {1} outputs: {2} weights, {1} biases.", inputs, outputs,
                    inputs * outputs));
  }

  void cut() {
    const std::size_t all = d_.perceptron.weights.size();
    const std::size_t left = z().values.size() * d_.kernel.values.size();
    say(fmt::format(
        "\nStep 2. Cut connections: an output keeps the inputs under its {} window, {} connections of {}.",
        size_text(d_.kernel), left, all));
    const auto last = static_cast<std::int64_t>(z().values.size()) - 1;
    result_.text += side_by_side({window(0), window(last)});
  }

  /// The inputs that an output depends on.
  [[nodiscard]] Block window(std::int64_t output) const {
    Block block{"output " + place("", output / z().columns, output % z().columns) + " sees", {}};
    for (std::int64_t row = 0; row < d_.a.rows; ++row) {
      std::string line;
      for (std::int64_t column = 0; column < d_.a.columns; ++column)
        line += check::shared_weight(d_, output, row * d_.a.columns + column) < 0 ? ". " : "# ";
      block.lines.push_back(line);
    }
    return block;
  }

  void share() {
    const std::size_t weights = d_.kernel.values.size();
    say(fmt::format(
        "\nStep 3. Share weights: the same place in the window, the same weight; {} {} and 1 bias.", weights,
        weights == 1 ? "weight" : "weights"));
    const std::size_t inputs = d_.a.values.size();
    const std::size_t outputs = z().values.size();
    if (std::max(inputs, outputs) > kWidestMatrix) {
      say(fmt::format("  (As a matrix they are too large to print: {} x {}; try --size 4x4.)", outputs,
                      inputs));
      return;
    }
    say("  The perceptron's weights w_jk, a row an output, a column an input; '.' is cut:");
    for (std::size_t j = 0; j < outputs; ++j) {
      std::string line = "  ";
      for (std::size_t k = 0; k < inputs; ++k) {
        const bool is_cut =
            check::shared_weight(d_, static_cast<std::int64_t>(j), static_cast<std::int64_t>(k)) < 0;
        const std::string text = is_cut ? "." : digits(d_.perceptron.weights[j * inputs + k]);
        line += std::string(3 - text.size(), ' ') + text;
      }
      say(line);
    }
  }

  void convolution() {
    say("\nStep 4. What is left is a convolution.");
    say("  feed-forward    z(x,y) = Σ_i Σ_j w(i,j) a(x−i,y−j) + b = (w * a)(x,y) + b");
    say("  backpropagate   δ_a(x,y) = Σ_i Σ_j δ(x+i,y+j) w(i,j) = (δ * ROT180(w))(x,y)   (times σ'(z))");
    say("  gradient        ∂C/∂w(i,j) = Σ_x Σ_y δ(x,y) a(x−i,y−j) = (δ * ROT180(a))(i,j),   ∂C/∂b = Σ δ");
    if (d_.kernel.rows > 1 || d_.kernel.columns > 1)
      say("  Its first output whose terms all exist is z" +
          place("", d_.kernel.rows - 1, d_.kernel.columns - 1) +
          "; below it is printed as z(0,0), and δ likewise.");
  }

  /// Terms of the sum over the window of output (x, y), w first, as numbers or as names.
  [[nodiscard]] Terms window_terms(std::int64_t x, std::int64_t y, bool names) const {
    Terms terms;
    for (std::int64_t ky = 0; ky < d_.kernel.rows; ++ky) {
      for (std::int64_t kx = 0; kx < d_.kernel.columns; ++kx) {
        const std::int64_t i = d_.kernel.rows - 1 - ky;
        const std::int64_t j = d_.kernel.columns - 1 - kx;
        terms.emplace_back(names ? place("w", i, j) : digits(d_.kernel.at(i, j)),
                           names ? place("a", x + ky, y + kx) : digits(d_.a.at(x + ky, y + kx)));
      }
    }
    return terms;
  }

  /// Prints the sums of the first elements of `answer`; terms(x, y, names) gives the terms.
  template <class Maker>
  void on_fingers(const std::string& name, const Image& answer, const std::string& last_name,
                  const std::string& last, const Maker& terms) {
    const auto all = static_cast<std::int64_t>(answer.values.size());
    for (std::int64_t n = 0; n < std::min(sums(), all); ++n) {
      const std::int64_t x = n / answer.columns;
      const std::int64_t y = n % answer.columns;
      const std::string label = place(name, x, y);
      if (n == 0) result_.text += checksum_text(label, terms(x, y, true), last_name, "");
      result_.text +=
          checksum_text(n == 0 ? std::string(label.size() - (name.size() - shown(name)), ' ') : label,
                        terms(x, y, false), last, digits(answer.at(x, y)));
    }
    if (all > sums()) say("  … and so on for the others.");
  }

  /// Number of columns of a name that contains Greek letters or '∂'.
  [[nodiscard]] static std::size_t shown(const std::string& name) {
    return static_cast<std::size_t>(std::count_if(
        name.begin(), name.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  }

  void feed_forward() {
    say("\nFeed-forward, on fingers");
    on_fingers("z", z(), "b", digits(d_.bias),
               [&](std::int64_t x, std::int64_t y, bool names) { return window_terms(x, y, names); });
    result_.text += side_by_side({image_block("z of the perceptron", d_.perceptron.z),
                                  image_block("z of the convolution layer", d_.convolution.z)});
    verdict_equal("the same, number for number", d_.perceptron.z, d_.convolution.z, d_);
  }

  void backpropagate() {
    say("\nBackpropagate, on fingers");
    result_.text += side_by_side({image_block("δ = z − y", d_.convolution.delta),
                                  image_block("kernel w", d_.kernel), image_block("ROT180(w)", d_.stored)});
    on_fingers("δ_a", d_.convolution.delta_below, "", "", [&](std::int64_t x, std::int64_t y, bool names) {
      Terms terms;
      for (std::int64_t i = 0; i < d_.kernel.rows; ++i) {
        for (std::int64_t j = 0; j < d_.kernel.columns; ++j) {
          const std::int64_t row = x - (d_.kernel.rows - 1) + i;
          const std::int64_t column = y - (d_.kernel.columns - 1) + j;
          if (row < 0 || row >= z().rows || column < 0 || column >= z().columns) continue;
          terms.emplace_back(names ? place("δ", row, column) : digits(d_.convolution.delta.at(row, column)),
                             names ? place("w", i, j) : digits(d_.kernel.at(i, j)));
        }
      }
      return terms;
    });
    result_.text += side_by_side({image_block("δ_a of the perceptron", d_.perceptron.delta_below),
                                  image_block("δ_a of the convolution layer", d_.convolution.delta_below)});
    verdict_equal("the same, number for number", d_.perceptron.delta_below, d_.convolution.delta_below, d_);
    result_.text += side_by_side({image_block("δ * ROT180(w), full", d_.rotated_delta),
                                  image_block("δ * w, without the rotation", d_.unrotated_delta)});
    rotation(d_, "δ_a");
  }

  void rotation(const Derivation& d, const std::string& name) {
    verdict_equal(name + " is the full convolution with ROT180(w)", d.rotated_delta,
                  d.convolution.delta_below, d);
    const auto is_zero = [](double value) { return value == 0; };
    if (d.kernel.values == d.stored.values) {
      say("  => without the rotation it would be the same here, for this w is its own rotation.");
    } else if (std::all_of(d.convolution.delta.values.begin(), d.convolution.delta.values.end(), is_zero)) {
      say("  => without the rotation it would be the same here, for δ is 0: z is the answer asked for.");
    } else {
      verdict("without the rotation it is wrong",
              check::largest_difference(d.unrotated_delta, d.convolution.delta_below) >
                  check::equality_tolerance(d));
    }
  }

  void gradient() {
    say("\nGradient, on fingers: ∂C/∂w(i,j) is summed over all connections that share w(i,j)");
    on_fingers("∂C/∂w", d_.convolution.gradient, "", "", [&](std::int64_t i, std::int64_t j, bool names) {
      Terms terms;
      for (std::int64_t x = 0; x < z().rows; ++x) {
        for (std::int64_t y = 0; y < z().columns; ++y) {
          const std::int64_t row = x + d_.kernel.rows - 1 - i;
          const std::int64_t column = y + d_.kernel.columns - 1 - j;
          terms.emplace_back(names ? place("δ", x, y) : digits(d_.convolution.delta.at(x, y)),
                             names ? place("a", row, column) : digits(d_.a.at(row, column)));
        }
      }
      return terms;
    });
    result_.text += side_by_side({image_block("∂C/∂w of the perceptron", d_.perceptron.gradient),
                                  image_block("∂C/∂w of the convolution layer", d_.convolution.gradient),
                                  image_block("δ * ROT180(a)", d_.gradient)});
    verdict_equal("the same, number for number", d_.perceptron.gradient, d_.convolution.gradient, d_);
    verdict_equal("it is the convolution with ROT180(a)", d_.gradient, d_.convolution.gradient, d_);
    result_.text +=
        side_by_side({Block{"∂C/∂b of the perceptron", {digits(d_.perceptron.bias_gradient)}},
                      Block{"∂C/∂b of the convolution layer", {digits(d_.convolution.bias_gradient)}}});
    verdict("the same, the sum of δ", d_.perceptron.bias_gradient == d_.convolution.bias_gradient);
  }

  void with_sigmoid() {
    const Derivation& d = sigmoid_;
    const int decimals = d.a.columns > kManyColumns ? 2 : 4;
    say("\nThe same with a layer below: the image is z^l, a^l = σ(z^l), and σ'(z^l) = a^l (1 − a^l)");
    result_.text += side_by_side({image_block("z^l", d.below), image_block("a^l = σ(z^l)", d.a, decimals)});
    const auto both = [&](const std::string& name, const Image& perceptron, const Image& convolution) {
      result_.text += side_by_side({image_block(name + " of the perceptron", perceptron, decimals),
                                    image_block(name + " of the convolution layer", convolution, decimals)});
      verdict_equal("the same", perceptron, convolution, d);
    };
    both("z", d.perceptron.z, d.convolution.z);
    both("δ^l", d.perceptron.delta_below, d.convolution.delta_below);
    say("  δ^l = (δ * ROT180(w)) · σ'(z^l):");
    rotation(d, "it");
    both("∂C/∂w", d.perceptron.gradient, d.convolution.gradient);
    verdict_equal("it is δ * ROT180(a^l)", d.gradient, d.convolution.gradient, d);
  }

  const Derivation& d_;
  const Derivation& sigmoid_;
  std::uint64_t seed_;
  Explanation result_;
};

}  // namespace

Explanation explain(const Derivation& plain, const Derivation& with_sigmoid, std::uint64_t seed) {
  return Writer(plain, with_sigmoid, seed).write();
}

ExitStatus run_explain(const Arguments& arguments) {
  constexpr std::int64_t kMostExtent = 12;  // wider images do not fit on a page
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
  const Explanation explanation =
      explain(derived(check::Below::kImage), derived(check::Below::kSigmoid), seed);
  std::cout << explanation.text;
  return explanation.holds ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

}  // namespace convoy::apps
