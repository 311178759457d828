#include "convoy/layers/registry.hpp"

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {

Registry Registry::standard() {
  Registry registry;
  registry.add("adaptiveavgpool", adaptiveavgpool_maker());
  registry.add("avgpool", avgpool_maker());
  registry.add("batchnorm", batchnorm_maker());
  registry.add("conv", conv_maker());
  registry.add("dense", dense_maker());
  registry.add("dropout", dropout_maker());
  registry.add("flatten", flatten_maker());
  registry.add("globalavgpool", globalavgpool_maker());
  registry.add("maxpool", maxpool_maker());
  registry.add("scale", scale_maker());
  registry.add("softmax", softmax_maker());
  registry.add("upsample", upsample_maker());
  for (auto& [keyword, maker] : groupnorm_makers()) registry.add(keyword, std::move(maker));
  for (auto& [keyword, maker] : activation_makers()) registry.add(keyword, std::move(maker));
  return registry;
}

std::unique_ptr<Layer> Registry::make(LayerLine& line, const Shape& input) const {
  const auto found = makers_.find(line.keyword());
  if (found == makers_.end()) {
    std::string known;
    for (const auto& [keyword, maker] : makers_) known += keyword + ", ";
    line.fail("unknown keyword '" + line.keyword() + "' (known: " + known +
              "residual {, } shortcut {, branches {, } and {, gate {, })");
  }
  try {
    std::unique_ptr<Layer> layer = found->second.make(line, input);
    line.finish(found->second.usage);
    return layer;
  } catch (const LayerError& error) {
    line.fail(error.problem());
  }
}

}  // namespace convoy::nn
