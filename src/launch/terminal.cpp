#include "convoy/launch/terminal.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace convoy::launch {

bool standard_output_is_terminal() {
  if (isatty(STDOUT_FILENO) != 1) return false;
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr && std::getenv("PMIX_RANK") == nullptr) return true;
  // On the node of mpirun, mpirun is the parent of the ranks.
  std::array<char, 64> target{};
  const std::string output = fmt::format("/proc/{}/fd/1", getppid());
  const ssize_t length = readlink(output.c_str(), target.data(), target.size());
  const std::string_view name(target.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  return name.starts_with("/dev/pts/") || name.starts_with("/dev/tty");
}

}  // namespace convoy::launch
