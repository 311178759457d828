// convoy synth: makes a data set of generated images.

#include "convoy/importers/synth.hpp"

#include <fmt/core.h>

#include <limits>
#include <tuple>

#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/import_commands/import_commands.hpp"
#include "dataset_command.hpp"

namespace convoy::apps {

ExitStatus run_synth(const Arguments& arguments) {
  const importers::SynthOptions preset;
  const auto with_default = [](const std::string& help, std::int64_t value) {
    return help + "; default " + grouped(value);
  };
  CommandLine line(
      "synth", "convoy synth --out F.h5 [options]",
      "Draws a data set: strokes and shapes at random places, angles, sizes and brightness, with noise.\n"
      "The same options make the same images on every machine.");
  line.add_value("out", "F.h5", "file to write; one that is there is replaced when the new one is whole");
  line.add_value("train", "N", with_default("images of the training split", preset.train));
  line.add_value("test", "N", with_default("images of the test split", preset.test));
  line.add_value("classes", "K", with_default("kinds of shapes, 2 to 10", preset.classes));
  line.add_value("size", "HxW",
                 fmt::format("height and width of an image; default {}x{}", preset.height, preset.width));
  line.add_value("seed", "S", "of everything random; default " + std::to_string(preset.seed));
  if (!line.parse(arguments)) return ExitStatus::kDone;

  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();  // of a seed
  constexpr std::int64_t kMostImages = 100'000'000;
  importers::SynthOptions options;
  options.train = line.integer("train", preset.train, 1, kMostImages);
  options.test = line.integer("test", preset.test, 1, kMostImages);
  options.classes = line.integer("classes", preset.classes, 2, 10);
  options.seed =
      static_cast<std::uint64_t>(line.integer("seed", static_cast<std::int64_t>(preset.seed), 0, kMost));
  std::tie(options.height, options.width) = line.size("size", {preset.height, preset.width}, 12, 512);
  const std::string out = line.required_text("out");
  return make_dataset_alone("synth", [&](importers::Observer& observer, const Say& say) {
    importers::synth(options, out, &observer);
    say(fmt::format("Made {}: {} to train, {} to test, {}.", out, counted(options.train, "image"),
                    counted(options.test, "image"),
                    join(importers::synth_class_names(options.classes), ", ")));
  });
}

}  // namespace convoy::apps
