// Quotas as reported by the kernel (quotactl(2)).

#include <fmt/core.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "convoy/core/text.hpp"
#include "convoy/machine/probe.hpp"

namespace convoy::machine {
namespace {

/// The mounted device of the file system of `path`; empty if it is not a device of this node.
std::string device_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  const std::string number = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");
  // 36 35 98:0 /root /mount options [tags] - type source options
  for (std::string line; std::getline(mounts, line);) {
    const std::vector<std::string> words = split_words(line);
    const auto dash = std::ranges::find(words, "-");
    if (words.size() > 3 && words[2] == number && words.end() - dash > 2 && dash[2].starts_with('/'))
      return dash[2];
  }
  return {};
}

void consider(int kind, const char* name, unsigned id, const std::string& device, QuotaAnswer& answer) {
  dqblk limits{};
  if (::quotactl(QCMD(Q_GETQUOTA, kind), device.c_str(), static_cast<int>(id),
                 reinterpret_cast<caddr_t>(&limits)) != 0) {
    answer.is_known = answer.is_known || errno == ESRCH;  // ESRCH: no quota of this kind
    return;
  }
  answer.is_known = true;
  // The soft limit applies after its grace period, so use the lower limit. 0: no limit.
  const auto left = [](std::uint64_t soft, std::uint64_t hard, std::uint64_t used,
                       std::uint64_t unit) -> std::int64_t {
    const std::uint64_t limit = soft != 0 && (hard == 0 || soft < hard) ? soft : hard;
    if (limit == 0) return -1;
    return limit * unit > used ? static_cast<std::int64_t>(limit * unit - used) : 0;
  };
  const std::int64_t bytes = left(limits.dqb_bsoftlimit, limits.dqb_bhardlimit, limits.dqb_curspace, 1024);
  const std::int64_t files = left(limits.dqb_isoftlimit, limits.dqb_ihardlimit, limits.dqb_curinodes, 1);
  if (bytes < 0 && files < 0) return;
  const Quota quota{fmt::format("{} {}", name, id), bytes < 0 ? INT64_MAX : bytes, files};
  if (!answer.tightest || quota.free_bytes < answer.tightest->free_bytes) answer.tightest = quota;
}

}  // namespace

QuotaAnswer ask_quota(const std::string& path) {
  QuotaAnswer answer;
  const std::string device = device_of(path);
  if (device.empty()) return answer;
  consider(USRQUOTA, "user", ::geteuid(), device, answer);
  consider(GRPQUOTA, "group", ::getegid(), device, answer);
  return answer;
}

}  // namespace convoy::machine
