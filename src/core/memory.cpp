#include "convoy/core/memory.hpp"
#include "convoy/core/aligned.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace convoy {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

/// The first number after `name` in a file of lines "name number"; without a name, the first number of the
/// file.
std::optional<std::int64_t> number_in(const std::string& path, const std::string& name = {}) {
  std::ifstream file(path);
  std::string word;
  std::int64_t value = 0;
  if (name.empty()) return file >> value ? std::optional(value) : std::nullopt;
  while (file >> word)
    if (word == name && file >> value) return value;
  return std::nullopt;
}

/// File names in the folder of a memory controller.
struct Names {
  const char* limit;
  const char* usage;
  const char* inactive;
  const char* active;
};

std::int64_t left_in_group(const std::string& folder, const Names& names) {
  const auto limit = number_in(folder + '/' + names.limit);
  const auto usage = number_in(folder + '/' + names.usage);
  if (!limit || !usage) return kUnlimited;
  const std::string stat = folder + "/memory.stat";
  const std::int64_t cached =
      number_in(stat, names.inactive).value_or(0) + number_in(stat, names.active).value_or(0);
  return std::max<std::int64_t>(*limit - std::max<std::int64_t>(*usage - cached, 0), 0);
}

/// The minimum over a group and all its parents.
std::int64_t left_in_groups(const std::string& root, std::string group, const Names& names) {
  std::int64_t left = left_in_group(root, names);
  for (; group.size() > 1; group.resize(group.rfind('/')))
    left = std::min(left, left_in_group(root + group, names));
  return left;
}

std::int64_t left_by_control_groups() {
  constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
                            "total_active_file"};
  constexpr Names kVersion2{"memory.max", "memory.current", "inactive_file", "active_file"};
  std::ifstream groups("/proc/self/cgroup");
  std::int64_t left = kUnlimited;
  for (std::string line; std::getline(groups, line);) {  // number:controllers:/path
    const auto controllers = line.find(':');
    const auto path = line.find(':', controllers + 1);
    if (path == std::string::npos) continue;
    const std::string name = line.substr(controllers + 1, path - controllers - 1);
    if (name == "memory") {
      left = std::min(left, left_in_groups("/sys/fs/cgroup/memory", line.substr(path + 1), kVersion1));
    } else if (name.empty()) {
      left = std::min(left, left_in_groups("/sys/fs/cgroup", line.substr(path + 1), kVersion2));
    }
  }
  return left;
}

std::int64_t left_by_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  const std::int64_t pages = number_in("/proc/self/statm").value_or(0);
  return std::max<std::int64_t>(static_cast<std::int64_t>(limit.rlim_cur) - pages * sysconf(_SC_PAGESIZE), 0);
}

}  // namespace

std::int64_t available_memory() {
  constexpr std::int64_t kKibibyte = 1024;
  const auto kibibytes = number_in("/proc/meminfo", "MemAvailable:");
  const std::int64_t machine = kibibytes ? *kibibytes * kKibibyte : kUnlimited;
  return std::min({machine, left_by_control_groups(), left_by_limit()});
}

std::int64_t free_shared_memory() {
  struct statvfs system {};
  if (::statvfs("/dev/shm", &system) != 0) return kUnlimited;
  return static_cast<std::int64_t>(system.f_bavail) * static_cast<std::int64_t>(system.f_frsize);
}

void use_large_pages(void* memory, std::size_t bytes) {
  constexpr std::uintptr_t kLargePage = std::uintptr_t{1} << 21;
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  const auto begin = (first + kLargePage - 1) / kLargePage * kLargePage;
  const auto end = (first + bytes) / kLargePage * kLargePage;
  if (end > begin) (void)::madvise(static_cast<char*>(memory) + (begin - first), end - begin, MADV_HUGEPAGE);
}

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  return statm >> total >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace convoy
