#include "convoy/hdf5/file.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

using comm::Communicator;
using test::message_of;
using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

// A file with objects of every kind, read by all tests.
class Hdf5File : public testing::Test {
 protected:
  Hdf5File() {
    File file = File::create(path_, Communicator::self());
    file.set_attribute("/", "integer", std::int64_t{-7});
    file.set_attribute("/", "number", 0.1);
    file.set_attribute("/", "text", std::string_view("gänse\nfüße"));
    file.set_attribute("/", "empty text", std::string_view(""));
    file.create_group("/a/b");
    file.set_attribute("/a/b", "integers", Integers{1, 2, 3});
    file.set_attribute("/a/b", "numbers", std::vector<double>{0.5, 1e-300});
    file.set_attribute("/a/b", "texts", Texts{"one", "", "drei"});
    std::vector<std::uint8_t> pixels(7 * 3 * 2);
    std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
    file.create_dataset<std::uint8_t>("/a/pixels", {7, 3, 2},
                                      {.chunk_rows = 2, .gzip_level = 4, .fletcher32 = true});
    file.write_rows<std::uint8_t>("/a/pixels", {0, 7}, pixels);
    file.write<float>("/floats", {2, 2}, std::vector<float>{1, 2, 3, 4});
    file.write<std::int64_t>("/scalar", {}, Integers{42});
    file.write<double>("/nothing", {0, 5}, std::vector<double>{});
    file.close();
  }

  test::ScratchFolder folder_;
  std::string path_ = folder_ / "file.h5";
};

TEST_F(Hdf5File, SetsAsideTheUserBlock) {
  const std::string bytes = test::read_bytes(path_);
  EXPECT_EQ(bytes.substr(0, 512), std::string(512, '\0'));
  EXPECT_EQ(bytes.substr(512, 8), "\x89HDF\r\n\x1a\n");
}

TEST_F(Hdf5File, GivesBackAttributes) {
  const File file = File::open(path_);
  EXPECT_EQ(file.attribute<std::int64_t>("/", "integer"), -7);
  EXPECT_EQ(file.attribute<double>("/", "number"), 0.1);
  EXPECT_EQ(file.attribute<double>("/", "integer"), -7.0) << "an integer is a number";
  EXPECT_EQ(file.attribute<std::string>("/", "text"), "gänse\nfüße");
  EXPECT_EQ(file.attribute<std::string>("/", "empty text"), "");
  EXPECT_EQ(file.attribute<Integers>("/a/b", "integers"), (Integers{1, 2, 3}));
  EXPECT_EQ(file.attribute<std::vector<double>>("/a/b", "numbers"), (std::vector<double>{0.5, 1e-300}));
  EXPECT_EQ(file.attribute<Texts>("/a/b", "texts"), (Texts{"one", "", "drei"}));
  EXPECT_EQ(file.attribute<Integers>("/", "integer"), Integers{-7}) << "a scalar is a list of one";
}

TEST_F(Hdf5File, NamesWrongAttributes) {
  const File file = File::open(path_);
  const std::string missing = message_of<DataError>([&] { (void)file.attribute<double>("/a/b", "none"); });
  EXPECT_HOLDS(missing, path_);
  EXPECT_HOLDS(missing, "/a/b");
  EXPECT_HOLDS(missing, "'none'");
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.attribute<std::int64_t>("/", "number"); }),
               "it is float64");
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.attribute<double>("/", "text"); }),
               "it should be a number");
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.attribute<std::string>("/", "integer"); }),
               "it should be text");
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.attribute<std::int64_t>("/a/b", "integers"); }),
               "it holds 3 values");
}

TEST_F(Hdf5File, KnowsWhatIsThere) {
  const File file = File::open(path_);
  EXPECT_TRUE(file.exists("/"));
  EXPECT_TRUE(file.exists("/a/b"));
  EXPECT_FALSE(file.exists("/a/c"));
  EXPECT_FALSE(file.exists("/x/y/z"));
  EXPECT_FALSE(file.exists("/floats/below-a-data-set"));
  EXPECT_TRUE(file.is_group("/a"));
  EXPECT_FALSE(file.is_group("/floats"));
  EXPECT_TRUE(file.has_attribute("/", "text"));
  EXPECT_FALSE(file.has_attribute("/", "none"));
}

TEST_F(Hdf5File, ListsObjectsSortedByPath) {
  const auto paths = [](const std::vector<Object>& objects) {
    Texts texts;
    for (const Object& object : objects) texts.push_back(object.path + (object.is_group ? "/" : ""));
    return texts;
  };
  const File file = File::open(path_);
  EXPECT_EQ(paths(file.list()), (Texts{"/a/", "/a/b/", "/a/pixels", "/floats", "/nothing", "/scalar"}));
  EXPECT_EQ(paths(file.list("/a")), (Texts{"/a/b/", "/a/pixels"}));
}

