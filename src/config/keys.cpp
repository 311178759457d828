#include "convoy/config/keys.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "convoy/config/suggest.hpp"
#include "keys/tables.hpp"

namespace convoy::config {
namespace {

std::vector<Key> make_keys() {
  std::vector<Key> all;
  for (const auto& section : {data_keys, network_keys, optimizer_keys, schedule_keys, train_keys, comm_keys,
                              run_keys, checkpoint_keys})
    std::ranges::move(section(), std::back_inserter(all));
  return all;
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = make_keys();
  return table;
}

const Key* find_key(std::string_view name) {
  const auto found =
      std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return key.name == name; });
  return found == keys().end() ? nullptr : &*found;
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Key& key : keys())
    if (names.empty() || names.back() != key.section()) names.push_back(key.section());
  return names;
}

std::string suggest_key(std::string_view name) {
  std::vector<std::string> names;
  const std::string_view short_name = name.substr(name.find('.') + 1);
  for (const Key& key : keys()) {
    if (key.short_name() == short_name) return " (did you mean " + key.name + "?)";
    names.push_back(key.name);
  }
  return did_you_mean(name, names);
}

}  // namespace convoy::config
