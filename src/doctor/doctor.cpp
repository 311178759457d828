#include "convoy/doctor/doctor.hpp"

#include <fmt/core.h>

#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "scene.hpp"

namespace convoy::doctor {
namespace {

/// Collective. The planned run, on all ranks or on none.
Findings read_configuration(Scene& scene) {
  if (!scene.asked.plan) return {};
  const std::vector<std::string> problems = try_on_all(scene.world, [&] { scene.run = scene.asked.plan(); });
  // Rank 0's is needed for the rest, if there is any.
  Findings found;
  std::map<std::string, std::vector<std::string>> where;  // Scene::named() needs what is gathered later
  const std::vector<std::string> hosts = scene.world.all_gather_text(comm::host_name());
  for (std::size_t rank = 0; rank < problems.size(); ++rank)
    if (!problems[rank].empty())
      where[problems[rank]].push_back(comm::rank_on_host(static_cast<int>(rank), hosts));
  for (const auto& [problem, ranks] : where)
    found.push_back(
        wrong(fmt::format("{} [{}]", problem, join(ranks, ", ")),
              "mend the configuration, and let every host see it and its data at the same paths"));
  if (!found.empty()) {
    if (scene.run) scene.dir = scene.run->options.dir;
    scene.run.reset();
    return found;
  }
  scene.dir = scene.run->options.dir;
  return {ok(fmt::format("network of {} parameters, run.dir {}",
                         grouped(scene.run->network.parameter_count()), scene.dir))};
}

class Examiner {
 public:
  explicit Examiner(const Examination& asked, const comm::Communicator& world)
      : asked_(asked), scene_{.asked = asked, .world = world, .node = world.node()} {}

  void run() {
    if (asked_.plan) check("configuration", [&] { return read_configuration(scene_); });
    if (!asked_.dir.empty()) scene_.dir = asked_.dir;
    scene_.dir = scene_.world.broadcast(scene_.dir.empty() ? "." : scene_.dir);
    begin("facts");
    gather_facts(scene_);
    check("launcher", [&] { return check_launcher(scene_); });
    check("mpi", [&] { return check_mpi(scene_); });
    check("program", [&] { return check_program(scene_); });
    check("instructions", [&] { return check_instruction_set(scene_); });
    check("bindings", [&] { return check_bindings(scene_); });
    check("threads", [&] { return check_openmp(scene_); });
    check("limits", [&] { return check_limits(scene_); });
    check("memory", [&] { return check_memory(scene_); });
    check("tmpdir", [&] { return check_temporary_folder(scene_); });
    check("shared memory", [&] { return check_shared_memory(scene_); });
    check("clock", [&] { return check_clocks(scene_); });
    check("network", [&] { return check_network(scene_); });
    RunFolder folder(scene_);
    check("run.dir", [&] { return folder.check_sharing(); });
    check("space", [&] { return folder.check_space(); });
    check("locks", [&] { return folder.check_locks(); });
    check("hdf5", [&] { return folder.check_hdf5(); });
    begin("end");
    scene_.world.barrier();  // nobody is in the folder any more
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
      if (scene_.world.is_root() && asked_.tell) asked_.tell(finding);
    }
  }

  const Examination& asked_;
  Scene scene_;
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

void examine(const Examination& asked, const comm::Communicator& world) {
  Examiner(asked, world).run();
}

}  // namespace convoy::doctor
