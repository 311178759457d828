#include "provenance.hpp"

#include <array>
#include <cstdlib>
#include <ctime>

#include "convoy/comm/communicator.hpp"
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

}  // namespace

Provenance provenance(const std::string& command_line, int ranks, int threads) {
  Provenance facts{{"written", utc_now()},
                   {"host", comm::host_name()},
                   {"ranks", std::to_string(ranks)},
                   {"threads", std::to_string(threads)},
                   {"convoy", std::string(version())},
                   {"compiler", __VERSION__},
                   {"mpi", comm::Environment::library_version()},
                   {"hdf5", io::hdf5_version()},
                   {"command_line", command_line}};
  for (const char* variable : {"SLURM_JOB_ID", "SLURM_JOB_NODELIST", "SLURM_NTASKS", "PBS_JOBID"})
    if (const char* value = std::getenv(variable)) facts[variable] = value;
  return facts;
}

}  // namespace convoy::train
