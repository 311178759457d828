// convoy predict: a trained network's answers for image files and for images in HDF5 files.

#include <iostream>
#include <optional>

#include "command.hpp"
#include "convoy/comm/agreement.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/command_line/layout_option.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/predict/predictor.hpp"
#include "convoy/step/consistency.hpp"

namespace convoy::apps {
namespace {

std::optional<images::Fit> fit_of(const CommandLine& line) {
  if (!line.has("fit")) return std::nullopt;
  return line.choice("fit", {"stretch", "crop"}) == 0 ? images::Fit::kStretch : images::Fit::kCrop;
}

}  // namespace

ExitStatus run_predict(const Arguments& arguments) {
  CommandLine line(
      "predict", "[mpirun …] convoy predict --checkpoint F.h5 INPUT... [options]",
      "What a trained network says of images: PNG, JPEG, WebP, TIFF, BMP, GIF, PGM and PPM files, folders of "
      "them, and\n"
      "FILE.h5:/PATH or FILE.h5:/PATH[BEGIN:END] (samples of a data set of images). A line for each:\n"
      "the likeliest classes with their probabilities, or the network's outputs if it was trained on\n"
      "targets. Any number of ranks and threads gives the same numbers.");
  line.add_value("checkpoint", "F.h5", "a file of run.dir/checkpoints");
  line.add_value(
      "fit", "stretch|crop",
      "resize image files to the network's input, as import folder --fit does, and convert between grey "
      "and colour; without it an image of another shape is an error");
  add_layout_option(line, "of the images in HDF5 files");
  line.add_value("top", "K", "classes to show; default 5");
  line.add_flag("json", "one JSON object a line: input, outputs, class, class_name, probability, top");
  line.add_value("csv", "F.csv", "write a line per input to a file instead: class, probability, outputs");
  line.add_value("out", "F.h5", "write /outputs, /class and /probability to an HDF5 file instead");
  line.add_value("threads", "N", "threads of a rank; default 0: as train chooses them");
  line.expect_words(1, 1'000'000);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const predict::Request request{.checkpoint = line.required_text("checkpoint"),
                                 .inputs = line.words(),
                                 .axes = layout_of(line),
                                 .fit = fit_of(line),
                                 .most = line.integer("top", 5, 1, 1'000'000),
                                 .threads = machine::resolve_threads(line.integer("threads", 0, 0, 4096)),
                                 .as_json = line.has("json"),
                                 .csv = line.text("csv").value_or(""),
                                 .out = line.text("out").value_or("")};
  return launch::run_with_ranks("predict", [&](const comm::Communicator& world) {
    comm::require_agreement(world, "build", step::build_digest(), step::kSameBuild);
    predict::run(request, world, std::cout);
    return ExitStatus::kDone;
  });
}

}  // namespace convoy::apps
