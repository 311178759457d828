#include "convoy/machine/placement.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <optional>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"
#include "machine/processor_quota.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::machine {
namespace {

/// Sets (or removes) an environment variable for a scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = ::getenv(name)) old_ = old;
    set(value);
  }
  ~Variable() { set(old_ ? old_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) const {
    if (value != nullptr) {
      ::setenv(name_, value, 1);
    } else {
      ::unsetenv(name_);
    }
  }
  const char* name_;
  std::optional<std::string> old_;
};

TEST(ResolveThreads, TakesTheConfigurationThenOpenMpThenSlurmThenTheAffinityMask) {
  const Variable slurm("SLURM_CPUS_PER_TASK", "5");
  {
    const Variable open_mp("OMP_NUM_THREADS", "3,2");  // one number per nesting level; the first is used
    EXPECT_EQ(resolve_threads(7), 7);
    EXPECT_EQ(resolve_threads(0), 3);
  }
  const Variable no_open_mp("OMP_NUM_THREADS", nullptr);
  EXPECT_EQ(resolve_threads(0), 5);
  const Variable no_slurm("SLURM_CPUS_PER_TASK", nullptr);
  const auto mask = gather_placements(comm::Communicator::self(), 1).front().processor_numbers.size();
  EXPECT_EQ(resolve_threads(0), static_cast<int>(mask));
}

TEST(ResolveThreads, RefusesAVariableThatIsNoNumberOfThreads) {
  for (const char* wrong : {"0", "-1", "two", "1.5", "99999"}) {
    const Variable open_mp("OMP_NUM_THREADS", wrong);
    EXPECT_THROW((void)resolve_threads(0), ConfigError) << wrong;
  }
}

Placement place(const std::string& host, std::vector<int> processors, int threads) {
  return {.host = host, .processors = "?", .processor_numbers = std::move(processors), .threads = threads};
}

class ControlGroups : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& content) const {
    io::make_directories(io::folder_of(root_ / path));
    test::write_bytes(root_ / path, content);
  }
  const test::ScratchFolder root_;
};

