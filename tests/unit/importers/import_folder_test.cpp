#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/file_system.hpp"
#include "unit/data/dataset_fixture.hpp"
#include "unit/images/image_bytes.hpp"

namespace convoy::importers {
namespace {

using test::message_of;
using test::write_bytes;

std::string grey(int height, int width, int value) {
  return "P5 " + std::to_string(width) + ' ' + std::to_string(height) + " 255\n" +
         std::string(static_cast<std::size_t>(height * width), static_cast<char>(value));
}

/// Records all calls; requests a stop at image `stop_at`.
class Recorder final : public Observer {
 public:
  void on_progress(std::string_view what, std::int64_t done, std::int64_t total) override {
    EXPECT_LE(done, total);
    if (what == "train" && done >= stop_at) stops = true;
  }
  void on_warning(const std::string& text) override { warnings.push_back(text); }
  [[nodiscard]] std::optional<ExitStatus> stop_status() const override {
    return stops ? std::optional(ExitStatus::kInterrupted) : std::nullopt;
  }

  std::vector<std::string> warnings;
  std::int64_t stop_at = 1000;
  std::atomic<bool> stops = false;
};

class ImportFolder : public testing::Test {
 protected:
  ImportFolder() {
    options_.folder = in_.path();
    options_.out = out_ / "f.h5";
    options_.threads = 3;
  }
  void put(const std::string& name, const std::string& bytes) {
    io::make_directories(io::folder_of(in_ / name));
    write_bytes(in_ / name, bytes);
  }
  FolderReport import() { return import_folder(options_, comm::Communicator::self(), &recorder_); }
  [[nodiscard]] data::Dataset made() const {
    return data::Dataset(options_.out, comm::Communicator::self(), {"train", "test", "validation"});
  }
  /// After any error, the output's folder must be empty.
  template <class Expected>
  std::string complaint() {
    const std::string message = message_of<Expected>([&] { (void)import(); });
    EXPECT_EQ(out_.entries(), 0) << message;
    return message;
  }
  /// The first pixel of every sample of a split.
  static std::vector<int> first_pixels(const data::Dataset& data, const char* name) {
    data::InputTransform as_stored = data.transform(data::Normalize::kNone);
    as_stored.scale = 1;
    std::vector<float> dst(static_cast<std::size_t>(data.shape().size()) * kLanes);
    std::vector<int> pixels;
    for (std::int64_t i = 0; i < data.split(name)->samples(); ++i) {
      data.split(name)->load(std::vector{i}, as_stored, dst.data());
      pixels.push_back(static_cast<int>(dst[0]));
    }
    return pixels;
  }
  static std::vector<std::int64_t> labels(const data::Dataset& data, const char* name) {
    const auto all = data.split(name)->labels();
    return {all.begin(), all.end()};
  }

