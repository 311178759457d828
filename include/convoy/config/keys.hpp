#pragma once
// The table of all configuration keys. Parsing, --help, the effective INI, the comparison of ranks and the
// rules of --resume use it.

#include <functional>
#include <optional>
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

  [[nodiscard]] std::string section() const { return name.substr(0, name.rfind('.')); }
  [[nodiscard]] std::string short_name() const { return name.substr(name.rfind('.') + 1); }
};

/// The sections of groups of parameters: [optimizer.group.NAME].
inline constexpr std::string_view kGroupPrefix = "optimizer.group.";
inline constexpr std::string_view kAnyGroup = "NAME";  ///< stands for the name of any group

/// All keys, section by section, in the order of configs/README.md; those of a group once, for kAnyGroup.
[[nodiscard]] const std::vector<Key>& keys();
/// All keys of runs with these groups: as keys(), with the keys of each group instead of those of kAnyGroup.
[[nodiscard]] std::vector<Key> keys_of(const std::vector<std::string>& groups);
/// The key named `name`, also of any group; no value if there is none.
[[nodiscard]] std::optional<Key> find_key(std::string_view name);
/// The group whose section is `section`; empty if it is no section of a group, or the name is not of letters,
/// digits, '-' and '_'.
[[nodiscard]] std::string_view group_of_section(std::string_view section);
/// Names of all sections, in order.
[[nodiscard]] std::vector<std::string> section_names();
/// " (did you mean …?)" for an unknown name: the same key in another section first, else the nearest name.
[[nodiscard]] std::string suggest_key(std::string_view name);

}  // namespace convoy::config
