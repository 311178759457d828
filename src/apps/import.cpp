// convoy import: converts published data sets and folders of images to a data set file.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>

#include "command.hpp"
#include "command_line.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/text.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/machine/placement.hpp"
#include "dataset_command.hpp"

namespace convoy::apps {
namespace {

/// The formats whose files need no further options.
struct Format {
  std::string name;
  void (*import)(const std::string& folder, const std::string& out, importers::Observer* observer);
};

const std::vector<Format>& published_formats() {
  static const std::vector<Format> table = {{"mnist", importers::import_mnist},
                                            {"cifar10", importers::import_cifar10}};
  return table;
}

constexpr const char* kFolder = "folder";

const Format& find_format(const std::string& name) {
  std::vector<std::string> names;
  for (const Format& format : published_formats()) {
    if (format.name == name) return format;
    names.push_back(format.name);
  }
  names.emplace_back(kFolder);
  throw ConfigError(fmt::format("unknown format {}{}; import takes {}", name,
                                config::did_you_mean(name, names), join(names, ", ")));
}

constexpr std::array<const char*, 9> kFolderOptions{"labels", "exif",      "size", "fit",    "channels",
                                                    "on-bad", "test-part", "seed", "threads"};

void add_folder_options(CommandLine& line) {
  line.add_value("size", "HxW",
                 "folder: height and width of every image, bilinear with antialiasing; without it all must "
                 "have the same");
  line.add_value("fit", "stretch|crop",
                 "folder, with --size: each side by its own factor (default), or cut to HxW's ratio from the "
                 "middle first");
  line.add_value("channels", "1|3",
                 "folder: grey (ITU-R BT.601) or red, green, blue; default 3 where any image is in colour");
  line.add_value("on-bad", "stop|skip",
                 "folder: an image that is damaged, cut short or absurdly large is an error (default), or "
                 "is named and left out");
  line.add_value(
      "test-part", "P",
      "folder: part of each class set apart as test split, 0 to 0.9, where DIR has no test folder; "
      "default 0");
  line.add_value(
      "exif", "apply|ignore",
      "folder: turn images upright as their cameras say (default), or leave pixels as they are stored");
  line.add_value("labels", "F.csv", "folder: a table of file, label (from DIR on) instead of class folders");
  line.add_value("seed", "S", "folder: chooses that part, by file name; default 1");
  line.add_value("threads", "N", "folder: threads of a rank; default 0: as train chooses them");
}

importers::FolderOptions folder_options(const CommandLine& line) {
  constexpr std::int64_t kMostSide = 8192;
  importers::FolderOptions options;
  options.folder = line.words()[1];
  while (options.folder.size() > 1 && options.folder.ends_with('/')) options.folder.pop_back();
  options.out = line.required_text("out");
  if (line.has("size")) options.size = line.size("size", {}, 1, kMostSide);
  if (line.has("fit") && !line.has("size")) throw ConfigError("--fit goes with --size; give both");
  options.fit = line.choice("fit", {"stretch", "crop"}) == 0 ? images::Fit::kStretch : images::Fit::kCrop;
  if (line.has("channels")) options.channels = line.choice("channels", {"1", "3"}) == 0 ? 1 : 3;
  options.on_bad =
      line.choice("on-bad", {"stop", "skip"}) == 0 ? importers::OnBad::kStop : importers::OnBad::kSkip;
  options.test_part = line.number("test-part", 0, 0, 0.9);
  options.exif = line.choice("exif", {"apply", "ignore"}) == 0 ? images::Exif::kApply : images::Exif::kIgnore;
  options.labels = line.text("labels").value_or("");
  options.seed =
      static_cast<std::uint64_t>(line.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  options.threads = machine::resolve_threads(line.integer("threads", 0, 0, 4096));
  return options;
}

std::string describe(const importers::FolderReport& report, const std::string& out) {
  std::string text = fmt::format("Made {}: {}, {}", out, to_string(report.shape),
                                 counted(static_cast<std::int64_t>(report.class_names.size()), "class"));
  for (const importers::FolderReport::Split& split : report.splits)
    text += fmt::format(", {} in {}", counted(split.samples, "image"), split.name);
  text += '.';
  constexpr std::size_t kMostNames = 3;
  const auto& others = report.passed_over;
  if (!others.empty()) {
    const std::vector<std::string> names(others.begin(),
                                         others.begin() + std::min(others.size(), kMostNames));
    text += fmt::format("\nPassed over: {} ({}{}).",
                        counted(static_cast<std::int64_t>(others.size()), "other file"), join(names, ", "),
                        others.size() > kMostNames ? ", ..." : "");
  }
  if (report.hidden > 0) text += "\nPassed over: " + counted(report.hidden, "hidden file") + ".";
  if (report.turned > 0)
    text +=
        fmt::format("\nTurned upright, as their cameras say (EXIF): {}.", counted(report.turned, "image"));
  if (report.left_out > 0) text += "\nLeft out: " + counted(report.left_out, "bad image") + ".";
  if (report.splits.size() == 1)
    text += "\nThere is no test split; --test-part sets part of the images apart.";
  return text;
}

ExitStatus import_folder(const CommandLine& line) {
  const importers::FolderOptions options = folder_options(line);
  return make_dataset("import",
                      [&](const comm::Communicator& world, importers::Observer& observer, const Say& say) {
                        say(describe(importers::import_folder(options, world, &observer), options.out));
                      });
}

}  // namespace

ExitStatus run_import(const Arguments& arguments) {
  CommandLine line(
      "import",
      "convoy import mnist|cifar10 DIR --out F.h5\n"
      "       [mpirun ...] convoy import folder DIR --out F.h5 [options]",
      "Makes a data set file. mnist: the four IDX files in DIR (train-images-idx3-ubyte ...), plain or .gz;\n"
      "cifar10: the binary version (data_batch_1.bin ...), plain or .gz; folder: PNG, JPEG, WebP, TIFF, "
      "BMP, GIF, PGM and PPM files,\n"
      "DIR/CLASS/..., or DIR/train/CLASS/... with DIR/test and DIR/validation (val, Testing, ...) where they "
      "are there, or images in DIR with a table of their labels.\n"
      "Ranks and threads share the work of folder; they change no byte of the file.\n"
      "SIGINT and SIGTERM stop it with status 130 and 143, and leave F.h5 as it was.");
  line.add_value("out", "F.h5", "file to write; one that is there is replaced when the new one is whole");
  add_folder_options(line);
  line.expect_words(2, 2);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  if (line.words()[0] == kFolder) return import_folder(line);
  const Format& format = find_format(line.words()[0]);
  for (const char* option : kFolderOptions)
    if (line.has(option))
      throw ConfigError(
          fmt::format("--{} goes with import folder alone ({} says itself how its images are); leave it out",
                      option, format.name));
  const std::string out = line.required_text("out");
  return make_dataset_alone("import", [&](importers::Observer& observer, const Say& say) {
    format.import(line.words()[1], out, &observer);
    say(fmt::format("Made {}; 'convoy inspect {}' shows what is in it.", out, out));
  });
}

}  // namespace convoy::apps
