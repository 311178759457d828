// Facts about each rank, gathered on all ranks.

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "check_context.hpp"
#include "convoy/core/memory.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/machine/probe.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/provenance.hpp"

namespace convoy::doctor {
namespace {

void add_limits(Facts& facts) {
  const std::array<std::pair<const char*, __rlimit_resource_t>, 6> limits{{{"memlock", RLIMIT_MEMLOCK},
                                                                           {"open files", RLIMIT_NOFILE},
                                                                           {"stack", RLIMIT_STACK},
                                                                           {"file size", RLIMIT_FSIZE},
                                                                           {"processor time", RLIMIT_CPU},
                                                                           {"processes", RLIMIT_NPROC}}};
  for (const auto& [name, resource] : limits) {
    rlimit limit{};
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
      facts[std::string("limit ") + name] = std::to_string(limit.rlim_cur);
  }
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<std::string> entries(const std::string& folder) {
  try {
    return io::list_folder(folder);
  } catch (const std::exception&) {
    return {};
  }
}

/// Active InfiniBand (or RoCE, Omni-Path) ports, and the speed of the fastest other network device.
void add_devices(Facts& facts) {
  const std::string fabric = "/sys/class/infiniband/";
  std::vector<std::string> active;
  for (const std::string& device : entries(fabric))
    for (const std::string& port : entries(fabric + device + "/ports"))
      if (first_line(fmt::format("{}{}/ports/{}/state", fabric, device, port)).find("ACTIVE") !=
          std::string::npos)
        active.push_back(device);
  if (!active.empty()) facts["infiniband"] = join(active, " ");
  std::int64_t fastest = 0;  // Mbit/s
  for (const std::string& device : entries("/sys/class/net")) {
    const std::string folder = "/sys/class/net/" + device;
    if (device == "lo" || first_line(folder + "/operstate") != "up") continue;
    const std::int64_t speed = parse_integer(first_line(folder + "/speed")).value_or(0);
    // The speed of devices without a cable (bridges, virtual pairs) is meaningless.
    if (speed <= fastest || !io::exists(folder + "/device")) continue;
    fastest = speed;
    facts["network device"] = device;
    facts["network speed"] = std::to_string(speed);
  }
}

void add_folders(Facts& facts) {
  const char* variable = std::getenv("TMPDIR");
  const std::string folder = variable == nullptr || *variable == '\0' ? "/tmp" : variable;
  facts["tmpdir"] = folder;
  try {
    const machine::ScratchFolder scratch(folder);
    (void)machine::timed_write(scratch.path() + "/file", 4096);
    facts["tmpdir free"] = std::to_string(machine::file_system_of(folder).free_bytes);
  } catch (const std::exception& error) {
    facts["tmpdir problem"] = error.what();
  }
  try {
    const machine::FileSystem shared = machine::file_system_of("/dev/shm");
    facts["shm size"] = std::to_string(shared.bytes);
    facts["shm free"] = std::to_string(shared.free_bytes);
  } catch (const std::exception& error) {
    facts["shm problem"] = error.what();
  }
}

void add_kernels(Facts& facts) {
  facts["isa here"] = kernels::to_string(kernels::supported_isas().back());
  try {
    facts["isa"] = kernels::to_string(kernels::choose_isa());
  } catch (const std::exception& error) {
    facts["isa problem"] = error.what();
  }
}

Facts own_facts(std::int64_t asked_threads) {
  Facts facts{{"convoy", std::string(version())},
              {"program", to_hex(step::build_digest())},
              {"mpi", comm::Environment::library_version()},
              {"hdf5", io::hdf5_version()},
              {"available memory", std::to_string(available_memory())}};
  for (const char* name : {"OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "OMP_DYNAMIC",
                           "OMP_THREAD_LIMIT", "OMP_WAIT_POLICY", "SLURM_CPUS_PER_TASK", "CONVOY_ISA",
                           "HDF5_USE_FILE_LOCKING", "OMPI_MCA_btl", "OMPI_MCA_pml"})
    if (const char* value = std::getenv(name)) facts[name] = value;
  int threads = 1;
  try {
    threads = machine::resolve_threads(asked_threads);
  } catch (const std::exception& error) {
    facts["threads problem"] = error.what();
  }
  facts["threads"] = std::to_string(threads);
  add_kernels(facts);
  add_limits(facts);
  add_devices(facts);
  add_folders(facts);
  return facts;
}

}  // namespace

void gather_facts(CheckContext& context) {
  const Facts mine = own_facts(context.run ? context.run->options.threads : context.asked.threads);
  for (const std::string& each : context.world.all_gather_text(train::packed(mine)))
    context.facts.push_back(train::unpacked(each));
  context.placements = machine::gather_placements(
      context.world, static_cast<int>(parse_integer(mine.at("threads")).value_or(1)));
  const int first = context.node.broadcast_value(context.world.rank());
  for (const int each : context.world.all_gather_values(std::vector{first}))
    if (std::ranges::find(context.firsts, each) == context.firsts.end()) context.firsts.push_back(each);
  const std::vector<int> sizes = context.world.all_gather_values(std::vector{context.node.size()});
  context.ranks_of_host = *std::ranges::max_element(sizes);
  if (!context.run) return;
  Needs needs;
  if (context.world.is_root()) {
    try {
      needs = needs_of(*context.run, context.world.size(), context.hosts(), context.ranks_of_host,
                       context.placements.front().threads);
    } catch (const std::exception&) {
      // Not even one micro-batch fits: check_memory() reports the available memory.
    }
  }
  context.needs = context.world.broadcast_value(needs);
}

}  // namespace convoy::doctor
