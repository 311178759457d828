// Checks of [optimizer] that need more than one key.

#include <fmt/core.h>

#include <algorithm>

#include "convoy/config/keys.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "effective_settings.hpp"

namespace convoy::config {
namespace {

using optim::OptimizerEntry;

/// The key's setting, unless it is absent or has the default value.
const Setting* setting_of(const std::string& key, const Options& options,
                          const EffectiveSettings& effective) {
  const auto found = effective.find(key);
  if (found == effective.end()) return nullptr;
  const Key known = find_key(key).value();
  return known.write(options) == known.write(Options{}) ? nullptr : &found->second;
}

bool reads(const OptimizerEntry& optimizer, std::string_view key) {
  return std::ranges::find(optimizer.reads, key) != optimizer.reads.end();
}

/// A setting without effect would be taken for one that has.
void check_all_are_read(const Options& options, const EffectiveSettings& effective) {
  const OptimizerEntry& used = optim::kOptimizers.at(static_cast<std::size_t>(options.optimizer.kind));
  for (const OptimizerEntry& other : optim::kOptimizers) {
    for (const std::string_view key : other.reads) {
      if (key.empty() || reads(used, key)) continue;
      const Setting* setting = setting_of("optimizer." + std::string(key), options, effective);
      if (setting == nullptr) continue;
      std::vector<std::string> readers;
      for (const OptimizerEntry& each : optim::kOptimizers)
        if (reads(each, key)) readers.emplace_back(each.name);
      throw ConfigError(fmt::format("{} is not read by optimizer.name = {} (but by {}); leave it out",
                                    shown(*setting), used.name, join(readers, ", ")));
    }
  }
  for (const char* key : {"optimizer.lookahead-alpha", "optimizer.lookahead-schedule"}) {
    const Setting* setting = setting_of(key, options, effective);
    if (setting != nullptr && options.optimizer.lookahead_steps == 0)
      throw ConfigError(shown(*setting) + " needs optimizer.lookahead-steps (it is 0); set it, e.g. to 5");
  }
}

void check_group(const optim::ParameterGroup& group, const EffectiveSettings& effective) {
  const std::string section = std::string(kGroupPrefix) + group.name;
  if (group.match.empty())
    throw ConfigError(
        fmt::format("missing {0}.match (a group without parameters); set e.g. {0}.match = *.bias", section));
  if (group.is_frozen && group.freeze_after_epochs)
    throw ConfigError(shown(effective.at(section + ".freeze-after-epochs")) + " contradicts " + section +
                      ".freeze = yes (frozen from the first step); leave one of the two out");
}

}  // namespace

std::string shown(const Setting& setting) {
  return fmt::format("{}: {} = '{}'", setting.origin, setting.key, setting.value);
}

void check_optimizer(const Options& options, const EffectiveSettings& effective) {
  const optim::OptimizerOptions& optimizer = options.optimizer;
  check_all_are_read(options, effective);
  if (optimizer.nesterov && optimizer.momentum == 0) {
    throw ConfigError(shown(effective.at("optimizer.nesterov")) +
                      " needs momentum (optimizer.momentum is 0); set it above 0, e.g. 0.9");
  }
  if (optimizer.epsilon == 0.0 && optimizer.kind != optim::OptimizerKind::kLars)
    throw ConfigError(shown(effective.at("optimizer.epsilon")) +
                      " divides by 0 where all gradients were 0; set it above 0, e.g. 1e-8");
  for (const optim::ParameterGroup& group : options.parameter_groups) check_group(group, effective);
}

}  // namespace convoy::config
