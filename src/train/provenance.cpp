#include "convoy/train/provenance.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/packer.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/step/consistency.hpp"

namespace convoy::train {
namespace {

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;  // contains "Clang" for Clang
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

std::string packed(const model::Provenance& facts) {
  comm::Packer packer;
  for (const auto& [name, value] : facts) {
    packer.put_text(name);
    packer.put_text(value);
  }
  return packer.message();
}

model::Provenance unpacked(const std::string& message) {
  model::Provenance facts;
  for (comm::Unpacker from(message); !from.is_at_end();) {
    const std::string name = from.get_text();
    facts[name] = from.get_text();
  }
  return facts;
}

model::Provenance gather_provenance(const comm::Communicator& world, const std::string& command_line,
                                    const std::vector<machine::Placement>& placements,
                                    const std::string& data_digest) {
  std::vector<std::string> hosts;
  std::vector<std::string> bindings;
  for (const machine::Placement& each : placements) {
    if (std::ranges::find(hosts, each.host) == hosts.end()) hosts.push_back(each.host);
    bindings.push_back(fmt::format("{}: {} processors {}, {}", bindings.size(), each.host, each.processors,
                                   counted(each.threads, "thread")));
  }
  model::Provenance facts{{"hosts", join(hosts, " ")},
                          {"bindings", join(bindings, "; ")},
                          {"ranks", std::to_string(world.size())},
                          {"threads", std::to_string(placements.front().threads)},
                          {"convoy", std::string(version())},
                          {"program_xxh128", to_hex(step::build_digest())},
                          {"compiler", kCompiler},
                          {"build_flags", std::string(build_flags())},
                          {"mpi", comm::Environment::library_version()},
                          {"hdf5", io::hdf5_version()},
                          {"data_xxh128", data_digest},
                          {"command_line", command_line}};
  for (const char* variable :
       {"SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT", "SLURM_JOB_NODELIST",
        "SLURM_NNODES", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK", "SLURM_STEP_ID", "SLURM_RESTART_COUNT",
        "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_CLUSTER_NAME", "PBS_JOBID", "PBS_JOBNAME",
        "FLUX_JOB_ID", "OMP_NUM_THREADS", "CONVOY_ISA"})
    if (const char* value = std::getenv(variable)) facts[variable] = value;
  return unpacked(world.broadcast(packed(facts)));
}

std::string time_of_writing(const comm::Communicator& world) {
  return world.broadcast(utc_now());
}

}  // namespace convoy::train
