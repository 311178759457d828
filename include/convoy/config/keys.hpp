#pragma once
// The one table of what can be configured. Parsing, --help, the effective INI, the
// agreement of ranks and the rules of --resume are made from it.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/config/options.hpp"

namespace convoy::config {

/// What happens where nobody sets a key.
enum class Need {
  kDefault,      ///< it keeps the value Options is made with
  kAlways,       ///< an error, also in a checkpoint's configuration
  kForTraining,  ///< an error where a run is to be started
};

/// How often one source may set a key.
enum class Times { kOnce, kOrdered };

/// What a key decides.
enum class Effect {
  kBits,   ///< what is trained: a run cannot go on with another value
  kSpeed,  ///< how a run computes, waits or checks, not what comes out
  kPlace,  ///< where, how far and how often something is read, written or said
};

struct Key {
  std::string name;        ///< "train.batch"
  std::string value_name;  ///< what --help shows as its value: "N"
  std::string allowed;     ///< what is right: "an integer from 1 to 1,000"; completes "… is not"
  std::string help;        ///< what it does, units included
  Need need = Need::kDefault;
  Times times = Times::kOnce;
  Effect effect = Effect::kBits;

  /// Stores a value and where it came from; false where it is not what `allowed` says.
  std::function<bool(Options&, const std::string& value, const std::string& origin)> read;
  /// The values as `read` takes them back: one, several where it may repeat, none where there is nothing to
  /// say.
  std::function<std::vector<std::string>(const Options&)> write;

  [[nodiscard]] std::string section() const { return name.substr(0, name.find('.')); }
  [[nodiscard]] std::string short_name() const { return name.substr(name.find('.') + 1); }
};

/// All keys, section by section, in the order of configs/README.md.
[[nodiscard]] const std::vector<Key>& keys();
/// The key of that name, or null.
[[nodiscard]] const Key* find_key(std::string_view name);
/// Names of all sections, in order.
[[nodiscard]] std::vector<std::string> section_names();
/// " (did you mean …?)" for a name that is no key: the same key in another section first, else the nearest.
[[nodiscard]] std::string suggest_key(std::string_view name);

}  // namespace convoy::config
