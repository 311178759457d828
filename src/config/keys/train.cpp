// The keys of [train].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {

std::vector<Key> train_keys() {
  constexpr std::int64_t kMillion = 1'000'000;
  return {
      integer_key(
          "train.epochs", [](auto& o) -> auto& { return o.epochs; }, {1, kMillion}, "passes over the data"),
      integer_key(
          "train.batch", [](auto& o) -> auto& { return o.batch; }, {1, kMillion},
          "samples a step, over all ranks together: never multiplied by the rank count"),
      integer_key(
          "train.micro-batch", [](auto& o) -> auto& { return o.micro_batch; }, {1, kMillion},
          "samples of one gradient computation; at most batch (and where not given, the batch if that is "
          "smaller). Batch / micro-batch is the most ranks that can share a step"),
      place(integer_key(
          "train.max-steps", [](auto& o) -> auto& { return o.max_steps; }, {},
          "stop after so many steps in all; 0: epochs decide")),
      place(integer_key(
          "train.patience", [](auto& o) -> auto& { return o.patience; }, {},
          "end the run when so many epochs bring no better evaluation (checkpoint.best says by what); 0: "
          "never")),
      choice_key(
          "train.precision", [](auto& o) -> auto& { return o.precision; }, {"fp32", "bf16"},
          "of the factors in convolutions and dense layers; sums, weights and everything else stay fp32. "
          "bf16 is "
          "faster where the processor multiplies it (AVX512-BF16)"),
      integer_key(
          "train.seed", [](auto& o) -> auto& { return o.seed; }, {},
          "of everything random: first weights, order of samples, dropout"),
  };
}

}  // namespace convoy::config
