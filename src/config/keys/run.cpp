// The keys of [run].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {

std::vector<Key> run_keys() {
  return {
      place(path_key(
          "run.dir", [](auto& o) -> auto& { return o.dir; }, "DIR",
          "where checkpoints, metrics and the effective configuration go")),
      speed(integer_key(
          "run.threads", [](auto& o) -> auto& { return o.threads; }, {0, 4096},
          "threads a rank; 0: OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the affinity mask")),
      place(integer_key(
          "run.log-every", [](auto& o) -> auto& { return o.log_every; }, {1},
          "steps between step lines of metrics.jsonl")),
      place(duration_key(
          "run.max-time", [](auto& o) -> auto& { return o.max_seconds; },
          "checkpoint and leave with status 75 before this time is over; 0: no limit")),
      place(yes_no_key(
          "run.profile", [](auto& o) -> auto& { return o.profile; },
          "yes: tell at the end where the time of the steps went")),
      place(choice_key(
          "run.hashes", [](auto& o) -> auto& { return o.hashes; }, {"none", "state", "layers"},
          "what of every step is recorded in hashes.jsonl, for convoy verify --runs: state, a hash of each "
          "tensor after the update; layers, also of each layer's outputs and gradients")),
  };
}

}  // namespace convoy::config
