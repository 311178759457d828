#pragma once
// The settings that decide the values of keys, for checks and messages. Private to the config room.

#include <functional>
#include <map>
#include <string>

#include "convoy/config/config.hpp"

namespace convoy::config {

/// The setting that decided each key; keys with default values are absent.
using EffectiveSettings = std::map<std::string, Setting, std::less<>>;

/// "a.ini:3: train.batch = '8'"
[[nodiscard]] std::string shown(const Setting& setting);

/// Checks [optimizer] and its groups. Throws ConfigError for a key that the optimizer does not read and whose
/// value is not the default, for contradictions, and for a group that matches nothing.
void check_optimizer(const Options& options, const EffectiveSettings& effective);

}  // namespace convoy::config