  test::ScratchFolder in_;
  test::ScratchFolder out_;
  FolderOptions options_;
  Recorder recorder_;
};

TEST_F(ImportFolder, ClassesAndFilesFollowTheirNamesBytes) {
  put("bee/a.pgm", grey(2, 3, 1));
  put("bee/B.pgm", grey(2, 3, 2));
  put("bee/a/x.pgm", grey(2, 3, 3));  // nested in a class folder; '.' sorts before '/'
  put("Ant/10.pgm", grey(2, 3, 4));
  put("Ant/9.PGM", grey(2, 3, 5));
  put("Ant/notes.txt", "no image");
  put("Ant/.hidden.pgm", grey(9, 9, 6));
  put("read.me", "");
  const FolderReport report = import();
  EXPECT_EQ(report.shape, (Shape{1, 2, 3}));
  EXPECT_EQ(report.class_names, (std::vector<std::string>{"Ant", "bee"}));
  EXPECT_EQ(report.hidden, 1);
  EXPECT_EQ(report.passed_over, (std::vector<std::string>{"read.me", "Ant/notes.txt"}));
  ASSERT_EQ(report.splits.size(), 1U);
  EXPECT_EQ(report.splits[0].samples, 5);
  const data::Dataset data = made();
  EXPECT_EQ(labels(data, "train"), (std::vector<std::int64_t>{0, 0, 1, 1, 1}));
  EXPECT_EQ(first_pixels(data, "train"), (std::vector<int>{4, 5, 2, 1, 3}));
  EXPECT_EQ(data.class_names(), report.class_names);
}

TEST_F(ImportFolder, SplitsAreFoldersThatHoldClassFolders) {
  put("train/a/1.pgm", grey(1, 1, 1));
  put("train/b/1.pgm", grey(1, 1, 2));
  put("test/b/1.pgm", grey(1, 1, 3));
  put("val/a/1.pgm", grey(1, 1, 4));
  put("extra/a/1.pgm", grey(1, 1, 5));
  const FolderReport report = import();
  EXPECT_EQ(report.passed_over, std::vector<std::string>{"extra/"});
  const data::Dataset data = made();
  EXPECT_EQ(first_pixels(data, "train"), (std::vector<int>{1, 2}));
  EXPECT_EQ(first_pixels(data, "test"), std::vector<int>{3});
  EXPECT_EQ(labels(data, "test"), std::vector<std::int64_t>{1});
  EXPECT_EQ(first_pixels(data, "validation"), std::vector<int>{4});
  // Mean and std of the training split: 1/255 and 2/255.
  EXPECT_FLOAT_EQ(static_cast<float>(data.transform(data::Normalize::kDataset).mean[0]), 1.5F / 255);
}

TEST_F(ImportFolder, AClassMayBeCalledTrain) {
  put("car/1.pgm", grey(1, 1, 1));
  put("train/1.pgm", grey(1, 1, 2));
  EXPECT_EQ(import().class_names, (std::vector<std::string>{"car", "train"}));
}

TEST_F(ImportFolder, ManyChunksHoldWhatTheirFilesHold) {
  std::vector<int> expected;
  for (int i = 100; i < 230; ++i) {
    put("a/" + std::to_string(i) + ".pgm", grey(3, 5, i));
    expected.push_back(i);
  }
  (void)import();
  EXPECT_EQ(first_pixels(made(), "train"), expected);
  const std::string with_three = test::read_bytes(options_.out);
  options_.threads = 1;
  (void)import();
  EXPECT_EQ(test::read_bytes(options_.out), with_three);
}

TEST_F(ImportFolder, ImagesOfAnotherSizeAreNamedUnlessOneIsGiven) {
  put("a/1.pgm", grey(2, 4, 10));
  put("a/2.pgm", grey(4, 2, 20));
  const std::string message = complaint<DataError>();
  EXPECT_HOLDS(message, "image sizes differ (2x4 in " + (in_ / "a/1.pgm") + ", 4x2 in " + (in_ / "a/2.pgm"));
  EXPECT_HOLDS(message, "--size HxW");
  options_.size = {3, 5};
  EXPECT_EQ(import().shape, (Shape{1, 3, 5}));
  EXPECT_EQ(first_pixels(made(), "train"), (std::vector<int>{10, 20}));
}

TEST_F(ImportFolder, CropKeepsTheMiddle) {
  put("a/1.pgm", "P2 4 2 255 9 1 2 9 9 1 2 9");
  options_.size = {2, 2};
  options_.fit = images::Fit::kCrop;
  (void)import();
  EXPECT_EQ(first_pixels(made(), "train"), std::vector<int>{1});
}

TEST_F(ImportFolder, OneColouredImageMakesAllColouredUnlessToldOtherwise) {
  put("a/1.pgm", grey(1, 1, 7));
  put("a/2.ppm", "P3 1 1 255 255 0 0");
  EXPECT_EQ(import().shape.c, 3);
  EXPECT_EQ(first_pixels(made(), "train"), (std::vector<int>{7, 255}));
  options_.channels = 1;
  EXPECT_EQ(import().shape.c, 1);
  EXPECT_EQ(first_pixels(made(), "train"), (std::vector<int>{7, 76}));
}

// One image with a bad header, one that fails only on decoding.
TEST_F(ImportFolder, BadImagesStopItOrAreLeftOut) {
  put("a/1.pgm", grey(2, 2, 1));
  put("a/2.pgm", "");
  put("b/1.png", test::png_bytes(2, 2, {3, 3, 3, 3}).substr(0, 50));
  put("b/2.pgm", grey(2, 2, 4));
  EXPECT_HOLDS(complaint<DataError>(), "bad image " + (in_ / "a/2.pgm") + " (it is empty); mend or remove");
  io::remove_file(in_ / "a/2.pgm");
  EXPECT_HOLDS(complaint<DataError>(), "bad image " + (in_ / "b/1.png") + " (it is cut short); mend");
  put("a/2.pgm", "");
  options_.on_bad = OnBad::kSkip;
  EXPECT_EQ(import().left_out, 2);
  ASSERT_EQ(recorder_.warnings.size(), 2U);
  EXPECT_HOLDS(recorder_.warnings[0], (in_ / "a/2.pgm") + " (it is empty); left out");
  EXPECT_HOLDS(recorder_.warnings[1], (in_ / "b/1.png") + " (it is cut short); left out");
  EXPECT_EQ(first_pixels(made(), "train"), (std::vector<int>{1, 4}));
  EXPECT_EQ(out_.entries(), 1);
}

TEST_F(ImportFolder, WhereAllAreBadThereIsNoFile) {
  put("a/1.pgm", "");
  options_.on_bad = OnBad::kSkip;
  EXPECT_HOLDS(complaint<DataError>(), "no image is left in split train");
}

TEST_F(ImportFolder, EmptyClassesAreNamed) {
  put("a/1.pgm", grey(1, 1, 1));
  put("b/notes.txt", "");
  EXPECT_HOLDS(complaint<DataError>(), "no images to train in the folder of class b");
  options_.on_bad = OnBad::kSkip;
  EXPECT_EQ(import().class_names.size(), 2U);
  EXPECT_HOLDS(recorder_.warnings.at(0), "class b");
}

TEST_F(ImportFolder, TestPartTakesItsShareOfEveryClassByName) {
  for (int i = 0; i < 20; ++i) put("a/" + std::to_string(i) + ".pgm", grey(1, 1, i));
  for (int i = 0; i < 10; ++i) put("b/" + std::to_string(i) + ".pgm", grey(1, 1, 100 + i));
  put("c/1.pgm", grey(1, 1, 200));  // the only image of its class is kept
  options_.test_part = 0.3;
  (void)import();
  const data::Dataset data = made();
  const auto of_class = [](const std::vector<std::int64_t>& all, std::int64_t label) {
    return std::ranges::count(all, label);
  };
  EXPECT_EQ(of_class(labels(data, "test"), 0), 6);
  EXPECT_EQ(of_class(labels(data, "test"), 1), 3);
  EXPECT_EQ(of_class(labels(data, "test"), 2), 0);
  EXPECT_EQ(data.split("train")->samples(), 22);
  const std::vector<int> chosen = first_pixels(data, "test");
  (void)import();
  EXPECT_EQ(first_pixels(made(), "test"), chosen);
  options_.seed = 2;
  (void)import();
  EXPECT_NE(first_pixels(made(), "test"), chosen);
}

TEST_F(ImportFolder, StoppedItLeavesWhatWasThere) {
  for (int i = 0; i < 40; ++i) put("a/" + std::to_string(i) + ".pgm", grey(1, 1, i));
  recorder_.stop_at = 16;
  const std::string message = complaint<Error>();
  EXPECT_HOLDS(message, "stopped on request; " + options_.out + " was not made");
  write_bytes(options_.out, "old");
  recorder_.stops = false;
  EXPECT_HOLDS(message_of<Error>([&] { (void)import(); }), "is as it was before");
  EXPECT_EQ(out_.entries(), 1);
  EXPECT_EQ(test::read_bytes(options_.out), "old");
}

TEST_F(ImportFolder, NamesWhatIsWrongWithTheFolder) {
  EXPECT_HOLDS(complaint<ConfigError>(), "no class folders in " + in_.path());
  put("a/notes.txt", "");
  EXPECT_HOLDS(complaint<ConfigError>(), "no images to train in " + in_.path());
  put("train/a/1.pgm", grey(1, 1, 1));
  put("test/b/1.pgm", grey(1, 1, 1));
  EXPECT_HOLDS(complaint<ConfigError>(), "class b of " + (in_ / "test") + " is none of the training split");
  std::filesystem::rename(in_ / "test/b", in_ / "test/a");
  options_.test_part = 0.5;
  EXPECT_HOLDS(complaint<ConfigError>(), "--test-part is for folders without a test split");
  put("val/a/1.pgm", grey(1, 1, 1));
  put("validation/a/1.pgm", grey(1, 1, 1));
  EXPECT_HOLDS(complaint<ConfigError>(), "two validation splits");
  put("train/caf\xE9/1.pgm", grey(1, 1, 1));
  EXPECT_HOLDS(complaint<ConfigError>(), "has a name that is no UTF-8");
  options_.folder = in_ / "none";
  EXPECT_HOLDS(complaint<ConfigError>(), "no folder " + (in_ / "none"));
}

TEST_F(ImportFolder, ALinkThatPointsAboveItselfIsNamed) {
  put("a/1.pgm", grey(1, 1, 1));
  put("b/1.pgm", grey(1, 1, 1));
  std::filesystem::create_directory_symlink(in_ / "a", in_ / "a/again");
  EXPECT_HOLDS(complaint<ConfigError>(), "folders too deep");
}

}  // namespace
}  // namespace convoy::importers
