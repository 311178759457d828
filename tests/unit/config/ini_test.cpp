#include "helpers.hpp"

namespace convoy::config {
namespace {

std::string reading_error(const std::string& text) {
  return config_error([&] { (void)read_ini(text, "a.ini"); });
}

TEST(ReadIni, GivesKeysWithSectionValuesWithoutBlanksAndLines) {
  const auto settings =
      read_ini("# first\n[train]\n  batch = 8  # of all ranks\n\n[data]\nfile=a b.h5\r\n", "a.ini");
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[0].key, "train.batch");
  EXPECT_EQ(settings[0].value, "8");
  EXPECT_EQ(settings[0].origin, "a.ini:3");
  EXPECT_EQ(settings[1].key, "data.file");
  EXPECT_EQ(settings[1].value, "a b.h5");
  EXPECT_EQ(settings[1].origin, "a.ini:6");
}

TEST(ReadIni, SplitsAtTheFirstEqualsSignAlone) {
  EXPECT_EQ(read_ini("[network]\nlayer = conv 8 3x3 pad=1", "a.ini").at(0).value, "conv 8 3x3 pad=1");
}

TEST(ReadIni, TakesQuotesAsOrdinaryCharacters) {
  EXPECT_EQ(read_ini("[data]\nfile = \"a\".h5", "a.ini").at(0).value, "\"a\".h5");
}

TEST(ReadIni, EndsAValueAtANumberSignAnywhere) {
  EXPECT_EQ(read_ini("[data]\nfile = a#b.h5", "a.ini").at(0).value, "a");
}

TEST(ReadIni, SkipsAByteOrderMark) {
  EXPECT_EQ(read_ini("\xEF\xBB\xBF[train]\nbatch = 8", "a.ini").at(0).key, "train.batch");
}

TEST(ReadIni, AcceptsFullNamesBeforeTheFirstSectionAsBoostDoes) {
  EXPECT_EQ(read_ini("train.batch = 8", "a.ini").at(0).key, "train.batch");
}

TEST(ReadIni, GivesNothingForAnEmptyText) {
  EXPECT_TRUE(read_ini("", "a.ini").empty());
}

TEST(ReadIni, RefusesAnUnknownSectionAndNamesTheNearest) {
  expect_mentions(reading_error("\n[tarin]\nbatch = 8"),
                  {"a.ini:2", "[tarin]", "did you mean train", "checkpoint"});
}

TEST(ReadIni, RefusesAnEmptyOrOpenSectionHeader) {
  expect_mentions(reading_error("[]\n"), {"a.ini:1", "unknown section []"});
  expect_mentions(reading_error("[train\nbatch = 8"), {"a.ini:1", "[train", "ends with ']'"});
  expect_mentions(reading_error("[train] batch = 8"), {"a.ini:1", "ends with ']'"});
}

TEST(ReadIni, RefusesAKeyOutsideASection) {
  expect_mentions(reading_error("batch = 8"), {"a.ini:1", "'batch'", "outside a section", "train.batch"});
}

TEST(ReadIni, RefusesALineWithoutEqualsSign) {
  expect_mentions(reading_error("[train]\nbatch 8"), {"a.ini:2", "batch 8", "no '='"});
}

TEST(ReadIni, RefusesALineWithoutKeyOrValue) {
  expect_mentions(reading_error("[train]\n= 8"), {"a.ini:2", "no key"});
  expect_mentions(reading_error("[train]\nbatch ="), {"a.ini:2", "train.batch", "no value"});
  expect_mentions(reading_error("[train]\nbatch = # eight"), {"a.ini:2", "train.batch", "no value"});
}

TEST(ReadIni, RefusesBinaryContent) {
  expect_mentions(reading_error(std::string("[train]\nbatch = 8\0\n", 19)),
                  {"a.ini:2", "control characters"});
}

TEST(ReadIniFile, NamesTheFileInEveryOrigin) {
  const TemporaryFolder folder;
  const std::string path = folder.write("one.ini", "[train]\nbatch = 8\n");
  EXPECT_EQ(read_ini_file(path).at(0).origin, path + ":2");
}

TEST(ReadIniFile, RefusesAMissingFileADirectoryAndAHugeFile) {
  const TemporaryFolder folder;
  const auto error_of = [](const std::string& path) {
    return config_error([&] { (void)read_ini_file(path); });
  };
  expect_mentions(error_of(folder.path() + "/none.ini"), {"none.ini", "No such file"});
  expect_mentions(error_of(folder.path()), {folder.path(), "directory"});
  expect_mentions(error_of(folder.write("huge.ini", std::string(2'000'000, '\n'))), {"huge.ini", "1 MiB"});
}

TEST(ReadIniFile, RefusesAFileItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryFolder folder;
  const std::string path = folder.write("secret.ini", kLeast);
  std::filesystem::permissions(path, std::filesystem::perms::none);
  expect_mentions(config_error([&] { (void)read_ini_file(path); }), {path, "Permission denied"});
}

}  // namespace
}  // namespace convoy::config
