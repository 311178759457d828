// The configuration: an INI text, and the words of a command line behind its first zero byte, a line each.
// What can be read must come back the same from its effective INI.

#include <vector>

#include "convoy/command_line/command_line.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "fuzz/harness.hpp"

namespace {

using namespace convoy;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void read_back(const config::Options& options) {
  const std::string ini = config::effective_ini(options);
  if (ini.find("# for --") != std::string::npos) return;  // a '#' cannot stand in a file
  const config::Options again = config::make_options({config::read_ini(ini, "effective")});
  if (config::effective_ini(again) == ini) return;
  std::fprintf(stderr, "comes back otherwise:\n%s\n---\n%s\n", ini.c_str(),
               config::effective_ini(again).c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string file = fuzz::scratch() + "/a.ini";
  fuzz::write_file(file, {data, end});
  fuzz::expect_result_or_error("", [&] { read_back(config::load({file}, {})); });
  fuzz::expect_result_or_error("",
                               [&] { (void)config::from_checkpoint(input.substr(0, end), "a-checkpoint"); });
  if (end == size) return 0;
  std::vector<std::string> words = lines_of(input.substr(end + 1));
  // The help is no reader's business, and long.
  std::erase_if(words,
                [](const std::string& word) { return word.starts_with("--h") || word.starts_with("-h"); });
  words.insert(words.begin(), {"--config", file});
  fuzz::expect_result_or_error("", [&] {
    apps::CommandLine line("train", "convoy train", "trains");
    line.add_configuration();
    line.add_value("resume", "PATH", "goes on");
    line.add_flag("dry-run", "nothing is written");
    if (!line.parse(words)) return;
    (void)line.integer("resume", 0, 0, 100);
    read_back(line.configuration());
  });
  return 0;
}
