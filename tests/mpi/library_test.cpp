// Samples from the memory of all ranks: the bits of one rank, however they are spread; and the library on a
// part of the world.

#include <gtest/gtest.h>
#include <mpi.h>

#include <numeric>

#include "convoy/convoy.hpp"
#include "unit/library/samples.hpp"
#include "world.hpp"

namespace convoy {
namespace {

using test::world;

/// Which samples a rank brings.
using Share = std::vector<std::int64_t> (*)(int rank, int ranks);

std::vector<std::int64_t> evenly(int rank, int ranks) {
  const Range own = split(test::kSmallTrain, ranks, rank);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(own.size()));
  std::iota(numbers.begin(), numbers.end(), own.begin);
  return numbers;
}

std::vector<std::int64_t> in_turn_backwards(int rank, int ranks) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = test::kSmallTrain - 1; i >= 0; --i)
    if (i % ranks == rank) numbers.push_back(i);
  return numbers;
}

/// Nothing on rank 0, most on the last one.
std::vector<std::int64_t> unevenly(int rank, int ranks) {
  if (ranks == 1) return evenly(rank, ranks);
  if (rank == 0) return {};
  if (rank < ranks - 1) return {rank - 1};
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(test::kSmallTrain - (ranks - 2)));
  std::iota(numbers.begin(), numbers.end(), ranks - 2);
  return numbers;
}

void add(Dataset& dataset, const std::vector<std::int64_t>& numbers) {
  for (const std::int64_t number : numbers) test::add_small(dataset, number, 1);
}

std::vector<float> fitted_alone() {
  Dataset dataset(test::small_format());
  test::add_small(dataset, 0, test::kSmallTrain);
  Model model = test::small_model();
  EXPECT_TRUE(model.fit(dataset, test::small_options()));
  return test::values_of(model);
}

TEST(LibraryOnRanks, SamplesOfAnyRanksGiveTheBitsOfOneRank) {
  const std::vector<float> expected = fitted_alone();
  for (const Share share : {evenly, in_turn_backwards, unevenly}) {
    Dataset dataset(test::small_format(), world());
    add(dataset, share(world().rank(), world().size()));
    Model model = test::small_model();
    EXPECT_TRUE(model.fit(dataset, test::small_options(), {.test = &dataset}));
    EXPECT_EQ(test::values_of(model), expected);
    EXPECT_EQ(dataset.samples(), test::kSmallTrain);
  }
}

TEST(LibraryOnRanks, SamplesAddedBetweenFitsGiveTheBitsOfOneRank) {
  const auto run = [](const comm::Communicator& ranks, Share share) {
    Dataset dataset(test::small_format(), ranks);
    Model model = test::small_model();
    for (const Range& part : {Range{0, 20}, Range{20, test::kSmallTrain}}) {
      std::vector<std::int64_t> numbers = share(ranks.rank(), ranks.size());
      std::erase_if(numbers, [&](std::int64_t number) { return number < part.begin || number >= part.end; });
      add(dataset, numbers);
      EXPECT_TRUE(model.fit(dataset, test::small_options()));
    }
    return test::values_of(model);
  };
  EXPECT_EQ(run(world(), in_turn_backwards), run(comm::Communicator::self(), evenly));
}

TEST(LibraryOnRanks, AStopOnOneRankStopsAllAndResumeGivesTheSameBits) {
  Dataset dataset(test::small_format(), world());
  add(dataset, evenly(world().rank(), world().size()));
  Model model = test::small_model();
  EXPECT_FALSE(model.fit(dataset, test::small_options(), {.on_step = [](const FitStep& step) {
                           return step.step == 3 && world().rank() == world().size() - 1 ? Go::kStop
                                                                                         : Go::kOn;
                         }}));
  EXPECT_TRUE(model.resume(dataset, test::small_options()));
  EXPECT_EQ(test::values_of(model), fitted_alone());
}

TEST(LibraryOnRanks, AnErrorOfOneRankIsOneOfAllRanks) {
  Dataset dataset(test::small_format(), world());
  add(dataset, evenly(world().rank(), world().size()));
  if (world().rank() == world().size() - 1) test::add_small(dataset, 0, 1);  // twice
  EXPECT_THROW(dataset.join(), DataError);

  Dataset sound(test::small_format(), world());
  add(sound, evenly(world().rank(), world().size()));
  Model model = test::small_model();
  Options options = test::small_options();
  if (world().rank() == world().size() - 1) options.set({"schedule.lr", "quick"});
  EXPECT_THROW((void)model.fit(sound, options), ConfigError);
  if (world().size() > 1) {
    options = test::small_options();
    if (world().rank() == world().size() - 1) options.set({"schedule.lr", 0.25});
    EXPECT_THROW((void)model.fit(sound, options), DisagreementError);
    Model other({2, 3, 4}, test::kSmallLayers, Loss::kSoftmaxCrossEntropy, world().rank() == 0 ? 1 : 2);
    EXPECT_THROW((void)other.fit(sound, test::small_options()), DisagreementError);
    const FitCallbacks throws{.on_step = [](const FitStep&) -> Go {
      if (world().rank() == world().size() - 1) throw std::runtime_error("the last rank's");
      return Go::kOn;
    }};
    EXPECT_THROW((void)model.fit(sound, test::small_options(), throws), std::runtime_error);
  }
  EXPECT_TRUE(model.fit(sound, test::small_options()));
  EXPECT_EQ(test::values_of(model), fitted_alone());
}

TEST(LibraryOnRanks, APartOfTheWorldFitsWhileTheRestDoesSomethingElse) {
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, world().rank() % 2, 0, &part);
  if (world().rank() % 2 == 0) {
    const auto ranks = comm::Communicator::duplicate_of(&part);
    Dataset dataset(test::small_format(), ranks);
    add(dataset, unevenly(ranks.rank(), ranks.size()));
    Model model = test::small_model();
    EXPECT_TRUE(model.fit(dataset, test::small_options()));
    EXPECT_EQ(test::values_of(model), fitted_alone());
  }
  MPI_Comm_free(&part);
  MPI_Comm none = MPI_COMM_NULL;
  EXPECT_THROW((void)comm::Communicator::duplicate_of(&none), ConfigError);
}

}  // namespace
}  // namespace convoy
