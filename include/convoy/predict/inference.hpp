#pragma once
// Answers of a trained network at speed: no memory for training, batch normalisations multiplied into the
// weights. Used by the predict command, the library, and `bench --inference`.

#include <cstdint>
#include <memory>
#include <span>

#include "convoy/core/operations.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/predict/folded_network.hpp"
#include "convoy/step/engine.hpp"

namespace convoy::predict {

class Inference {
 public:
  /// For one thread that calls, with `threads` threads within a call. Several objects may share `network`.
  /// `micro_batch` samples go through the network together; if they are kLanes, four times as many through
  /// its last layers (passes::operations_apart()).
  Inference(std::shared_ptr<const FoldedNetwork> network, kernels::Isa isa, Precision precision, int threads,
            std::int64_t micro_batch = kLanes);

  [[nodiscard]] step::Engine& engine() { return engine_; }
  [[nodiscard]] const model::State& state() const { return network_->state; }
  [[nodiscard]] int threads() const { return engine_.threads(); }

  /// Assigns `outputs`, [samples of the split][outputs]. The split's images are in memory. The outputs of an
  /// image do not depend on the other images, nor on threads.
  void answer(const data::Split& split, const data::InputTransform& transform, std::span<float> outputs);

 private:
  std::shared_ptr<const FoldedNetwork> network_;
  step::Engine engine_;
};

}  // namespace convoy::predict
