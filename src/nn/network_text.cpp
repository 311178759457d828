// The text form of a network: lines that call a NetworkBuilder. Errors name the line.

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/layers/layer_error.hpp"
#include "convoy/nn/network_builder.hpp"

namespace convoy::nn {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kBlockUsage =
    "is not 'residual {', then '}' for an identity shortcut or '} shortcut {' … '}'; nor 'branches {' … '} "
    "and {' … '}', nor 'gate {' … '}'";

/// Runs `step`; its errors are reported for `line`.
template <class Step>
auto at_line(const LayerLine& line, Step&& step) {
  try {
    return step();
  } catch (const LayerError& error) {
    line.fail(error.problem());
  }
}

/// "residual {", "} shortcut {", "branches {", "} and {", "gate {", "}".
bool is_structure(const LayerLine& line) {
  return line.keyword() == "residual" || line.keyword() == "branches" || line.keyword() == "gate" ||
         line.keyword() == "}";
}

/// `open`: the first lines of the blocks that are still open.
void read_structure(const LayerLine& line, NetworkBuilder& builder, std::vector<LayerText>& open) {
  const Words words = split_words(line.source().text);
  if (words == Words{"residual", "{"}) {
    builder.begin_residual();
    open.push_back(line.source());
  } else if (words == Words{"gate", "{"}) {
    builder.begin_gate();
    open.push_back(line.source());
  } else if (words == Words{"branches", "{"}) {
    builder.begin_branches();
    open.push_back(line.source());
  } else if (words == Words{"}"}) {
    builder.end_block();
    open.pop_back();
  } else if (words == Words{"}", "shortcut", "{"}) {
    builder.begin_shortcut();
  } else if (words == Words{"}", "and", "{"}) {
    builder.begin_second_branch();
  } else {
    line.fail(kBlockUsage);
  }
}

Network read_network(const Shape& input, const std::vector<LayerText>& lines, const LossFunction& loss,
                     std::optional<std::int64_t> classes, const Registry& registry) {
  if (lines.empty())
    throw ConfigError("the network has no layer (write at least one 'layer = …' in [network])");
  NetworkBuilder builder(input);
  std::vector<LayerText> open;
  for (const LayerText& text : lines) {
    const LayerLine line(text);
    at_line(line, [&] {
      if (is_structure(line)) return read_structure(line, builder, open);
      builder.layer(text, registry);
    });
  }
  if (!open.empty()) LayerLine(open.back()).fail("the block is never closed (it ends with a line '}')");
  return at_line(LayerLine(lines.back()), [&] { return builder.build(loss, classes); });
}

}  // namespace

Network::Network(const Shape& input, const std::vector<LayerText>& lines, const LossFunction& loss,
                 std::optional<std::int64_t> classes, const Registry& registry)
    : Network(read_network(input, lines, loss, classes, registry)) {}

}  // namespace convoy::nn
