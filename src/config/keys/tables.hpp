#pragma once
// The keys of each section of a configuration, in the order of configs/README.md.

#include <vector>

#include "convoy/config/keys.hpp"

namespace convoy::config {

[[nodiscard]] std::vector<Key> data_keys();
[[nodiscard]] std::vector<Key> network_keys();
[[nodiscard]] std::vector<Key> optimizer_keys();
/// The keys of [optimizer.group.<group>].
[[nodiscard]] std::vector<Key> group_keys(const std::string& group);
[[nodiscard]] std::vector<Key> schedule_keys();
[[nodiscard]] std::vector<Key> train_keys();
[[nodiscard]] std::vector<Key> comm_keys();
[[nodiscard]] std::vector<Key> run_keys();
[[nodiscard]] std::vector<Key> checkpoint_keys();

}  // namespace convoy::config