TEST_F(ControlGroups, OfVersion2LimitBelowAndAbove) {
  write("proc/self/cgroup", "0::/user/job\n");
  write("proc/self/mountinfo", "31 20 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n");
  EXPECT_FALSE(processor_quota(root_.path()));
  write("sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
  EXPECT_FALSE(processor_quota(root_.path()));
  write("sys/fs/cgroup/user/cpu.max", "250000 100000\n");
  EXPECT_EQ(processor_quota(root_.path()).value().processors, 2.5);
  write("sys/fs/cgroup/user/job/cpu.max", "100000 100000\n");
  EXPECT_EQ(processor_quota(root_.path()).value().processors, 1);
  EXPECT_EQ(processor_quota(root_.path()).value().group, "/sys/fs/cgroup/user/job");
}

TEST_F(ControlGroups, OfVersion1InAContainerLieAtTheMountPoint) {
  write("proc/self/cgroup", "12:devices:/docker/1\n4:cpu,cpuacct:/docker/1\n");
  write("proc/self/mountinfo",
        "40 30 0:35 /docker/1 /sys/fs/cgroup/devices ro - cgroup cgroup rw,devices\n"
        "41 30 0:36 /docker/1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(processor_quota(root_.path()));
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n");
  EXPECT_EQ(processor_quota(root_.path()).value().processors, 1.5);
}

TEST_F(ControlGroups, OfAnotherNameSpaceOrTornFilesAreNoLimit) {
  write("proc/self/cgroup", "0::/../other\nnonsense\n");
  write("proc/self/mountinfo", "31 20 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\nx\n");
  write("sys/fs/cgroup/cpu.max", "12");
  EXPECT_FALSE(processor_quota(root_.path()));
}

TEST(PlacementProblems, NameMoreThreadsThanAControlGroupGrantsTime) {
  Placement first = place("a", {0, 1, 2, 3}, 2);
  first.quota = 2;
  EXPECT_TRUE(placement_problems({first}).empty());
  first.quota = 1.5;
  const auto problems = placement_problems({first, place("b", {0, 1}, 2)});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_HOLDS(problems.front().text(),
               "a runs 2 threads, but its control group grants the time of 1.5 processors");
}

TEST(PlacementProblems, NameHostsWithMoreThreadsThanProcessors) {
  const auto problems =
      placement_problems({place("a", {0, 1}, 1), place("a", {0, 1}, 1), place("b", {0, 1}, 3)});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems.front().what.rfind("b runs 3 threads", 0), 0U) << problems.front().text();
}

TEST(PlacementProblems, CountAProcessorThatRanksShareOnce) {
  EXPECT_EQ(placement_problems({place("a", {0}, 1), place("a", {0}, 1)}).size(), 1U);
  EXPECT_TRUE(placement_problems({place("a", {0}, 1), place("a", {1}, 1)}).empty());
}

TEST(PlacementProblems, NameRanksThatShareTooFewProcessorsOfAHostThatHasEnough) {
  const auto problems = placement_problems({place("a", {0, 1}, 2), place("a", {0, 1}, 2),
                                            place("a", {2, 3, 4, 5, 6, 7}, 1), place("b", {0, 1}, 2)});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_HOLDS(problems.front().text(), "a runs 4 threads (ranks 0-1) on 2 processors (0-1)");
  EXPECT_HOLDS(problems.front().text(), "ppr:3:node:pe=2 --bind-to core");
  EXPECT_HOLDS(problems.front().text(), "srun --cpus-per-task=2");
}

TEST(PlacementProblems, NameBindingsThatOverlapInPart) {
  const auto problems =
      placement_problems({place("a", {0, 1, 2}, 2), place("a", {4, 5}, 2), place("a", {2, 3, 4}, 2)});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_HOLDS(problems.front().text(), "bindings overlap on a (ranks 0-2 share some of the processors 0-5)");
}

TEST(PlacementProblems, NameRanksThatOpenMpPinsToTheSameCores) {
  Placement pinned = place("a", {0, 1, 2, 3}, 1);
  pinned.pinned = {0};
  pinned.pinned_by = "OMP_PLACES=cores";
  EXPECT_TRUE(placement_problems({pinned}).empty());
  const auto problems = placement_problems({pinned, pinned, place("b", {0, 1, 2, 3}, 1)});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_HOLDS(problems.front().text(),
               "OpenMP pins the 2 threads of ranks 0-1 on a to 1 core (processor 0), though they may run on "
               "0-3 (OMP_PLACES=cores)");
  EXPECT_HOLDS(problems.front().remedy, "unset OMP_PLACES, or give each rank its own");
  Placement other = pinned;
  other.pinned = {1};
  EXPECT_TRUE(placement_problems({pinned, other}).empty());
  // Two ranks of three threads, on the first three of eight.
  Placement wide = place("a", {0, 1, 2, 3, 4, 5, 6, 7}, 3);
  wide.pinned = {0, 1, 2};
  wide.pinned_by = "OMP_PROC_BIND=close, OMP_PLACES={0},{1},{2}";
  ASSERT_EQ(placement_problems({wide, wide}).size(), 1U);
  EXPECT_HOLDS(placement_problems({wide, wide}).front().text(), "to 3 cores (processors 0-2)");
  EXPECT_HOLDS(placement_problems({wide, wide}).front().remedy, "unset OMP_PROC_BIND and OMP_PLACES, or");
}

TEST(PlacementProblems, SayNothingOfRanksThatMayRunAnywhere) {
  EXPECT_TRUE(placement_problems({place("a", {0, 1, 2, 3}, 2), place("a", {0, 1, 2, 3}, 2)}).empty());
}

TEST(Placement, IsWhereTheSystemLetsThisThreadRun) {
  std::vector<int> allowed;
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) allowed.push_back(i);
  const Placement mine = gather_placements(comm::Communicator::self(), 1).front();
  EXPECT_EQ(mine.processor_numbers, allowed);
  EXPECT_EQ(mine.processors, in_ranges(allowed));
}

TEST(Placement, NamesNumaDomainsOfAHostThatHasSeveral) {
  const Variable host("HWLOC_SYNTHETIC",
                      "numa:2 core:2 pu:1");  // replaces the real topology
  EXPECT_EQ(describe_placements(gather_placements(comm::Communicator::self(), 1)),
            "  rank 0 on " + comm::host_name() + ", 1 thread, processors 0-3, NUMA domains 0-1\n");
  EXPECT_EQ(describe_domains({.host = "a", .processors = "2-3", .processor_numbers = {2, 3}, .domains = {1}}),
            ", NUMA domain 1");
}

TEST(Placement, NeighboursThatAreAlikeShareALine) {
  const std::string text = describe_placements({place("a", {0}, 2), place("a", {0}, 2), place("b", {0}, 2)});
  EXPECT_EQ(text,
            "  rank 0 to 1 on a, 2 threads each, processors ?\n  rank 2 on b, 2 threads, processors ?\n");
}

}  // namespace
}  // namespace convoy::machine
