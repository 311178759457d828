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
  };
}

}  // namespace convoy::config
