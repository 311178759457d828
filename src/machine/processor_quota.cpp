#include "processor_quota.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "convoy/core/text.hpp"

namespace convoy::machine {
namespace {

/// Empty if it cannot be read: these files are on no disk.
std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool has_word(const std::string& list, std::string_view word) {
  const std::vector<std::string> words = split_at(list, ',');
  return std::ranges::find(words, word) != words.end();
}

/// Where a hierarchy of control groups is mounted.
struct Mount {
  std::string point;
  std::string group;  ///< the group that lies there
};

/// The mount of version 2, or of version 1's controller "cpu" (proc(5), mountinfo).
std::optional<Mount> find_mount(const std::string& mounts, bool is_version_2) {
  constexpr std::size_t kGroup = 3;
  constexpr std::size_t kPoint = 4;
  for (const std::string& line : split_at(mounts, '\n')) {
    const std::vector<std::string> words = split_words(line);
    const auto dash = std::ranges::find(words, "-");
    if (words.end() - dash < 4 || words.size() <= kPoint) continue;
    const std::string& type = *(dash + 1);
    if (is_version_2 ? type == "cgroup2" : type == "cgroup" && has_word(*(dash + 3), "cpu"))
      return Mount{words[kPoint], words[kGroup]};
  }
  return std::nullopt;
}

/// Processors that the files of one group grant; nothing without a limit.
std::optional<double> limit_of(const std::string& folder, bool is_version_2) {
  std::vector<std::string> words;
  if (is_version_2) {
    words = split_words(content_of(folder + "/cpu.max"));
  } else {
    for (const char* name : {"/cpu.cfs_quota_us", "/cpu.cfs_period_us"})
      for (std::string& word : split_words(content_of(folder + name))) words.push_back(std::move(word));
  }
  if (words.size() != 2) return std::nullopt;
  const auto quota = parse_number(words[0]);  // none for "max"
  const auto period = parse_number(words[1]);
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

}  // namespace

std::optional<ProcessorQuota> processor_quota(const std::string& root) {
  const std::string mounts = content_of(root + "/proc/self/mountinfo");
  std::optional<ProcessorQuota> tightest;
  for (const std::string& line : split_at(content_of(root + "/proc/self/cgroup"), '\n')) {
    const std::vector<std::string> fields = split_at(line, ':');  // number:controllers:path
    if (fields.size() < 3) continue;
    const bool is_version_2 = fields[1].empty();
    if (!is_version_2 && !has_word(fields[1], "cpu")) continue;
    const auto mount = find_mount(mounts, is_version_2);
    if (!mount) continue;
    // Below the mount point. A path outside what is mounted belongs to another name space.
    std::string path = line.substr(line.find(':', line.find(':') + 1) + 1);
    if (mount->group != "/" && path.starts_with(mount->group)) path.erase(0, mount->group.size());
    if (path.find("/..") != std::string::npos) path.clear();
    while (true) {
      while (path.ends_with('/')) path.pop_back();
      if (const auto limit = limit_of(root + mount->point + path, is_version_2);
          limit && (!tightest || *limit < tightest->processors))
        tightest = ProcessorQuota{*limit, mount->point + path};
      if (path.empty()) break;
      path.erase(path.rfind('/'));
    }
  }
  return tightest;
}

}  // namespace convoy::machine
