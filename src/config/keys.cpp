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
  const auto any_group = [] { return group_keys(std::string(kAnyGroup)); };
  using Make = std::vector<Key> (*)();
  for (const Make section :
       {Make(data_keys), Make(network_keys), Make(optimizer_keys), Make(any_group), Make(schedule_keys),
        Make(train_keys), Make(comm_keys), Make(run_keys), Make(checkpoint_keys)})
    std::ranges::move(section(), std::back_inserter(all));
  return all;
}

bool is_of_any_group(const Key& key) {
  return group_of_section(key.section()) == kAnyGroup;
}

template <class Keys>
std::optional<Key> named(const Keys& keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &Key::name);
  return found == keys.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = make_keys();
  return table;
}

std::vector<Key> keys_of(const std::vector<std::string>& groups) {
  std::vector<Key> all;
  bool has_groups = false;
  for (const Key& key : keys()) {
    if (!is_of_any_group(key)) {
      all.push_back(key);
    } else if (!has_groups) {
      has_groups = true;
      for (const std::string& group : groups) std::ranges::move(group_keys(group), std::back_inserter(all));
    }
  }
  return all;
}

std::optional<Key> find_key(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view group =
      dot == std::string_view::npos ? std::string_view() : group_of_section(name.substr(0, dot));
  return group.empty() ? named(keys(), name) : named(group_keys(std::string(group)), name);
}

std::string_view group_of_section(std::string_view section) {
  if (!section.starts_with(kGroupPrefix)) return {};
  const std::string_view group = section.substr(kGroupPrefix.size());
  const auto is_allowed = [](char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
           ch == '_';
  };
  return std::ranges::all_of(group, is_allowed) ? group : std::string_view();
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Key& key : keys())
    if (names.empty() || names.back() != key.section()) names.push_back(key.section());
  return names;
}

std::string suggest_key(std::string_view name) {
  std::vector<std::string> names;
  const std::string_view short_name = name.substr(name.rfind('.') + 1);
  for (const Key& key : keys()) {
    if (key.short_name() == short_name) return " (did you mean " + key.name + "?)";
    names.push_back(key.name);
  }
  return did_you_mean(name, names);
}

}  // namespace convoy::config
