#include "convoy/doctor/doctor.hpp"

#include <fmt/core.h>

#include <utility>

#include "check_context.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::doctor {
namespace {

/// Collective. Returns the planned run on all ranks, or null on all ranks.
Findings read_configuration(CheckContext& context) {
  if (!context.asked.plan) return {};
  const std::vector<std::string> problems =
      try_on_all(context.world, [&] { context.run = context.asked.plan(); });
  // The other checks need the plan of rank 0, if there is one.
  Findings found;
  std::map<std::string, std::vector<std::string>>
      where;  // CheckContext::named() needs facts that are gathered later
  const std::vector<std::string> hosts = context.world.all_gather_text(comm::host_name());
  for (std::size_t rank = 0; rank < problems.size(); ++rank)
    if (!problems[rank].empty())
      where[problems[rank]].push_back(comm::rank_on_host(static_cast<int>(rank), hosts));
  for (const auto& [problem, ranks] : where)
    found.push_back(
        wrong(fmt::format("{} [{}]", problem, join(ranks, ", ")),
              "mend the configuration, and let every node see it and its data at the same paths"));
  if (!found.empty()) {
    if (context.run) context.dir = context.run->options.dir;
    context.run.reset();
    return found;
  }
  context.dir = context.run->options.dir;
  return {ok(fmt::format("network of {} parameters, run.dir {}",
                         grouped(context.run->network.parameter_count()), context.dir))};
}

class Checks {
 public:
  explicit Checks(const DoctorRequest& asked, const comm::Communicator& world)
      : asked_(asked), context_{.asked = asked, .world = world, .node = world.node()} {}

  void run() {
    if (asked_.plan) check("configuration", [&] { return read_configuration(context_); });
    if (!asked_.dir.empty()) context_.dir = asked_.dir;
    context_.dir = context_.world.broadcast(context_.dir.empty() ? "." : context_.dir);
    begin("facts");
    gather_facts(context_);
    check("launcher", [&] { return check_launcher(context_); });
    check("mpi", [&] { return check_mpi(context_); });
    check("program", [&] { return check_program(context_); });
    check("instructions", [&] { return check_instruction_set(context_); });
    check("bindings", [&] { return check_bindings(context_); });
    check("threads", [&] { return check_openmp(context_); });
    check("limits", [&] { return check_limits(context_); });
    check("memory", [&] { return check_memory(context_); });
    check("tmpdir", [&] { return check_temporary_folder(context_); });
    check("shared memory", [&] { return check_shared_memory(context_); });
    check("clock", [&] { return check_clocks(context_); });
    check("network", [&] { return check_network(context_); });
    RunFolder folder(context_);
    check("run.dir", [&] { return folder.check_sharing(); });
    check("space", [&] { return folder.check_space(); });
    check("locks", [&] { return folder.check_locks(); });
    check("hdf5", [&] { return folder.check_hdf5(); });
    begin("end");
    context_.world.barrier();  // no rank uses the folder any more
  }

 private:
  void begin(const std::string& name) const {
    if (asked_.begin) asked_.begin(name);
  }
  template <class Check>
  void check(const std::string& name, const Check& make) {
    begin(name);
    for (Finding& finding : make()) {
      finding.check = name;
      if (context_.world.is_root() && asked_.tell) asked_.tell(finding);
    }
  }

  const DoctorRequest& asked_;
  CheckContext context_;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kWrong:
      break;
  }
  return "wrong";
}

void run_checks(const DoctorRequest& asked, const comm::Communicator& world) {
  Checks(asked, world).run();
}

}  // namespace convoy::doctor
