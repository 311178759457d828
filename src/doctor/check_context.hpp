#pragma once
// What the checks of `doctor` work on, and the words they share. Private to the train room.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/doctor/doctor.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/machine/probe.hpp"

namespace convoy::doctor {

/// What one rank knows of itself: name and value.
using Facts = std::map<std::string, std::string>;

struct CheckContext {
  const DoctorRequest& asked;
  comm::Communicator world;
  comm::Communicator node;
  std::string dir{};                             ///< whose file system is tried
  std::vector<Facts> facts{};                    ///< by rank
  std::vector<machine::Placement> placements{};  ///< by rank
  std::vector<int> firsts{};                     ///< the first rank of each host, rising
  int ranks_of_host = 1;                         ///< of the host that has most
  std::unique_ptr<PlannedRun> run{};             ///< on all ranks, or on none
  Needs needs{};                                 ///< of `run`; zeros where there is none, or it is not known

  [[nodiscard]] int hosts() const { return static_cast<int>(firsts.size()); }
  /// A fact that is a number; 0 where it is not there.
  [[nodiscard]] double number(int rank, const std::string& fact) const;
  /// Empty where it is not there.
  [[nodiscard]] std::string text(int rank, const std::string& fact) const;
  /// "rank 2 on n3", "ranks 0-1 on n1", "ranks 0-7 on n1, n2", "all ranks".
  [[nodiscard]] std::string named(const std::vector<int>& ranks) const;
  /// The name of a rank's host.
  [[nodiscard]] const std::string& host(int rank) const {
    return placements[static_cast<std::size_t>(rank)].host;
  }
};

/// A check's finding; run_checks() adds which check it was.
[[nodiscard]] Finding ok(std::string text);
[[nodiscard]] Finding warning(std::string text, std::string remedy);
[[nodiscard]] Finding wrong(std::string text, std::string remedy);

/// What a check found: never nothing.
using Findings = std::vector<Finding>;

/// Ranks by a text each; empty texts left out.
[[nodiscard]] std::map<std::string, std::vector<int>> ranks_by(const std::vector<std::string>& texts);

/// Collective over `world`. Every rank runs `action`, which makes no collective call; the messages of errors,
/// by rank, empty where there was none.
[[nodiscard]] std::vector<std::string> try_on_all(const comm::Communicator& world,
                                                  const std::function<void()>& action);

/// Collective. Facts of all ranks.
void gather_facts(CheckContext& context);

// The checks. All are collective, in the order in which run_checks() makes them; what they return matters on
// rank 0. doctor_places.cpp
[[nodiscard]] Findings check_launcher(const CheckContext& context);
[[nodiscard]] Findings check_mpi(const CheckContext& context);
[[nodiscard]] Findings check_program(const CheckContext& context);
[[nodiscard]] Findings check_instruction_set(const CheckContext& context);
[[nodiscard]] Findings check_bindings(const CheckContext& context);
[[nodiscard]] Findings check_openmp(const CheckContext& context);
// doctor_limits.cpp
[[nodiscard]] Findings check_limits(const CheckContext& context);
[[nodiscard]] Findings check_memory(const CheckContext& context);
[[nodiscard]] Findings check_temporary_folder(const CheckContext& context);
[[nodiscard]] Findings check_shared_memory(const CheckContext& context);
// doctor_links.cpp
[[nodiscard]] Findings check_clocks(const CheckContext& context);
[[nodiscard]] Findings check_network(const CheckContext& context);

/// Tries the file system of context.dir, in a folder of its own that is removed at the end
/// (doctor_files.cpp). Collective, in this order.
class RunFolder {
 public:
  explicit RunFolder(const CheckContext& context) : context_(context) {}

  /// It can be written, what rank 0 writes and renames there is seen by all hosts, and what they write by
  /// rank 0.
  [[nodiscard]] Findings check_sharing();
  /// Room, files, quota and the process's own limit, against what the run needs.
  [[nodiscard]] Findings check_space() const;
  [[nodiscard]] Findings check_locks() const;
  /// HDF5 files by rank 0 alone, then by all ranks together, one of which has nothing to write.
  [[nodiscard]] Findings check_hdf5() const;

 private:
  /// Writes on rank 0: what goes wrong.
  [[nodiscard]] std::string write_first(double& seconds, double& ahead);
  [[nodiscard]] std::vector<std::string> try_sharing() const;
  [[nodiscard]] std::string path(const std::string& name) const { return scratch_path_ + '/' + name; }

  const CheckContext& context_;
  std::string folder_;                               // that is there: context.dir, or above it
  std::unique_ptr<machine::ScratchFolder> scratch_;  // on rank 0
  std::string scratch_path_;                         // on all; empty: there is none
  bool is_shared_ = false;
};

}  // namespace convoy::doctor
