// The keys of [network].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {
namespace {

Key layer_key() {
  return {.name = "network.layer",
          .value_name = "LINE",
          .allowed = "a layer without '#'",
          .help =
              "one layer, in order, e.g. 'conv 32 3x3 pad=1'; repeat it. The layers given last replace all "
              "others",
          .need = Need::kAlways,
          .times = Times::kOrdered,
          .read =
              [](Options& options, const std::string& value, const std::string& origin) {
                // A checkpoint stores its network as INI text, in which '#' starts a comment.
                if (value.find('#') != std::string::npos) return false;
                options.layers.push_back({value, origin});
                return true;
              },
          .write =
              [](const Options& options) {
                std::vector<std::string> lines;
                std::size_t depth = 0;  // inside blocks { … }; reading removes the indentation
                for (const nn::LayerText& layer : options.layers) {
                  if (layer.text.starts_with('}') && depth > 0) --depth;
                  lines.push_back(std::string(2 * depth, ' ') + layer.text);
                  if (layer.text.ends_with('{')) ++depth;
                }
                return lines;
              }};
}

/// None, balanced, or a number of 0 or more for each class.
Key class_weights_key() {
  return {
      .name = "network.class-weights",
      .value_name = "LIST",
      .allowed =
          "none, balanced, or a number from 0 to 1e30 for each class, separated by blanks, one above 0",
      .help =
          "factor of each sample's loss in training, by its class; balanced: N/(K n_k), from the N training "
          "samples, the K classes that occur and their n_k samples",
      .read =
          [](Options& options, const std::string& value, const std::string&) {
            std::vector<double> weights;
            const std::string word = in_lower_case(value);
            for (const std::string& each : split_words(value)) {
              if (word == "none" || word == "balanced") break;
              const auto weight = parse_number(each);
              if (!weight || *weight < 0 || *weight > 1e30) return false;
              weights.push_back(*weight);
            }
            if (!weights.empty() && *std::ranges::max_element(weights) == 0) return false;
            options.loss.balances_classes = word == "balanced";
            options.loss.class_weights = std::move(weights);
            return true;
          },
      .write =
          [](const Options& options) {
            const nn::LossFunction& loss = options.loss;
            if (loss.balances_classes) return std::vector<std::string>{"balanced"};
            std::vector<std::string> words;
            for (const double weight : loss.class_weights) words.push_back(shortest(weight));
            return std::vector<std::string>{words.empty() ? "none" : join(words, " ")};
          }};
}

}  // namespace

std::vector<Key> network_keys() {
  constexpr std::int64_t kMillion = 1'000'000;
  return {
      layer_key(),
      integer_key(
          "network.outputs", [](auto& o) -> auto& { return o.outputs; }, {0, kMillion},
          "outputs of the last dense or conv layer, whatever its line says; 0: as it says"),
      required(choice_key(
          "network.loss", [](auto& o) -> auto& { return o.loss.kind; }, nn::loss_names(),
          "what is minimised; both cross-entropies take classes and logits, the others targets or one-hot "
          "classes")),
      number_key(
          "network.huber-delta", [](auto& o) -> auto& { return o.loss.huber_delta; }, usable_rate,
          "a number above 0, at most 1e30",
          "huber: errors up to it count half their square, larger ones grow linearly"),
      number_key(
          "network.label-smoothing", [](auto& o) -> auto& { return o.loss.label_smoothing; },
          [](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1",
          "softmax-cross-entropy: the part of a label that is spread over all classes alike"),
      number_key(
          "network.focal-gamma", [](auto& o) -> auto& { return o.loss.focal_gamma; },
          [](double x) { return x >= 0 && x <= 100; }, "a number from 0 to 100",
          "cross-entropies: the focal loss, which multiplies a logarithm by (1 - p)^gamma, p the probability "
          "of "
          "the truth; not with label-smoothing"),
      class_weights_key(),
  };
}

}  // namespace convoy::config
