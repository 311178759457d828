#include "convoy/model/norm_sums.hpp"

#include <algorithm>
#include <cassert>

#include "convoy/comm/tree.hpp"

namespace convoy::model {

std::vector<NormBlock> norm_blocks(const std::vector<optim::ParameterRange>& tensors) {
  std::vector<NormBlock> blocks;
  for (std::size_t tensor = 0; tensor < tensors.size(); ++tensor) {
    const Range& all = tensors[tensor].range;
    for (std::int64_t begin = all.begin, end = 0; begin < all.end; begin = end) {
      end = std::min((begin / optim::kNormBlock + 1) * optim::kNormBlock, all.end);
      blocks.push_back({static_cast<std::int64_t>(tensor), {begin, end}});
    }
  }
  return blocks;
}

NormSums::NormSums(const optim::Optimizer& optimizer, const std::vector<optim::ParameterRange>& tensors)
    : vectors_(optimizer.norm_stages()), blocks_(norm_blocks(tensors)), blocks_of_tensor_(tensors.size()) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    Range& of_tensor = blocks_of_tensor_[static_cast<std::size_t>(blocks_[i].tensor)];
    if (of_tensor.size() == 0) of_tensor.begin = static_cast<std::int64_t>(i);
    of_tensor.end = static_cast<std::int64_t>(i) + 1;
  }
  const int most = vectors_.empty() ? 0 : *std::ranges::max_element(vectors_);
  squares_.resize(blocks_.size() * static_cast<std::size_t>(most));
  of_blocks_.resize(blocks_.size());
  of_tensors_.resize(tensors.size());
}

Range NormSums::blocks_of(const Range& elements) const {
  const auto begins_before = [](const NormBlock& block, std::int64_t element) {
    return block.elements.begin < element;
  };
  const auto number = [&](std::int64_t element) {
    return std::lower_bound(blocks_.begin(), blocks_.end(), element, begins_before) - blocks_.begin();
  };
  const Range found{number(elements.begin), number(elements.end)};
  assert(found.size() == 0 ||
         (blocks_[static_cast<std::size_t>(found.begin)].elements.begin == elements.begin &&
          blocks_[static_cast<std::size_t>(found.end - 1)].elements.end == elements.end));
  return found;
}

void NormSums::measure(const Update& update, const float* sum, State& state) {
  restart();
  for (int stage = 0; stage < stages(); ++stage) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const NormBlock& block = blocks_[i];
      update.measure(stage, block.tensor, block.elements, sum + block.elements.begin, state,
                     squares(stage, static_cast<std::int64_t>(i)));
    }
    finish(stage);
  }
}

void NormSums::finish(int stage) {
  const auto vectors = static_cast<std::size_t>(this->vectors(stage));
  for (std::size_t vector = 0; vector < vectors; ++vector) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) of_blocks_[i] = squares_[i * vectors + vector];
    for (std::size_t tensor = 0; tensor < of_tensors_.size(); ++tensor) {
      const Range& blocks = blocks_of_tensor_[tensor];
      of_tensors_[tensor] = comm::tree_sum(
          std::span<const double>(of_blocks_)
              .subspan(static_cast<std::size_t>(blocks.begin), static_cast<std::size_t>(blocks.size())));
    }
    values_.add(of_tensors_, comm::tree_sum(of_tensors_));
  }
  norms_ = values_.norms();
}

}  // namespace convoy::model
