#pragma once
// Options of a fit: the keys of configs/README.md with values, as in an INI file or on the command line.

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/config/config.hpp"

namespace convoy {

/// One key with its value: {"train.epochs", 5}.
struct Option {
  Option(std::string name, std::string text) : key(std::move(name)), value(std::move(text)) {}
  Option(std::string name, const char* text) : key(std::move(name)), value(text) {}
  Option(std::string name, bool is_on) : key(std::move(name)), value(is_on ? "yes" : "no") {}
  template <std::integral Integer>
  Option(std::string name, Integer number) : key(std::move(name)), value(std::to_string(number)) {}
  /// The shortest text that reads back to `number`.
  Option(std::string name, double number);

  std::string key;
  std::string value;
};

/// Options of Model::fit(). Keys of the sections [data] (how samples are used, not where they are), [train],
/// [optimizer], [schedule] and [comm], and run.threads; keys that are not set have their defaults.
/// schedule.lr has none.
class Options {
 public:
  Options() = default;
  Options(std::initializer_list<Option> options);
  /// The keys of an INI file of `convoy train`; those of no use to a fit are left out. Throws ConfigError.
  [[nodiscard]] static Options read(const std::string& ini_file);

  /// Sets a key, also one that is set already. Throws ConfigError for a key that does not exist or has no
  /// use in a fit.
  void set(const Option& option);

  /// True for keys that say how to fit; the others name files, or belong to runs of the program.
  [[nodiscard]] static bool concerns_fit(std::string_view key);

  /// With the layers and the loss of a model. Throws ConfigError with key, value and what is allowed.
  [[nodiscard]] config::Options with_network(const std::vector<std::string>& lines,
                                             const nn::LossFunction& loss) const;

 private:
  std::vector<config::Setting> settings_;
};

}  // namespace convoy
