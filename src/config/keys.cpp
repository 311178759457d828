#include "convoy/config/keys.hpp"

#include <algorithm>
#include <string_view>

#include "convoy/config/suggest.hpp"
#include "key_makers.hpp"

namespace convoy::config {
namespace {

std::vector<Key> make_keys() {
  constexpr std::int64_t kMillion = 1'000'000;
  return {
      place(path_key(
          "data.file", [](auto& o) -> auto& { return o.data.file; }, "FILE",
          "data set, made by convoy import or convoy synth, or any HDF5 file (data.images); a pattern such "
          "as "
          "shards/*.h5 means all that match, in the order of their names' bytes")),
      optional(path_key(
          "data.images", [](auto& o) -> auto& { return o.data.train.images; }, "/PATH",
          "where in an HDF5 file of your own the images lie: integers, bool, float16, float32 or float64; "
          "with a pattern in data.file also one image per file")),
      optional(path_key(
          "data.labels", [](auto& o) -> auto& { return o.data.train.labels; }, "/PATH",
          "with data.images: where their classes lie, as numbers, one-hot rows or strings; /TABLE[3:8] are "
          "columns, /TABLE.FIELD a field")),
      place(optional(path_key(
          "data.labels-file", [](auto& o) -> auto& { return o.data.train.labels_file; }, "FILE",
          "file or pattern that holds the labels; default data.file"))),
      optional(path_key(
          "data.targets", [](auto& o) -> auto& { return o.data.train.targets; }, "/PATH",
          "with data.images, instead of labels: the numbers that the network's outputs should be, [N][...]; "
          "for the quadratic loss")),
      place(optional(path_key(
          "data.targets-file", [](auto& o) -> auto& { return o.data.train.targets_file; }, "FILE",
          "file or pattern that holds the targets; default data.file"))),
      choice_key(
          "data.layout", [](auto& o) -> auto& { return o.data.axes; }, data::axes_names(),
          "with data.images: the order of their extents", data::kOtherAxes),
      shape_key(),
      choice_key(
          "data.label-values", [](auto& o) -> auto& { return o.data.label_values; }, {"as-is", "sorted"},
          "sorted: the values that occur, in order, become classes 0, 1, …"),
      integer_key(
          "data.classes", [](auto& o) -> auto& { return o.data.classes; }, {0, kMillion},
          "number of classes, where the data lack some; 0: as many as there are names, or labels"),
      optional(path_key(
          "data.class-names", [](auto& o) -> auto& { return o.data.class_names; }, "NAMES",
          "names of the classes: a list 'ant, bee', or /PATH of names in the first file")),
      place(optional(path_key(
          "data.test-file", [](auto& o) -> auto& { return o.data.test_file; }, "FILE",
          "with data.images: file or pattern of the test split; default data.file, where test-images is "
          "given"))),
      optional(path_key(
          "data.test-images", [](auto& o) -> auto& { return o.data.test.images; }, "/PATH",
          "images of the test split; default data.images, where test-file is given")),
      optional(path_key(
          "data.test-labels", [](auto& o) -> auto& { return o.data.test.labels; }, "/PATH",
          "their classes; default data.labels")),
      optional(path_key(
          "data.test-targets", [](auto& o) -> auto& { return o.data.test.targets; }, "/PATH",
          "their targets; default data.targets")),
      place(optional(path_key(
          "data.test-labels-file", [](auto& o) -> auto& { return o.data.test.labels_file; }, "FILE",
          "file or pattern that holds the test split's labels"))),
      place(optional(path_key(
          "data.test-targets-file", [](auto& o) -> auto& { return o.data.test.targets_file; }, "FILE",
          "file or pattern that holds the test split's targets"))),
      number_key(
          "data.validation-part", [](auto& o) -> auto& { return o.data.held_out.validation_part; },
          [](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1",
          "part of each class of the training split that is held out for validation"),
      integer_key(
          "data.validation-seed", [](auto& o) -> auto& { return o.data.held_out.validation_seed; }, {},
          "which samples those are"),
      optional(path_key(
          "data.split", [](auto& o) -> auto& { return o.data.held_out.split; }, "/PATH",
          "a column that says of each sample of data.images in which split it is: 0, 1, 2 or train, "
          "validation, test")),
      optional(path_key(
          "data.train-index", [](auto& o) -> auto& { return o.data.held_out.train_index; }, "/PATH",
          "numbers of the samples to train (or a bool for each); default those of no other index")),
      optional(path_key(
          "data.validation-index", [](auto& o) -> auto& { return o.data.held_out.validation_index; }, "/PATH",
          "numbers of the samples held out for validation")),
      optional(path_key(
          "data.test-index", [](auto& o) -> auto& { return o.data.held_out.test_index; }, "/PATH",
          "numbers of the samples held out for the test")),
      choice_key(
          "data.transform", [](auto& o) -> auto& { return o.data.function; }, {"none", "log1p"},
          "log1p: log(1 + x) of each number as stored, before it is normalised"),
      choice_key(
          "data.normalize", [](auto& o) -> auto& { return o.data.normalize; }, {"dataset", "none"},
          "dataset: by the mean and standard deviation stored in the file"),
      yes_no_key(
          "data.shuffle", [](auto& o) -> auto& { return o.data.shuffle; }, "no: file order, every epoch"),
      speed(yes_no_key(
          "data.verify", [](auto& o) -> auto& { return o.data.verify; },
          "yes: verify the checksum of a data set above 4 GiB too; smaller ones always are")),
      augment_key(),
      speed(choice_key(
          "data.cache", [](auto& o) -> auto& { return o.data.cache; }, {"auto", "memory", "none"},
          "memory: images are held once per node; none: read while they are trained; auto: memory where "
          "they take less than half of what is free. No bit depends on it")),
      choice_key(
          "data.order", [](auto& o) -> auto& { return o.data.order; }, {"full", "chunks"},
          "full: an epoch's samples in any order; chunks: stretches of the file (chunks, about 1 MiB "
          "together) in any order, then samples within windows: each is read once"),
      mebibytes_key(
          "data.window", [](auto& o) -> auto& { return o.data.window_bytes; },
          "MiB of images that order = chunks shuffles together; images that are not in memory are read "
          "so "
          "much at a time, into two buffers a node"),

      layer_key(),
      integer_key(
          "network.outputs", [](auto& o) -> auto& { return o.outputs; }, {0, kMillion},
          "outputs of the last dense or conv layer, whatever its line says; 0: as it says"),
      required(choice_key(
          "network.loss", [](auto& o) -> auto& { return o.loss; }, nn::loss_names(),
          "what is minimised; both cross-entropies take logits")),

      choice_key(
          "optimizer.name", [](auto& o) -> auto& { return o.optimizer.kind; }, optim::optimizer_names(),
          "stochastic gradient descent, as PyTorch's"),
      number_key(
          "optimizer.momentum", [](auto& o) -> auto& { return o.optimizer.momentum; },
          [](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1", "momentum"),
      yes_no_key(
          "optimizer.nesterov", [](auto& o) -> auto& { return o.optimizer.nesterov; },
          "Nesterov's momentum; needs momentum above 0"),
      number_key(
          "optimizer.weight-decay", [](auto& o) -> auto& { return o.optimizer.weight_decay; },
          [](double x) { return x >= 0 && x <= 1e30; }, "a number from 0 to 1e30",
          "L2 penalty, on the weights of conv and dense alone"),

      choice_key(
          "schedule.name", [](auto& o) -> auto& { return o.schedule.kind; }, optim::schedule_names(),
          "how the learning rate changes after the warm-up"),
      required(number_key(
          "schedule.lr", [](auto& o) -> auto& { return o.schedule.lr; }, usable_rate,
          "a number above 0, at most 1e30", "learning rate")),
      number_key(
          "schedule.warmup-epochs", [](auto& o) -> auto& { return o.schedule.warmup_epochs; }, not_negative,
          "a number of 0 or more", "epochs, also a fraction, over which the rate rises to lr"),
      step_epochs_key(),
      number_key(
          "schedule.step-factor", [](auto& o) -> auto& { return o.schedule.step_factor; }, usable_rate,
          "a number above 0, at most 1e30", "step: what the rate is multiplied by"),
      number_key(
          "schedule.final-lr", [](auto& o) -> auto& { return o.schedule.final_lr; },
          [](double x) { return x >= 0 && x <= 1e30; }, "a number from 0 to 1e30",
          "cosine and linear: the rate they end at"),

      integer_key(
          "train.epochs", [](auto& o) -> auto& { return o.epochs; }, {1, kMillion}, "passes over the data"),
      integer_key(
          "train.batch", [](auto& o) -> auto& { return o.batch; }, {1, kMillion},
          "samples a step, over all ranks together: never multiplied by the rank count"),
      integer_key(
          "train.micro-batch", [](auto& o) -> auto& { return o.micro_batch; }, {1, kMillion},
          "samples of one gradient computation; at most batch (and where not given, the batch if that is "
          "smaller). Batch / micro-batch is the most ranks that can share a step"),
      place(integer_key(
          "train.max-steps", [](auto& o) -> auto& { return o.max_steps; }, {},
          "stop after so many steps in all; 0: epochs decide")),
      choice_key(
          "train.precision", [](auto& o) -> auto& { return o.precision; }, {"fp32", "bf16"},
          "of the factors in convolutions and dense layers; sums, weights and everything else stay fp32. "
          "bf16 is "
          "faster where the processor multiplies it (AVX512-BF16)"),
      integer_key(
          "train.seed", [](auto& o) -> auto& { return o.seed; }, {},
          "of everything random: first weights, order of samples, dropout"),

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

      place(integer_key(
          "checkpoint.every-epochs", [](auto& o) -> auto& { return o.checkpoint_every_epochs; }, {},
          "epochs between checkpoints; 0: not by epochs (the last step is always kept)")),
      place(integer_key(
          "checkpoint.every-steps", [](auto& o) -> auto& { return o.checkpoint_every_steps; }, {},
          "steps between checkpoints; 0: not by steps")),
      place(yes_no_key(
          "checkpoint.at-start", [](auto& o) -> auto& { return o.checkpoint_at_start; },
          "yes: also the untrained network, as step-00000000.h5")),
      place(integer_key(
          "checkpoint.keep", [](auto& o) -> auto& { return o.keep; }, {1, kMillion},
          "how many of the newest checkpoints are kept")),
      speed(yes_no_key(
          "checkpoint.async", [](auto& o) -> auto& { return o.checkpoint_async; },
          "yes: steps go on while a copy of the state is written; no: they wait")),
      speed(integer_key(
          "checkpoint.retries", [](auto& o) -> auto& { return o.checkpoint_retries; }, {0, kMillion},
          "checkpoints in a row that may fail to be written (disk full, say) before the run ends with status "
          "4, as long as an earlier one stands")),
      speed(choice_key(
          "checkpoint.writers", [](auto& o) -> auto& { return o.checkpoint_writers; }, {"one", "node", "all"},
          "ranks that write a checkpoint: rank 0, or through MPI one of every node, or all")),
      speed(integer_key(
          "checkpoint.gzip", [](auto& o) -> auto& { return o.checkpoint_gzip; }, {0, 9},
          "level at which checkpoints are compressed; 0: they are not")),
  };
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = make_keys();
  return table;
}

const Key* find_key(std::string_view name) {
  const auto found =
      std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return key.name == name; });
  return found == keys().end() ? nullptr : &*found;
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Key& key : keys())
    if (names.empty() || names.back() != key.section()) names.push_back(key.section());
  return names;
}

std::string suggest_key(std::string_view name) {
  std::vector<std::string> names;
  const std::string_view short_name = name.substr(name.find('.') + 1);
  for (const Key& key : keys()) {
    if (key.short_name() == short_name) return " (did you mean " + key.name + "?)";
    names.push_back(key.name);
  }
  return did_you_mean(name, names);
}

}  // namespace convoy::config
