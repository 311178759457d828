// The keys of [comm].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {

std::vector<Key> comm_keys() {
  return {
      speed(integer_key(
          "comm.bucket-bytes", [](auto& o) -> auto& { return o.comm.bucket_bytes; },
          {4096, std::int64_t{1} << 40},
          "most bytes of a gradient that leave for other ranks together, as soon as they are complete")),
      speed(yes_no_key(
          "comm.overlap", [](auto& o) -> auto& { return o.comm.overlap; },
          "no: gradients leave when the whole backward pass is done, for comparison")),
      speed(duration_key(
          "comm.timeout", [](auto& o) -> auto& { return o.comm.timeout_seconds; },
          "end the job with status 6 where a rank sees nothing go on for so long; 0: never")),
      speed(integer_key(
          "comm.verify-every", [](auto& o) -> auto& { return o.comm.verify_every; }, {},
          "steps between comparisons of every rank's parameters with what their owners computed; 0: at the "
          "end of "
          "each epoch alone")),
      choice_key(
          "comm.reduction", [](auto& o) -> auto& { return o.comm.reduction; }, {"tree", "mpi"},
          "who adds gradients: tree, the fixed tree; mpi, MPI_Iallreduce, for machines whose network adds: "
          "not "
          "the same bits on other rank counts, and neither shared memory nor shared optimizer state"),
      choice_key(
          "comm.wire", [](auto& o) -> auto& { return o.comm.wire; }, {"fp32", "bf16"},
          "form of every micro-batch's gradient and of all sums of them: bf16 halves what is sent of them, "
          "and "
          "rounds each to within 1/256 of itself, the same at any rank count"),
      speed(yes_no_key(
          "comm.shard-optimizer", [](auto& o) -> auto& { return o.comm.shards_optimizer; },
          "yes: each rank keeps and updates its part of the optimizer's state; no: every node all of it")),
      speed(yes_no_key(
          "comm.shared-memory", [](auto& o) -> auto& { return o.comm.shared_memory; },
          "no: ranks of one node send each other messages, as if each had a node of its own")),
  };
}

}  // namespace convoy::config
