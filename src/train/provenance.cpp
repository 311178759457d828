#include "provenance.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/io/hdf5_file.hpp"

namespace convoy::train {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

/// As one string and back: name, value, name, value, …, each ended by a zero byte.
std::string packed(const Provenance& facts) {
  std::string text;
  for (const auto& [name, value] : facts) text.append(name).append(1, '\0').append(value).append(1, '\0');
  return text;
}

Provenance unpacked(const std::string& text) {
  Provenance facts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t name_end = text.find('\0', begin);
    const std::size_t value_end = text.find('\0', name_end + 1);
    facts[text.substr(begin, name_end - begin)] = text.substr(name_end + 1, value_end - name_end - 1);
    begin = value_end + 1;
  }
  return facts;
}

}  // namespace

Provenance gather_provenance(const comm::Communicator& world, const std::string& command_line, int threads) {
  std::vector<std::string> hosts = world.all_gather_text(comm::host_name());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  Provenance facts{{"written", utc_now()},
                   {"hosts", join(hosts, " ")},
                   {"ranks", std::to_string(world.size())},
                   {"threads", std::to_string(threads)},
                   {"convoy", std::string(version())},
                   {"compiler", __VERSION__},
                   {"mpi", comm::Environment::library_version()},
                   {"hdf5", io::hdf5_version()},
                   {"command_line", command_line}};
  for (const char* variable : {"SLURM_JOB_ID", "SLURM_JOB_NODELIST", "SLURM_NTASKS", "PBS_JOBID"})
    if (const char* value = std::getenv(variable)) facts[variable] = value;
  return unpacked(world.broadcast(packed(facts)));
}

}  // namespace convoy::train
