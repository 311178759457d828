#include "convoy/predict/trained_network.hpp"

#include <optional>
#include <utility>

#include "convoy/config/config.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/optim/optimizers.hpp"

namespace convoy::predict {

TrainedNetwork read_trained_network(const std::string& checkpoint, const comm::Communicator& world,
                                    StateParts parts) {
  io::agreed_at_root(world, [&] { model::require_sound_checkpoint(checkpoint); });
  std::optional<TrainedNetwork> result;
  io::agreed(world, [&] {
    model::CheckpointHeader header = model::read_checkpoint_header(checkpoint);
    config::Options options = config::from_checkpoint(header.config, checkpoint);
    nn::Network network(header.input.shape, options.layers, options.loss, std::nullopt);
    const auto optimizer = optim::make_optimizer(options.optimizer);
    model::State state = model::make_state(network, parts == StateParts::kAll ? optimizer.get() : nullptr);
    model::read_checkpoint_state(checkpoint, network, state);
    result.emplace(
        TrainedNetwork{std::move(header), std::move(options), std::move(network), std::move(state)});
  });
  return std::move(*result);
}

}  // namespace convoy::predict
