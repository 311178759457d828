// convoy gradcheck: checks the gradients of a configuration's network, layer by layer.

#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "command.hpp"
#include "convoy/check/gradient_check.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/train/evaluation.hpp"
#include "gradcheck.hpp"

namespace convoy::apps {
namespace {

constexpr std::int64_t kSamples = 3;

/// Converts the flat `index` of a tensor to its logical indices: "[2,0,1,4]".
std::string place(const Dims& dims, std::int64_t index) {
  std::string text = "]";
  for (std::size_t d = dims.size(); d-- > 0;) {
    text = fmt::format("{}{}{}", d == 0 ? "[" : ",", index % dims[d], text);
    index /= dims[d];
  }
  return text;
}

void print_table(const check::GradientCheck& result) {
  std::cout << fmt::format("  {:16} {:7} {:18} {:>7} {:>7}  {:9} {:18} {}\n", "layer", "tensor", "shape",
                           "checked", "skipped", "error", "worst at", "float error");
  for (const check::TensorCheck& each : result.tensors) {
    const std::string rough = each.name == "input" ? "" : fmt::format("{:.1e}", each.float_error);
    std::cout << fmt::format("  {:16} {:7} {:18} {:7} {:7}  {:9} {:18} {}\n", each.layer, each.name,
                             to_string(each.dims), each.checked, each.skipped,
                             each.checked == 0 ? "-" : fmt::format("{:.1e}", each.worst_error),
                             each.checked == 0 ? "-" : place(each.dims, each.worst_index), rough);
  }
}

void print_verdict(const check::GradientCheck& result, std::string_view isa) {
  const check::TensorCheck& worst = result.tensors[result.worst];
  std::cout << fmt::format(
      "Worst: {} {}{}, analytic {:.9g}, numeric {:.9g}, relative error {:.1e} (tolerance {:.0e}): {}\n",
      worst.layer, worst.name, place(worst.dims, worst.worst_index), worst.analytic, worst.numeric,
      worst.worst_error, check::kGradientTolerance, result.gradients_right() ? "right" : "WRONG");
  const std::int64_t drawn = result.checked + result.skipped;
  std::cout << fmt::format("Kinks: {} of {} entries skipped, {:.2f} % (at most {:.0f} %): {}\n",
                           grouped(result.skipped), grouped(drawn),
                           100. * static_cast<double>(result.skipped) / static_cast<double>(drawn),
                           100 * check::kMostSkipped, result.few_skipped() ? "few enough" : "TOO MANY");
  const check::TensorCheck& rough = result.tensors[result.worst_float];
  std::cout << fmt::format(
      "Float ({}) against double: worst {} {}, {:.1e} of the gradient's norm (tolerance {:.1e}; {} passed on "
      "another side): {}\n",
      isa, rough.layer, rough.name, rough.float_error, result.float_tolerance, counted(result.flips, "kink"),
      result.float_right() ? "right" : "WRONG");
  std::cout << (result.passed() ? "The gradients are right.\n" : "The gradients are WRONG.\n");
}

struct GradcheckRequest {
  std::int64_t samples = kSamples;
  std::int64_t entries = 0;
};

ExitStatus check(const config::Options& options, const GradcheckRequest& request,
                 const nn::Registry& registry, const comm::Communicator& world) {
  const data::Dataset dataset(options.data, world, {"train"});
  const data::Split* split = dataset.split("train");
  if (split == nullptr || split->samples() == 0)
    throw DataError("data set " + options.data.file +
                    " has no samples in split 'train'; the check takes its first ones");
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(std::min(request.samples, split->samples())));
  std::iota(numbers.begin(), numbers.end(), 0);
  const data::InputTransform transform = dataset.transform(options.data.normalize);
  if (!world.is_root()) return ExitStatus::kDone;  // rank 0 does all the work

  std::vector<float> images(static_cast<std::size_t>(lane_blocks(static_cast<std::int64_t>(numbers.size())) *
                                                     dataset.shape().size() * kLanes));
  split->read(numbers, transform, images.data());
  const nn::LossFunction loss = train::loss_for(dataset, options);
  const nn::Network network(dataset.shape(), options.layers, loss, train::outputs_for(dataset, options),
                            registry);
  const kernels::Isa isa = kernels::choose_isa();
  const check::GradientCheckCase what{
      .input = dataset.shape(),
      .layers = options.layers,
      .loss = loss,
      .classes = dataset.classes(),
      .images = images,
      .labels = split->labels().first(std::min(numbers.size(), split->labels().size())),
      .targets = split->targets().first(numbers.size() * static_cast<std::size_t>(split->target_size())),
      .samples = numbers,
      .seed = options.seed,
      .entries = request.entries > 0 ? request.entries : check::affordable_entries(network),
      .isa = isa};
  std::cout
      << "Gradients of the untrained network (seed " << options.seed << ") on "
      << counted(static_cast<std::int64_t>(numbers.size()), "sample") << " of " << options.data.file
      << ", loss " << nn::describe(loss) << ".\n"
      << "Analytic against (C(p+h) - C(p-h)) / 2h in double precision, h from 1e-3 to 1e-8 of p, the best "
         "taken;\n"
      << "at most " << what.entries
      << " entries of a tensor, drawn by seed (--entries). 'input' is dC/d(input) "
         "of a layer;\n"
      << "images and inputs are moved a little at random, off the kinks of relu and maxpool.\n"
      << std::flush;
  const check::GradientCheck result = check::check_gradients(what, registry);
  print_table(result);
  print_verdict(result, kernels::to_string(isa));
  return result.passed() ? ExitStatus::kDone : ExitStatus::kCheckFailed;
}

}  // namespace

ExitStatus run_gradcheck(const Arguments& arguments) {
  return run_gradcheck_with(arguments, nn::Registry::standard());
}

ExitStatus run_gradcheck_with(const Arguments& arguments, const nn::Registry& registry) {
  CommandLine line(
      "gradcheck", "convoy gradcheck --config FILE [options]",
      "Checks the gradients of a configuration's network, layer by layer, against numeric ones.\n"
      "Status 1 where one is wrong, or more than 1 % of the entries lie at a kink.");
  line.add_value(
      "samples", "N",
      "samples, the first of data.file's training split, 1 to 64; default " + std::to_string(kSamples));
  line.add_value("entries", "N",
                 "entries of each tensor, at most; default 0: 3 to 40, by the network's cost");
  line.add_configuration();
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const config::Options options = line.configuration(config::For::kTrial);
  const GradcheckRequest request{.samples = line.integer("samples", kSamples, 1, 64),
                                 .entries = line.integer("entries", 0, 0, 1 << 20)};
  return launch::run_with_ranks(
      "gradcheck", [&](const comm::Communicator& world) { return check(options, request, registry, world); });
}

}  // namespace convoy::apps
