#pragma once
// The data and helper functions of the checks of `doctor`. Private to the doctor room.

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

inline constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

/// Facts about one rank: name and value.
using Facts = std::map<std::string, std::string>;

struct CheckContext {
  const DoctorRequest& asked;
  comm::Communicator world;
  comm::Communicator node;
  std::string dir{};                             ///< whose file system is tried
  std::vector<Facts> facts{};                    ///< by rank
  std::vector<machine::Placement> placements{};  ///< by rank
  std::vector<int> firsts{};                     ///< the first rank of each node, rising
  int ranks_of_host = 1;                         ///< of the node that has most
  std::unique_ptr<PlannedRun> run{};             ///< on all ranks, or on none
  Needs needs{};                                 ///< of `run`; zeros where there is none, or it is not known

  [[nodiscard]] int hosts() const { return static_cast<int>(firsts.size()); }
  /// A numeric fact; 0 if missing.
  [[nodiscard]] double number(int rank, const std::string& fact) const;
  /// A fact; empty if missing.
  [[nodiscard]] std::string text(int rank, const std::string& fact) const;
  /// "rank 2 on n3", "ranks 0-1 on n1", "ranks 0-7 on n1, n2", "all ranks".
  [[nodiscard]] std::string named(const std::vector<int>& ranks) const;
  /// The name of a rank's node.
  [[nodiscard]] const std::string& host(int rank) const {
    return placements[static_cast<std::size_t>(rank)].host;
  }
};

/// A check's finding; run_checks() fills in the name of the check.
[[nodiscard]] Finding ok(std::string text);
[[nodiscard]] Finding warning(std::string text, std::string remedy);
[[nodiscard]] Finding wrong(std::string text, std::string remedy);

/// The findings of a check: at least one.
using Findings = std::vector<Finding>;

/// Groups ranks by text (one text per rank); skips empty texts.
[[nodiscard]] std::map<std::string, std::vector<int>> ranks_by(const std::vector<std::string>& texts);

/// Collective over `world`. Every rank runs `action`, which must make no collective call. Returns the error
/// messages by rank, empty without an error.
[[nodiscard]] std::vector<std::string> try_on_all(const comm::Communicator& world,
                                                  const std::function<void()>& action);

/// Collective. Gathers the facts of all ranks.
void gather_facts(CheckContext& context);

// The checks, in the order of run_checks(). All are collective; only the result of rank 0 is used.
// places.cpp:
[[nodiscard]] Findings check_launcher(const CheckContext& context);
[[nodiscard]] Findings check_mpi(const CheckContext& context);
[[nodiscard]] Findings check_program(const CheckContext& context);
[[nodiscard]] Findings check_instruction_set(const CheckContext& context);
[[nodiscard]] Findings check_bindings(const CheckContext& context);
[[nodiscard]] Findings check_openmp(const CheckContext& context);
// limits.cpp:
[[nodiscard]] Findings check_limits(const CheckContext& context);
[[nodiscard]] Findings check_memory(const CheckContext& context);
[[nodiscard]] Findings check_temporary_folder(const CheckContext& context);
[[nodiscard]] Findings check_shared_memory(const CheckContext& context);
// links.cpp:
[[nodiscard]] Findings check_clocks(const CheckContext& context);
[[nodiscard]] Findings check_network(const CheckContext& context);

/// Tests the file system of context.dir, in a temporary folder that is removed at the end (files.cpp). All
/// functions are collective; call them in this order.
class RunFolder {
 public:
  explicit RunFolder(const CheckContext& context) : context_(context) {}

  /// The folder is writable, all nodes see files that rank 0 writes and renames, and rank 0 sees the files of
  /// all nodes.
  [[nodiscard]] Findings check_sharing();
  /// Compares free space, free files, quota and the process's file size limit with the needs of the run.
  [[nodiscard]] Findings check_space() const;
  [[nodiscard]] Findings check_locks() const;
  /// Writes an HDF5 file by rank 0 alone, then one by all ranks together, one of which has nothing to write.
  [[nodiscard]] Findings check_hdf5() const;

 private:
  /// Writes on rank 0; returns the problem.
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
