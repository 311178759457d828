#include <algorithm>
#include <set>

#include "helpers.hpp"

namespace convoy::config {
namespace {

std::vector<std::filesystem::path> shipped() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(CONVOY_CONFIGS))
    if (entry.path().extension() == ".ini") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(ShippedConfigs, AreThoseTheReadmeNames) {
  std::set<std::string> names;
  for (const auto& path : shipped()) names.insert(path.filename().string());
  for (const char* name : {"mlp-mnist.ini", "nielsen-mnist.ini", "lenet5-mnist.ini", "cifar-small.ini",
                           "resnet20-cifar10.ini", "vgg11-cifar10.ini", "quickstart.ini"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(ShippedConfigs, AllParseAndReadBack) {
  for (const auto& path : shipped()) {
    SCOPED_TRACE(path);
    const Options options = load({path.string()}, {});
    EXPECT_EQ(options.dir, "runs/" + path.stem().string());
    EXPECT_EQ(effective_ini(from_texts({effective_ini(options)})), effective_ini(options));
  }
}

TEST(ShippedConfigs, UseBatch128InMicroBatchesOf16ButNielsensFirstAndVgg) {
  for (const auto& path : shipped()) {
    SCOPED_TRACE(path);
    const Options options = load({path.string()}, {});
    const bool is_mlp = path.stem() == "mlp-mnist";
    EXPECT_EQ(options.batch, is_mlp ? 10 : 128);
    EXPECT_EQ(options.micro_batch, is_mlp ? 5 : path.stem() == "vgg11-cifar10" ? 32 : 16);
  }
}

TEST(ShippedConfigs, OpenWithACommentOnDataAndRanks) {
  for (const auto& path : shipped()) {
    std::ifstream file(path);
    std::string comment;
    for (std::string line; std::getline(file, line) && line.starts_with('#');) comment += line + '\n';
    SCOPED_TRACE(path);
    expect_mentions(comment, {"Data:", "convoy ", "Ranks:"});
  }
}

}  // namespace
}  // namespace convoy::config
