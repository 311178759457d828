#include "convoy/exchange/weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "trained.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::exchange {
namespace {

const std::vector<std::string> kLines{"dense 3", "batchnorm", "dense 2 bias=no"};

/// Tensors for kLines under names with `prefix`, all `value`.
std::vector<ExportedTensor> tensors(const std::string& prefix, float value) {
  const predict::TrainedNetwork trained = test::trained_network(kLines);
  std::vector<ExportedTensor> all;
  for (const auto* own : {&trained.network.parameters(), &trained.network.statistics()}) {
    const std::vector<std::string> names = exported_names(*own);
    for (std::size_t i = 0; i < own->size(); ++i)
      all.push_back({.name = prefix + names[i],
                     .dims = (*own)[i].dims,
                     .values = std::vector<float>(static_cast<std::size_t>((*own)[i].size()), value)});
  }
  return all;
}

TEST(ImportWeights, AssignsAllTensorsUnderASharedPrefix) {
  for (const std::string prefix : {"", "module.", "model.module."}) {
    predict::TrainedNetwork trained = test::trained_network(kLines);
    const ImportReport report = import_weights(trained, tensors(prefix, 7), {}, "x");
    EXPECT_EQ(report.matches.size(), 7U);
    EXPECT_TRUE(report.unused.empty());
    for (const auto& values : {trained.state.parameters, trained.state.statistics})
      for (const float value : values) EXPECT_EQ(value, 7);
  }
}

TEST(ImportWeights, OfOneLayerAreFoundUnderAPrefixToo) {
  predict::TrainedNetwork trained = test::trained_network({"dense 2"});
  const std::vector<ExportedTensor> all{
      {.name = "model.dense1.weight", .dims = {2, 32}, .values = std::vector<float>(64, 7)},
      {.name = "model.dense1.bias", .dims = {2}, .values = {7, 7}}};
  EXPECT_EQ(import_weights(trained, all, {}, "x").matches.size(), 2U);
}

TEST(ImportWeights, TakesNamesFromAListAndTellsWhatIsLeft) {
  std::vector<ExportedTensor> renamed = tensors("", 7);
  renamed[0].name = "first/kernel";
  renamed.push_back({.name = "extra", .dims = {1}, .values = {1}});
  predict::TrainedNetwork trained = test::trained_network(kLines);
  const ImportReport report = import_weights(trained, renamed, {{"dense1.weight", "first/kernel"}}, "x");
  EXPECT_EQ(report.matches[0].source, "first/kernel");
  EXPECT_EQ(report.unused, (std::vector<std::string>{"extra"}));
}

TEST(ImportWeights, AssignsNothingIfATensorIsMissingOrWrong) {
  const auto refused = [](const std::vector<ExportedTensor>& given, const std::string& fragment) {
    predict::TrainedNetwork trained = test::trained_network(kLines);
    const std::vector<float> before(trained.state.parameters.begin(), trained.state.parameters.end());
    try {
      (void)import_weights(trained, given, {}, "F.npz");
      ADD_FAILURE() << "not noticed: " << fragment;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find(fragment), std::string::npos) << error.what();
    }
    EXPECT_TRUE(std::ranges::equal(trained.state.parameters, before));
  };
  std::vector<ExportedTensor> given = tensors("", 7);
  given.erase(given.begin() + 1);
  refused(given, "F.npz lacks dense1.bias of the network (it has besides: nothing)");
  given = tensors("", 7);
  given[1].dims = {1, 3};
  refused(given, "F.npz is of another network: dense1.bias is 1x3, not 3");
  given = tensors("", 7);
  given[2].values[0] = NAN;
  refused(given, "of F.npz holds a number that is not finite");
  refused({}, "F.npz lacks dense1.weight, dense1.bias");
}

TEST(ImportWeights, NamesAreReadFromLinesOfTwoWords) {
  const test::ScratchFolder folder;
  std::ofstream(folder / "names") << "# ours theirs\n\na.weight b.kernel # a comment\nc  d\n";
  EXPECT_EQ(read_names(folder / "names"), (NamePairs{{"a.weight", "b.kernel"}, {"c", "d"}}));
  std::ofstream(folder / "wrong") << "a b\none\n";
  EXPECT_THROW((void)read_names(folder / "wrong"), ConfigError);
}

TEST(ImportWeights, FilesAreReadAsTheirNameEnds) {
  const test::ScratchFolder folder;
  EXPECT_THROW((void)read_weights(folder / "none.npz"), ConfigError);
  std::ofstream(folder / "x.pt") << "x";
  EXPECT_THROW((void)read_weights(folder / "x.pt"), ConfigError);
  std::ofstream(folder / "x.onnx") << "x";
  EXPECT_THROW((void)read_weights(folder / "x.onnx"), DataError);
}

TEST(ImportWeights, AreWrittenAsACheckpointBeforeItsFirstStep) {
  const test::ScratchFolder folder;
  predict::TrainedNetwork trained = test::trained_network(kLines);
  (void)import_weights(trained, tensors("", 7), {}, "x");
  write_imported(trained, folder / "out.h5", "x");
  model::require_sound_checkpoint(folder / "out.h5");
  const predict::TrainedNetwork read =
      predict::read_trained_network(folder / "out.h5", comm::Communicator::self());
  EXPECT_EQ(read.header.progress.step, 0);
  EXPECT_EQ(read.header.class_names, trained.header.class_names);
  EXPECT_TRUE(std::ranges::equal(read.state.parameters, trained.state.parameters));
}

}  // namespace
}  // namespace convoy::exchange
