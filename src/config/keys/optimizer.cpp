// The keys of [optimizer].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {

std::vector<Key> optimizer_keys() {
  return {
      choice_key(
          "optimizer.name", [](auto& o) -> auto& { return o.optimizer.kind; }, optim::optimizer_names(),
          "stochastic gradient descent, as PyTorch's"),
      number_key(
          "optimizer.momentum", [](auto& o) -> auto& { return o.optimizer.momentum; },
          [](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1", "momentum"),
      yes_no_key(
          "optimizer.nesterov", [](auto& o) -> auto& { return o.optimizer.nesterov; },
          "Nesterov's momentum; needs momentum above 0"),
      number_key(
          "optimizer.weight-decay", [](auto& o) -> auto& { return o.optimizer.weight_decay; },
          [](double x) { return x >= 0 && x <= 1e30; }, "a number from 0 to 1e30",
          "L2 penalty, on the weights of conv and dense alone"),
  };
}

}  // namespace convoy::config
