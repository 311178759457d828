#include "convoy/model/checkpoint.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "convoy/core/error.hpp"
#include "convoy/hdf5/file.hpp"
#include "unit/io/scratch_folder.hpp"
#include "world.hpp"

namespace convoy::model {
namespace {

using test::SharedFolder;
using test::world;

/// A network with statistics and with tensors that have fewer rows than ranks (5 biases, 3 outputs).
nn::Network network() {
  return nn::Network({2, 6, 6},
                     {{"conv 5 3x3", "test"}, {"batchnorm", "test"}, {"relu", "test"}, {"dense 3", "test"}},
                     nn::LossKind::kSoftmaxCrossEntropy, 3);
}

class TwoStates final : public optim::Optimizer {
 public:
  [[nodiscard]] std::vector<std::string_view> states() const override { return {"mean", "variance"}; }
  void update(const optim::StepInfo&, const optim::Stretch&, const optim::Norms&) const override {}
};

/// The state of one rank of `ranks`. Each rank owns a part of the optimizer state, in pieces, so that every
/// tensor is split over ranks.
State empty_state(const nn::Network& net, const comm::Communicator& ranks, bool has_state) {
  const TwoStates optimizer;
  State state = make_state(net, has_state ? &optimizer : nullptr);
  if (!has_state) return state;
  const Range rest = split(net.parameter_count() - 60, ranks.size(), ranks.rank());
  state.owned = {split(60, ranks.size(), ranks.rank()), {60 + rest.begin, 60 + rest.end}};
  for (OptimizerState& each : state.optimizer) each.values = optim::Shard(state.owned);
  return state;
}

State state_of(const nn::Network& net, const comm::Communicator& ranks, bool has_state) {
  State state = empty_state(net, ranks, has_state);
  float next = 0.125F;
  for (const auto values : {state.parameters, state.statistics})
    for (float& value : values) value = next += 1.0F;
  float of_state = 0.5F;
  for (OptimizerState& each : state.optimizer) {
    for (const Range& range : each.values.ranges())
      for (std::int64_t i = range.begin; i < range.end; ++i)
        *each.values.at(i) = static_cast<float>(i) + of_state;
    of_state /= 2;
  }
  return state;
}

std::vector<float> numbers_of(State& state) {
  std::vector<float> all;
  const auto add = [&](std::span<const float> values) {
    all.insert(all.end(), values.begin(), values.end());
  };
  add(state.parameters);
  add(state.statistics);
  for (const OptimizerState& each : state.optimizer) add(each.values.values());
  return all;
}

CheckpointHeader header() {
  return {.isa = "portable",
          .seed = 11,
          .config = "[train]\nseed = 11\n",
          .progress = {.step = 5,
                       .epoch = 1,
                       .samples = 77,
                       .epoch_loss_sum = 1.5,
                       .epoch_correct = 3,
                       .epoch_samples = 9,
                       .plateau = {.best = 0.25, .bad_epochs = 2, .reductions = 4}},
          .input = {.shape = {2, 6, 6}, .scale = 0.5, .mean = {0.25, 0.5}, .std = {1, 2}},
          .class_names = {"ant", "bee", "cicada"},
          .data_digest = "00ff"};
}

void write(const std::string& path, const comm::Communicator& ranks, bool has_state,
           Writers writers = Writers::kAll, int gzip_level = 0) {
  const nn::Network net = network();
  const State state = state_of(net, ranks, has_state);
  const WriterGroup group(ranks, writers, net, state);
  write_checkpoint(path, group, net, header(), take_snapshot(group, net, state),
                   {{"ranks", std::to_string(ranks.size())}}, gzip_level, {});
}

/// EXPECTs that two checkpoints have the same objects, types, shapes, values and root attributes, except
/// /provenance.
void expect_same_content(const std::string& path, const std::string& other) {
  const io::File a = io::File::open(path);
  const io::File b = io::File::open(other);
  std::vector<std::string> names;
  std::vector<std::string> other_names;
  for (const io::Object& object : a.list()) names.push_back(object.path);
  for (const io::Object& object : b.list()) other_names.push_back(object.path);
  ASSERT_EQ(names, other_names);
  for (const io::Object& object : a.list()) {
    if (object.is_group) continue;
    const io::DatasetInfo info = a.info(object.path);
    ASSERT_EQ(info.dims, b.info(object.path).dims) << object.path;
    ASSERT_EQ(info.type, b.info(object.path).type) << object.path;
    if (info.type == io::ElementType::kString) {
      EXPECT_EQ(a.read_strings(object.path), b.read_strings(object.path)) << object.path;
    } else {
      EXPECT_EQ(a.read<double>(object.path, info.dims), b.read<double>(object.path, info.dims))
          << object.path;
    }
  }
  for (const char* name : {"format", "isa", "config"})
    EXPECT_EQ(a.attribute<std::string>("/", name), b.attribute<std::string>("/", name)) << name;
  for (const char* name : {"format_version", "seed", "step", "epoch", "samples"})
    EXPECT_EQ(a.attribute<std::int64_t>("/", name), b.attribute<std::int64_t>("/", name)) << name;
}

class Checkpoint : public testing::TestWithParam<bool> {};

TEST_P(Checkpoint, HoldsTheSameWhoeverWritesItAndCompressedToo) {
  const SharedFolder folder;
  write(folder / "all.h5", world(), GetParam());
  write(folder / "node.h5", world(), GetParam(), Writers::kNode);
  write(folder / "first.h5", world(), GetParam(), Writers::kOne);
  write(folder / "small.h5", world(), GetParam(), Writers::kOne, 6);
  if (world().is_root()) write(folder / "one.h5", comm::Communicator::self(), GetParam());
  world().barrier();
  for (const char* name : {"all.h5", "node.h5", "first.h5", "small.h5"}) {
    expect_same_content(folder / name, folder / "one.h5");
    EXPECT_EQ(hash_of_checkpoint(folder / name), hash_of_checkpoint(folder / "one.h5")) << name;
  }
}

TEST_P(Checkpoint, IsReadBackToTheBit) {
  const SharedFolder folder;
  write(folder / "all.h5", world(), GetParam());
  require_sound_checkpoint(folder / "all.h5");
  const nn::Network net = network();
  State expected = state_of(net, world(), GetParam());
  State read = empty_state(net, world(), GetParam());
  read_checkpoint_state(folder / "all.h5", net, read);
  EXPECT_EQ(numbers_of(read), numbers_of(expected));
  const CheckpointHeader again = read_checkpoint_header(folder / "all.h5");
  EXPECT_EQ(again.isa, "portable");
  EXPECT_EQ(again.seed, 11U);
  EXPECT_EQ(again.config, header().config);
  EXPECT_EQ(again.progress.step, 5);
  EXPECT_EQ(again.progress.epoch_loss_sum, 1.5);
  EXPECT_EQ(again.progress.epoch_correct, 3);
  EXPECT_EQ(again.progress.plateau.best, 0.25);
  EXPECT_EQ(again.progress.plateau.bad_epochs, 2);
  EXPECT_EQ(again.progress.plateau.reductions, 4);
  EXPECT_EQ(again.progress.epoch_squared_error_sum, 0);
  EXPECT_EQ(again.input.mean, header().input.mean);
  EXPECT_EQ(again.class_names, header().class_names);
  EXPECT_EQ(again.data_digest, "00ff");
}

INSTANTIATE_TEST_SUITE_P(OptimizerStates, Checkpoint, testing::Bool());

TEST(Checkpoint, TheHashSeesEveryTensor) {
  const SharedFolder folder;
  const nn::Network net = network();
  enum class Member { kParameters, kStatistics, kState };
  const auto hash_with = [&](float change, Member member) {
    State state = state_of(net, world(), true);
    const std::span<float> values = member == Member::kParameters   ? state.parameters
                                    : member == Member::kStatistics ? state.statistics
                                                                    : state.optimizer.back().values.values();
    values[0] += change;
    const WriterGroup group(world(), Writers::kAll, net, state);
    write_checkpoint(folder / "a.h5", group, net, header(), take_snapshot(group, net, state), {}, 0, {});
    return hash_of_checkpoint(folder / "a.h5");
  };
  const Digest plain = hash_with(0, Member::kParameters);
  for (const Member member : {Member::kParameters, Member::kStatistics, Member::kState})
    EXPECT_NE(hash_with(1, member), plain);
}

TEST(Checkpoint, ATensorOfAnotherShapeIsRefusedByName) {
  const SharedFolder folder;
  write(folder / "all.h5", world(), false);
  const nn::Network other(
      {2, 6, 6}, {{"conv 4 3x3", "test"}, {"batchnorm", "test"}, {"relu", "test"}, {"dense 3", "test"}},
      nn::LossKind::kSoftmaxCrossEntropy, 3);
  State state = empty_state(other, world(), false);
  const std::string message =
      test::message_of<DataError>([&] { read_checkpoint_state(folder / "all.h5", other, state); });
  EXPECT_HOLDS(message, "/model/conv1/weight");
}

}  // namespace
}  // namespace convoy::model
