// convoy import folder: images of class folders, or of a table of labels.

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "convoy/core/text.hpp"
#include "convoy/machine/placement.hpp"
#include "dataset_command.hpp"
#include "import_formats.hpp"

namespace convoy::apps {
namespace {

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
  options.file_column = line.text("file-column").value_or("");
  options.label_column = line.text("label-column").value_or("");
  for (const char* name : {"file-column", "label-column"})
    if (line.has(name) && options.labels.empty())
      throw ConfigError(fmt::format("--{} goes with --labels; give both", name));
  options.seed =
      static_cast<std::uint64_t>(line.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  options.threads = machine::resolve_threads(line.integer("threads", 0, 0, 4096));
  return options;
}

/// A line that counts them and shows the first names; nothing if there are none.
std::string passed_over(std::string_view noun, const std::vector<std::string>& names) {
  constexpr std::size_t kMostNames = 3;
  if (names.empty()) return {};
  const std::vector<std::string> first(names.begin(), names.begin() + std::min(names.size(), kMostNames));
  return fmt::format("\nPassed over: {} ({}{}).", counted(static_cast<std::int64_t>(names.size()), noun),
                     join(first, ", "), names.size() > kMostNames ? ", ..." : "");
}

std::string describe(const importers::FolderReport& report, const std::string& out) {
  std::string text = fmt::format("Made {}: {}, {}", out, to_string(report.shape),
                                 counted(static_cast<std::int64_t>(report.class_names.size()), "class"));
  for (const importers::FolderReport::Split& split : report.splits)
    text += fmt::format(", {} in {}", counted(split.samples, "image"), split.name);
  text += '.';
  std::vector<std::string> folders;
  std::vector<std::string> files;
  for (const std::string& name : report.passed_over) (name.ends_with('/') ? folders : files).push_back(name);
  text += passed_over("other folder", folders) + passed_over("other file", files);
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

ImportFormat folder_format() {
  return {
      .name = "folder",
      .usage = "DIR",
      .about =
          "PNG, JPEG, WebP, TIFF, BMP, GIF, PGM and PPM files, DIR/CLASS/..., or DIR/train/CLASS/... with "
          "DIR/test and DIR/validation (val, Testing, val2017, ...) where they are there, or images in DIR "
          "with a table of their labels; ranks and threads share its work and change no byte of the file",
      .options =
          {{"size", "HxW",
            "height and width of every image, bilinear with antialiasing; without it all must have the same"},
           {"fit", "stretch|crop",
            "with --size: each side by its own factor (default), or cut to HxW's ratio from the middle "
            "first"},
           {"channels", "1|3",
            "grey (ITU-R BT.601) or red, green, blue; default 3 where any image is in colour"},
           {"on-bad", "stop|skip",
            "an image that is damaged, cut short or absurdly large is an error (default), or is named and "
            "left out"},
           {"test-part", "P",
            "part of each class set apart as test split, 0 to 0.9, where DIR has no test folder; default 0"},
           {"exif", "apply|ignore",
            "turn images upright as their cameras say (default), or leave pixels as they are stored"},
           {"labels", "F.csv",
            "a table of file, label (from DIR on) instead of class folders; of more columns its header "
            "decides (image_id, ..., class, ...), or each but the file's is a class (one 1, else 0)"},
           {"file-column", "NAME",
            "the column of --labels with the files: a name of its header, or 1, 2, ..."},
           {"label-column", "NAME", "the column of --labels with the labels, in the same way"},
           {"seed", "S", "chooses that part, by file name; default 1"},
           {"threads", "N", "threads of a rank; default 0: as train chooses them"}},
      .least_words = 1,
      .most_words = 1,
      .run = import_folder};
}

}  // namespace convoy::apps