TEST_F(Hdf5File, TellsTypesShapesAndChunks) {
  const File file = File::open(path_);
  const DatasetInfo pixels = file.info("/a/pixels");
  EXPECT_EQ(pixels.type, ElementType::kUint8);
  EXPECT_EQ(pixels.dims, (Dims{7, 3, 2}));
  EXPECT_EQ(pixels.chunk, (Dims{2, 3, 2}));
  EXPECT_GT(pixels.stored_bytes, 0);
  EXPECT_EQ(file.info("/floats").type, ElementType::kFloat32);
  EXPECT_EQ(file.info("/scalar").dims, Dims{});
  EXPECT_EQ(file.info("/nothing").dims, (Dims{0, 5}));
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.info("/none"); }), "there is no /none");
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.info("/a"); }), "/a is a group");
}

TEST_F(Hdf5File, ReadsRowsAcrossChunks) {
  const File file = File::open(path_);
  std::vector<std::uint8_t> rows(4 * 6);
  file.read_rows<std::uint8_t>("/a/pixels", {1, 5}, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], 6 + i);
  file.read_rows<std::uint8_t>("/a/pixels", {3, 3}, {});
}

TEST_F(Hdf5File, ConvertsNumbersOnReading) {
  const File file = File::open(path_);
  EXPECT_EQ(file.read<double>("/floats", {2, 2}), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(file.read<std::int64_t>("/scalar", {}), Integers{42});
  EXPECT_TRUE(file.read<double>("/nothing", {0, 5}).empty());
  EXPECT_HOLDS(message_of<DataError>([&] { (void)file.read<float>("/floats", {4}); }), "it should be [4]");
}

TEST_F(Hdf5File, RefusesRowsThatDoNotFit) {
  const File file = File::open(path_);
  std::vector<std::uint8_t> rows(6);
  EXPECT_THROW(file.read_rows<std::uint8_t>("/a/pixels", {0, 2}, rows), std::logic_error);
  EXPECT_THROW(file.read_rows<std::uint8_t>("/a/pixels", {7, 8}, rows), std::logic_error);
  EXPECT_THROW(file.read_rows<std::uint8_t>("/a/pixels", {-1, 0}, rows), std::logic_error);
}

TEST_F(Hdf5File, AFlippedByteOfAChunkIsFoundByItsSum) {
  std::string bytes = test::read_bytes(path_);
  // zlib streams begin with 78 5e at level 4: the first one is in a chunk.
  const auto chunk = bytes.find("\x78\x5e");
  ASSERT_NE(chunk, std::string::npos);
  bytes[chunk + 4] ^= 1;
  test::write_bytes(path_, bytes);
  const File file = File::open(path_);
  const std::string message = message_of<DataError>([&] {
    (void)file.read<std::uint8_t>("/a/pixels", {7, 3, 2});
  });
  EXPECT_HOLDS(message, path_ + ", object /a/pixels");
}

TEST_F(Hdf5File, TheSameNameTwiceIsAnError) {
  File file = File::create(folder_ / "other.h5", Communicator::self());
  file.create_dataset<float>("/x", {1});
  const std::string message = message_of<IoError>([&] { file.create_dataset<float>("/x", {1}); });
  EXPECT_HOLDS(message, "name already exists");
}

TEST(Hdf5Open, NamesWhatIsNoHdf5File) {
  const test::ScratchFolder folder;
  test::write_bytes(folder / "text.h5", "no such thing\n");
  const std::string message = message_of<DataError>([&] { (void)File::open(folder / "text.h5"); });
  EXPECT_HOLDS(message, folder / "text.h5");
  EXPECT_HOLDS(message, "it is a text file");
}

TEST(Hdf5Open, NamesAMissingFileWithTheSystemsReason) {
  const test::ScratchFolder folder;
  const std::string message = message_of<IoError>([&] { (void)File::open(folder / "none.h5"); });
  EXPECT_HOLDS(message, folder / "none.h5");
  EXPECT_HOLDS(message, "No such file or directory");
}

TEST_F(Hdf5File, ATruncatedFileIsRefused) {
  const std::string bytes = test::read_bytes(path_);
  test::write_bytes(path_, bytes.substr(0, bytes.size() - 100));
  EXPECT_HOLDS(message_of<DataError>([&] { (void)File::open(path_); }),
               "truncated: " + grouped(static_cast<std::int64_t>(bytes.size()) - 100) + " of " +
                   grouped(static_cast<std::int64_t>(bytes.size())) + " bytes");
}

}  // namespace
}  // namespace convoy::io
