#include "bench_report.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>

#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "shares.hpp"

namespace convoy::apps {
namespace {

using measure::PassTime;

constexpr double kGiga = 1e9;
constexpr double kFlops = 2;  // of a multiply-add

double gflops(double multiply_adds, double seconds) {
  return kFlops * multiply_adds / seconds / kGiga;
}

/// A figure, or "-" where there is none.
std::string cell(fmt::format_string<double&> pattern, double value, bool is_known) {
  return is_known ? fmt::format(pattern, value) : "-";
}

std::string pass_line(const char* pass, const PassTime& time, const measure::Ceiling& all) {
  const bool is_timed = time.seconds > 0;
  const bool multiplies = is_timed && time.work.multiply_adds > 0;
  return fmt::format(
      "  {:13}{:>10}{:>10}{:>9}{:>10.3f}{:>9}  {}\n", pass, cell("{:.4f}", 1e3 * time.seconds, is_timed),
      cell("{:.1f}", gflops(time.work.multiply_adds, time.seconds), multiplies),
      cell("{:.1f} %", 100 * time.work.multiply_adds / time.seconds / all.multiply_adds, multiplies),
      time.work.bytes / 1e6, cell("{:.1f}", time.work.bytes / time.seconds / kGiga, is_timed),
      to_string(roof_of(time.work, all)));
}

std::string json_ceiling(const measure::Ceiling& ceiling) {
  return json_object({{"gflops", json_number(kFlops * ceiling.multiply_adds / kGiga)},
                      {"gigabytes_per_second", json_number(ceiling.bytes / kGiga)}});
}

std::string json_pass(const std::optional<PassTime>& time, const measure::Ceiling& all) {
  if (!time) return "null";
  const measure::PassWork& work = time->work;
  const auto rate = [&](double amount) {  // of a time lost in noise: infinite, which JSON writes as null
    return time->seconds > 0 ? amount / time->seconds : HUGE_VAL;
  };
  return json_object({{"seconds", json_number(time->seconds)},
                      {"multiply_adds", json_number(work.multiply_adds)},
                      {"gflops", json_number(kFlops * rate(work.multiply_adds) / kGiga)},
                      {"share_of_peak", json_number(rate(work.multiply_adds) / all.multiply_adds)},
                      {"bytes", json_number(work.bytes)},
                      {"gigabytes_per_second", json_number(rate(work.bytes) / kGiga)},
                      {"roof", json_string(to_string(roof_of(work, all)))}});
}

std::string json_layer(const measure::LayerTimes& layer, const measure::Ceiling& all) {
  return json_object({{"name", json_string(layer.name)},
                      {"layer", json_string(layer.description)},
                      {"output", json_string(to_string(layer.output))},
                      {"forward", json_pass(layer.passes.forward, all)},
                      {"diff_src", json_pass(layer.passes.diff_src, all)},
                      {"diff_weights", json_pass(layer.passes.diff_weights, all)}});
}

}  // namespace

std::string describe_machine(const BenchReport& report) {
  const auto line = [](const std::string& who, const measure::Ceiling& ceiling) {
    return fmt::format("  {:12} FMA peak {:>8.1f} GFLOP/s   triad {:>7.1f} GB/s\n", who,
                       kFlops * ceiling.multiply_adds / kGiga, ceiling.bytes / kGiga);
  };
  return fmt::format("Machine: kernels {}\n{}{}", kernels::to_string(report.isa),
                     line("one core", report.core), line(counted(report.threads, "thread"), report.all));
}

std::string describe_layers(const BenchReport& report) {
  std::string text = fmt::format("Layers: micro-batches of {}, {} at once, pictures {}\n", report.micro_batch,
                                 counted(report.teams, "team"), report.pictures) +
                     fmt::format("  {:13}{:>10}{:>10}{:>9}{:>10}{:>9}  {}\n", "", "ms", "GFLOP/s", "of peak",
                                 "MB", "GB/s", "roof");
  double seconds = 0;
  for (const measure::LayerTimes& layer : report.layers) {
    text += fmt::format("{}: {} -> {}\n", layer.name, layer.description, to_string(layer.output));
    const auto add = [&](const char* pass, const std::optional<PassTime>& time) {
      if (!time) return;
      text += pass_line(pass, *time, report.all);
      seconds += time->seconds;
    };
    add("forward", layer.passes.forward);
    add("diff_src", layer.passes.diff_src);
    add("diff_weights", layer.passes.diff_weights);
  }
  return text + fmt::format("all layers, all passes: {:.4f} ms\n", 1e3 * seconds);
}

std::string describe_step(const BenchReport& report) {
  const measure::StepTime& step = report.step;
  return fmt::format(
             "Step: batch {} on {}: {:.3f} ms (median of {}), {:.0f} images/s, {:.1f} GFLOP/s, {:.1f} % of "
             "peak\n",
             report.batch, counted(report.threads, "thread"), 1e3 * step.seconds, step.steps,
             static_cast<double>(report.batch) / step.seconds, gflops(step.work.multiply_adds, step.seconds),
             100 * step.work.multiply_adds / step.seconds / report.all.multiply_adds) +
         describe_shares({step.times});
}

std::string to_json(const BenchReport& report) {
  std::vector<std::string> layers;
  for (const measure::LayerTimes& layer : report.layers) layers.push_back(json_layer(layer, report.all));
  const measure::StepTime& step = report.step;
  const step::Shares shares = step::shares_of(step.times);
  JsonMembers named_shares;
  for (std::size_t i = 0; i < shares.size(); ++i)
    named_shares.emplace_back(step::kShareNames.at(i), json_number(shares.at(i)));
  const std::string machine =
      json_object({{"one_core", json_ceiling(report.core)}, {"all_threads", json_ceiling(report.all)}});
  const std::string steps = json_object(
      {{"steps", std::to_string(step.steps)},
       {"seconds", json_number(step.seconds)},
       {"images_per_second", json_number(static_cast<double>(report.batch) / step.seconds)},
       {"multiply_adds", json_number(step.work.multiply_adds)},
       {"gflops", json_number(gflops(step.work.multiply_adds, step.seconds))},
       {"share_of_peak", json_number(step.work.multiply_adds / step.seconds / report.all.multiply_adds)},
       {"shares", json_object(named_shares)}});
  return json_object({{"version", json_string(version())},
                      {"isa", json_string(kernels::to_string(report.isa))},
                      {"threads", std::to_string(report.threads)},
                      {"teams", std::to_string(report.teams)},
                      {"batch", std::to_string(report.batch)},
                      {"micro_batch", std::to_string(report.micro_batch)},
                      {"pictures", json_string(report.pictures)},
                      {"machine", machine},
                      {"layers", '[' + join(layers, ",") + ']'},
                      {"step", steps}}) +
         '\n';
}

}  // namespace convoy::apps
