#include "convoy/library/dataset.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "samples.hpp"

namespace convoy {
namespace {

using test::error_of;

TEST(LibraryDataset, JoinsSamplesInTheOrderOfTheirNumbers) {
  Dataset dataset(test::small_format());
  EXPECT_EQ(dataset.samples(), 0);
  test::add_small(dataset, 20, 17);
  test::add_small(dataset, 0, 20);
  dataset.join();
  EXPECT_EQ(dataset.samples(), 37);
  Dataset other(test::small_format());
  test::add_small(other, 0, 10);
  other.join();
  EXPECT_EQ(other.samples(), 10);
  EXPECT_NE(other.joined()->digest(), dataset.joined()->digest());
  test::add_small(other, 10, 27);
  other.join();
  other.join();  // nothing new
  EXPECT_EQ(other.samples(), 37);
  EXPECT_EQ(other.joined()->digest(), dataset.joined()->digest());
}

TEST(LibraryDataset, IsThatOfAFileWithTheSameSamples) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "small.h5");
  const Dataset file = Dataset::read(folder / "small.h5");
  Dataset memory(test::small_format());
  test::add_small(memory, 0, test::kSmallTrain);
  memory.join();
  ASSERT_EQ(memory.samples(), file.samples());
  EXPECT_EQ(memory.joined()->classes(), file.joined()->classes());
  EXPECT_EQ(memory.joined()->class_names(), file.joined()->class_names());
  const data::InputTransform transform = memory.joined()->transform(data::Normalize::kDataset);
  const data::InputTransform of_file = file.joined()->transform(data::Normalize::kDataset);
  EXPECT_EQ(transform.scale, of_file.scale);
  EXPECT_EQ(transform.mean, of_file.mean);
  EXPECT_EQ(transform.std, of_file.std);
}

TEST(LibraryDataset, NamesWhatIsWrongWithAddedSamples) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  Dataset bytes({.image = {1, 1, 2}, .is_bytes = true, .classes = 3});
  Dataset floats({.image = {1, 1, 2}, .targets = 2});
  using Longs = std::vector<std::int64_t>;
  using Bytes = std::vector<std::uint8_t>;
  using Floats = std::vector<float>;
  const std::pair<std::string, std::string> cases[] = {
      {error_of([&] {
         floats.add(Longs{0, 1}, Floats{1, 2, 3, kNaN}, Floats{1, 2, 3, 4});
       }),
       "DataError: number 1 of added sample 1 (the first is 0) is nan"},
      {error_of([&] {
         floats.add(Longs{0}, std::vector{1., 1e300}, Floats{1, 2});
       }),
       "is 1e+300"},
      {error_of([&] {
         floats.add(Longs{0}, Floats{1, 2}, Floats{1, kNaN});
       }),
       "DataError: target 1 of added"},
      {error_of([&] {
         floats.add(Longs{0}, Floats{1, 2, 3}, Floats{1, 2});
       }),
       "ConfigError: 1 sample numbers come with 3 numbers of images; each sample has 2"},
      {error_of([&] {
         floats.add(Longs{0}, Floats{1, 2}, Longs{1, 2});
       }),
       "targets are added as integers"},
      {error_of([&] {
         floats.add(Longs{0}, Bytes{1, 2}, Floats{1, 2});
       }),
       "float numbers are added as integers"},
      {error_of([&] {
         floats.add(Longs{-4}, Floats{1, 2}, Floats{1, 2});
       }),
       "sample number -4 is negative"},
      {error_of([&] {
         bytes.add(Longs{0}, Floats{1, 2}, Longs{1});
       }),
       "images of bytes are added as numbers"},
      {error_of([&] {
         bytes.add(Longs{0}, Bytes{1, 2}, Longs{3});
       }),
       "is 3; labels are 0 to 2"},
      {error_of([&] {
         bytes.add(Longs{0}, Bytes{1, 2}, Floats{1});
       }),
       "labels are added as float numbers"},
      {error_of([] {
         (void)Dataset({.image = {1, 1, 2}});
       }),
       "either classes or targets (here 0 and 0)"},
      {error_of([] {
         (void)Dataset({.image = {1, 0, 2}, .classes = 2});
       }),
       "images of 1x0x2 are empty"},
      {error_of([] {
         (void)Dataset({.image = {1, 1, 2}, .classes = 2, .class_names = {"a"}});
       }),
       "1 class name comes with 2 classes"}};
  for (const auto& [message, fragment] : cases)
    EXPECT_NE(message.find(fragment), std::string::npos) << "want: " << fragment << "\ngot:  " << message;
  bytes.join();
  EXPECT_EQ(bytes.samples(), 0);  // nothing was added
}

TEST(LibraryDataset, NamesTheNumberThatIsMissingOrThereTwice) {
  Dataset dataset(test::small_format());
  test::add_small(dataset, 0, 4);
  test::add_small(dataset, 5, 2);
  EXPECT_NE(error_of([&] { dataset.join(); })
                .find("DataError: no rank has added sample 4 (the numbers of the 6 "
                      "new samples of all ranks must be 0 to 5"),
            std::string::npos);
  EXPECT_EQ(dataset.samples(), 0);
  test::add_small(dataset, 4, 1);  // all stayed as it was
  dataset.join();
  EXPECT_EQ(dataset.samples(), 7);
  test::add_small(dataset, 6, 1);
  EXPECT_NE(error_of([&] { dataset.join(); }).find("sample 6 was added before"), std::string::npos);
  Dataset twice(test::small_format());
  test::add_small(twice, 0, 4);
  test::add_small(twice, 2, 1);
  EXPECT_NE(error_of([&] { twice.join(); }).find("sample 2 was added twice"), std::string::npos);
}

TEST(LibraryDataset, TellsWhyAFileCannotBeRead) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "small.h5");
  EXPECT_NE(error_of([&] { (void)Dataset::read(folder / "none.h5"); }).find("ConfigError: "),
            std::string::npos);
  EXPECT_NE(
      error_of([&] { (void)Dataset::read(folder / "small.h5", "validation"); }).find("no samples in split"),
      std::string::npos);
  Dataset file = Dataset::read(folder / "small.h5", "test");
  EXPECT_EQ(file.samples(), test::kSmallTest);
  EXPECT_NE(error_of([&] { test::add_small(file, 5, 1); }).find("was read from a file"), std::string::npos);
}

}  // namespace
}  // namespace convoy
