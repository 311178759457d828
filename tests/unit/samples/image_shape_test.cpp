// Arrays that hold the images of a trained network, however they lie.

#include <gtest/gtest.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/samples/layout.hpp"
#include "sample_files.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

class KnownShape : public testing::Test {
 protected:
  KnownShape() {
    options_.known_shape = {3, 4, 5};
    options_.known_axes = Axes::kNhwc;
    options_.advice = Advice::kOptions;
  }

  /// The layout of an array of these extents.
  SplitLayout split(const Dims& dims) {
    io::File file = io::File::create(options_.file, comm::Communicator::self());
    test::write_values<std::uint8_t>(file, "/x",
                                     std::vector<std::uint8_t>(static_cast<std::size_t>(count(dims))), dims);
    file.close();
    const DatasetLayout layout = read_layout(options_);
    EXPECT_EQ(layout.shape, options_.known_shape);
    return layout.splits.front();
  }

  const test::ScratchFolder folder_;
  Options options_{.file = folder_ / "a.h5", .train = {.images = "/x"}};
};

TEST_F(KnownShape, IsFoundInEitherLayoutAndInFlatRows) {
  for (const auto& [dims, axes] : {std::pair{Dims{2, 4, 5, 3}, Axes::kNhwc},
                                   {Dims{2, 3, 4, 5}, Axes::kNchw},
                                   {Dims{2, 60}, Axes::kNhwc}}) {
    const SplitLayout found = split(dims);
    EXPECT_EQ(found.samples, 2) << to_string(dims);
    EXPECT_EQ(found.axes, axes) << to_string(dims);
  }
}

TEST_F(KnownShape, IsThatOfASingleImage) {
  for (const auto& [dims, axes] :
       {std::pair{Dims{4, 5, 3}, Axes::kNhwc}, {Dims{3, 4, 5}, Axes::kNchw}, {Dims{60}, Axes::kNhwc}}) {
    const SplitLayout found = split(dims);
    EXPECT_EQ(found.samples, 1) << to_string(dims);
    EXPECT_EQ(found.axes, axes) << to_string(dims);
    EXPECT_EQ(found.pieces.front().rows_a_sample, dims.front());
  }
}

TEST_F(KnownShape, IsSaidIfAnArrayDoesNotFit) {
  EXPECT_HOLDS(test::message_of<DataError>([this] {
                 (void)split({2, 61});
               }),
               "[N][C][H][W] (--layout); of images stored flat, each should have the 60 numbers of 3x4x5");
  EXPECT_HOLDS(test::message_of<DataError>([this] {
                 (void)split({2, 4, 5});
               }),
               "a single image should be 3x4x5");
}

TEST_F(KnownShape, OfChannelsThatSeemToComeLastIsAWarning) {
  for (const auto& [shape, warns] : {std::pair{Shape{32, 32, 3}, true},
                                     {Shape{9, 7, 1}, true},
                                     {Shape{4, 4, 3}, true},
                                     {Shape{2, 2, 1}, true},
                                     {Shape{3, 32, 32}, false},
                                     {Shape{3, 3, 3}, false},
                                     {Shape{1, 1, 4}, false},
                                     {Shape{3, 4, 4}, false}}) {
    options_.known_shape = shape;
    EXPECT_EQ(split({2, shape.c, shape.h, shape.w}).samples, 2);
    const std::vector<std::string> warnings = read_layout(options_).warnings;
    EXPECT_EQ(std::ranges::any_of(warnings,
                                  [](const std::string& each) {
                                    return each.find("data.layout = NHWC reads them so") != std::string::npos;
                                  }),
              warns)
        << to_string(shape);
  }
}

}  // namespace
}  // namespace convoy::data
