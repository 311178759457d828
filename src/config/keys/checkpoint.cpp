// The keys of [checkpoint].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {

std::vector<Key> checkpoint_keys() {
  constexpr std::int64_t kMillion = 1'000'000;
  return {
      place(integer_key(
          "checkpoint.every-epochs", [](auto& o) -> auto& { return o.checkpoint_every_epochs; }, {},
          "epochs between checkpoints; 0: not by epochs (the last step is always kept)")),
      place(integer_key(
          "checkpoint.every-steps", [](auto& o) -> auto& { return o.checkpoint_every_steps; }, {},
          "steps between checkpoints; 0: not by steps")),
      place(yes_no_key(
          "checkpoint.at-start", [](auto& o) -> auto& { return o.checkpoint_at_start; },
          "yes: also the untrained network, as step-00000000.h5")),
      place(integer_key(
          "checkpoint.keep", [](auto& o) -> auto& { return o.keep; }, {1, kMillion},
          "how many of the newest checkpoints are kept")),
      place(choice_key(
          "checkpoint.best", [](auto& o) -> auto& { return o.best; }, {"none", "loss", "accuracy"},
          "loss, accuracy: an epoch whose evaluation is better than all before writes a checkpoint, which is "
          "kept "
          "beside the newest; best.h5 leads to it")),
      speed(yes_no_key(
          "checkpoint.async", [](auto& o) -> auto& { return o.checkpoint_async; },
          "yes: steps go on while a copy of the state is written; no: they wait")),
      speed(integer_key(
          "checkpoint.retries", [](auto& o) -> auto& { return o.checkpoint_retries; }, {0, kMillion},
          "checkpoints in a row that may fail to be written (disk full, say) before the run ends with status "
          "4, as long as an earlier one stands")),
      speed(choice_key(
          "checkpoint.writers", [](auto& o) -> auto& { return o.checkpoint_writers; }, {"one", "node", "all"},
          "ranks that write a checkpoint: rank 0, or through MPI one of every node, or all")),
      speed(integer_key(
          "checkpoint.gzip", [](auto& o) -> auto& { return o.checkpoint_gzip; }, {0, 9},
          "level at which checkpoints are compressed; 0: they are not")),
  };
}

}  // namespace convoy::config
