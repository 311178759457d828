#pragma once
// Helpers for the tests of the config room.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"

namespace convoy::config {

/// The required keys of a run, one per line.
inline constexpr const char* kLeast =
    "[data]\nfile = d.h5\n[network]\nlayer = dense 10\nloss = quadratic\n[schedule]\nlr = 0.5\n[run]\ndir = "
    "r\n";

/// Makes Options from INI texts; later texts override earlier ones; their names are "a.ini", "b.ini", …
inline Options from_texts(const std::vector<std::string>& texts) {
  std::vector<std::vector<Setting>> sources;
  for (const std::string& text : texts)
    sources.push_back(read_ini(text, std::string(1, static_cast<char>('a' + sources.size())) + ".ini"));
  return make_options(sources);
}

/// Makes Options from kLeast, then `text`.
inline Options least_and(const std::string& text) {
  return from_texts({kLeast, text});
}

/// The message of the ConfigError that `action` throws; the test fails if it throws none.
template <class Action>
std::string config_error(Action action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigError was thrown";
  return {};
}

inline void expect_mentions(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' lacks '" << part << "'";
}

/// A folder for one test, removed after the test.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("convoy-config-" + std::to_string(::getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return (path_ / name).string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace convoy::config
