#pragma once
// The table of all configuration keys. Parsing, --help, the effective INI, the comparison of ranks and the
// rules of --resume use it.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/config/options.hpp"

namespace convoy::config {

/// The result if a key is not set.
enum class Need {
  kDefault,      ///< keeps the value of a default-constructed Options
  kAlways,       ///< an error, also in a checkpoint's configuration
  kForTraining,  ///< an error if a run starts
};

/// How often a source may set a key: once, or repeatedly in a meaningful order.
enum class Times { kOnce, kOrdered };

/// What a key affects.
enum class Effect {
  kBits,   ///< the trained bits: a run cannot be resumed with another value
  kSpeed,  ///< how a run computes, waits or checks; not its results
  kPlace,  ///< where, how long and how often a run reads, writes or logs
};

struct Key {
  std::string name;        ///< "train.batch"
  std::string value_name;  ///< placeholder in --help: "N"
  std::string allowed;     ///< allowed values: "an integer from 1 to 1,000"; completes "… is not"
  std::string help;        ///< meaning, with units
  std::string advice{};    ///< follows the allowed values in the message about another
  Need need = Need::kDefault;
  Times times = Times::kOnce;
  Effect effect = Effect::kBits;

  /// Stores a value and its origin; false if the value is not `allowed`.
  std::function<bool(Options&, const std::string& value, const std::string& origin)> read;
  /// The values in the format of `read`: one; several if the key may repeat; none if nothing is set.
  std::function<std::vector<std::string>(const Options&)> write;

  [[nodiscard]] std::string section() const { return name.substr(0, name.find('.')); }
  [[nodiscard]] std::string short_name() const { return name.substr(name.find('.') + 1); }
};

/// All keys, section by section, in the order of configs/README.md.
[[nodiscard]] const std::vector<Key>& keys();
/// The key named `name`, or null.
[[nodiscard]] const Key* find_key(std::string_view name);
/// Names of all sections, in order.
[[nodiscard]] std::vector<std::string> section_names();
/// " (did you mean …?)" for an unknown name: the same key in another section first, else the nearest name.
[[nodiscard]] std::string suggest_key(std::string_view name);

}  // namespace convoy::config
