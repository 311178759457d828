// convoy gradcheck: are the gradients of a configuration's network right, layer by layer?

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <numeric>

#include "command.hpp"
#include "command_line.hpp"
#include "convoy/check/gradient_check.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/train/evaluation.hpp"
#include "gradcheck.hpp"

namespace convoy::apps {
namespace {

constexpr std::int64_t kSamples = 3;

/// Number `index` of a tensor as its logical indices: "[2,0,1,4]".
std::string place(const Dims& dims, std::int64_t index) {
  std::string text;
  for (std::size_t d = dims.size(); d-- > 0;) {
    text = std::to_string(index % dims[d]) + (text.empty() ? "" : ",") + text;
    index /= dims[d];
  }
  return "[" + text + "]";
}

void print_table(const check::GradientCheck& result) {
  std::printf("  %-16s %-7s %-18s %7s %7s  %-9s %-18s %s\n", "layer", "tensor", "shape", "checked", "skipped",
              "error", "worst at", "float error");
  for (const check::TensorCheck& each : result.tensors) {
    const std::string rough = each.name == "input" ? "" : format("%.1e", each.float_error);
    std::printf("  %-16s %-7s %-18s %7lld %7lld  %-9s %-18s %s\n", each.layer.c_str(), each.name.c_str(),
                to_string(each.dims).c_str(), static_cast<long long>(each.checked),
                static_cast<long long>(each.skipped),
                each.checked == 0 ? "-" : format("%.1e", each.worst_error).c_str(),
                each.checked == 0 ? "-" : place(each.dims, each.worst_index).c_str(), rough.c_str());
  }
}

void print_verdict(const check::GradientCheck& result, std::string_view isa) {
  const check::TensorCheck& worst = result.tensors[result.worst];
  std::cout << "Worst: " << worst.layer << ' ' << worst.name << place(worst.dims, worst.worst_index)
            << ", analytic " << format("%.9g", worst.analytic) << ", numeric "
            << format("%.9g", worst.numeric) << ", relative error " << format("%.1e", worst.worst_error)
            << " (tolerance " << format("%.0e", check::kGradientTolerance)
            << "): " << (result.gradients_right() ? "right" : "WRONG") << '\n';
  const std::int64_t drawn = result.checked + result.skipped;
  std::cout << "Kinks: " << grouped(result.skipped) << " of " << grouped(drawn) << " entries skipped, "
            << format("%.2f", 100. * static_cast<double>(result.skipped) / static_cast<double>(drawn))
            << " % (at most " << format("%.0f", 100 * check::kMostSkipped)
            << " %): " << (result.few_skipped() ? "few enough" : "TOO MANY") << '\n';
  const check::TensorCheck& rough = result.tensors[result.worst_float];
  std::cout << "Float (" << isa << ") against double: worst " << rough.layer << ' ' << rough.name << ", "
            << format("%.1e", rough.float_error) << " of the gradient's norm (tolerance "
            << format("%.1e", result.float_tolerance) << "; " << counted(result.flips, "kink")
            << " passed on another side): " << (result.float_right() ? "right" : "WRONG") << '\n';
  std::cout << (result.passed() ? "The gradients are right.\n" : "The gradients are WRONG.\n");
}

struct Request {
  std::int64_t samples = kSamples;
  std::int64_t entries = 0;
};

ExitStatus check(const config::Options& options, const Request& request, const nn::Registry& registry,
                 const comm::Communicator& world) {
  const data::Dataset dataset(options.data, world, {"train"});
  const data::Split* split = dataset.split("train");
  if (split == nullptr || split->samples() == 0)
    throw DataError("data set " + options.data.file +
                    " has no samples in split 'train'; the check takes its first ones");
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(std::min(request.samples, split->samples())));
  std::iota(numbers.begin(), numbers.end(), 0);
  const data::InputTransform transform = dataset.transform(options.data.normalize);
  if (!world.is_root()) return ExitStatus::kDone;  // one rank's work; the others have nothing to add

  std::vector<float> pictures(static_cast<std::size_t>(
      lane_blocks(static_cast<std::int64_t>(numbers.size())) * dataset.shape().size() * kLanes));
  split->read(numbers, transform, pictures.data());
  const nn::Network network(dataset.shape(), options.layers, options.loss,
                            train::outputs_for(dataset, options), registry);
  const kernels::Isa isa = kernels::choose_isa();
  const check::GradientCheckCase what{
      .input = dataset.shape(),
      .layers = options.layers,
      .loss = options.loss,
      .classes = dataset.classes(),
      .pictures = pictures,
      .labels = split->labels().first(std::min(numbers.size(), split->labels().size())),
      .targets = split->targets().first(numbers.size() * static_cast<std::size_t>(split->target_size())),
      .samples = numbers,
      .seed = options.seed,
      .entries = request.entries > 0 ? request.entries : check::affordable_entries(network),
      .isa = isa};
  std::cout
      << "Gradients of the untrained network (seed " << options.seed << ") on "
      << counted(static_cast<std::int64_t>(numbers.size()), "sample") << " of " << options.data.file
      << ", loss " << nn::to_string(options.loss) << ".\n"
      << "Analytic against (C(p+h) - C(p-h)) / 2h in double precision, h from 1e-3 to 1e-8 of p, the best "
         "taken;\n"
      << "at most " << what.entries
      << " entries of a tensor, drawn by seed (--entries). 'input' is dC/d(input) "
         "of a layer;\n"
      << "pictures and inputs are moved a little at random, off the kinks of relu and maxpool.\n"
      << std::flush;
  const check::GradientCheck result = check::check_gradients(what, registry);
  print_table(result);
  std::fflush(stdout);
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
  const config::Options options = line.configuration();
  const Request request{.samples = line.integer("samples", kSamples, 1, 64),
                        .entries = line.integer("entries", 0, 0, 1 << 20)};
  return launch::run_with_ranks(
      "gradcheck", [&](const comm::Communicator& world) { return check(options, request, registry, world); });
}

}  // namespace convoy::apps
