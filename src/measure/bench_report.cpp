#include "convoy/measure/bench_report.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>

#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/io/json.hpp"
#include "convoy/measure/shares.hpp"

namespace convoy::measure {
namespace {

constexpr double kGiga = 1e9;
constexpr double kFlops = 2;  // of a multiply-add

double gflops(double multiply_adds, double seconds) {
  return kFlops * multiply_adds / seconds / kGiga;
}

/// A figure, or "-" if missing.
std::string cell(fmt::format_string<double&> pattern, double value, bool is_known) {
  return is_known ? fmt::format(pattern, value) : "-";
}

std::string pass_line(const char* pass, const PassTime& time, const Ceiling& all) {
  const bool is_timed = time.seconds > 0;
  const bool multiplies = is_timed && time.work.multiply_adds > 0;
  return fmt::format(
      "  {:13}{:>10}{:>10}{:>9}{:>10.3f}{:>9}  {}\n", pass, cell("{:.4f}", 1e3 * time.seconds, is_timed),
      cell("{:.1f}", gflops(time.work.multiply_adds, time.seconds), multiplies),
      cell("{:.1f} %", 100 * time.work.multiply_adds / time.seconds / all.multiply_adds, multiplies),
      time.work.bytes / 1e6, cell("{:.1f}", time.work.bytes / time.seconds / kGiga, is_timed),
      to_string(roof_of(time.work, all)));
}

io::Json json_of(const Ceiling& ceiling) {
  return {{"gflops", kFlops * ceiling.multiply_adds / kGiga},
          {"gigabytes_per_second", ceiling.bytes / kGiga}};
}

io::Json json_of(const std::optional<PassTime>& time, const Ceiling& all) {
  if (!time) return nullptr;
  const PassWork& work = time->work;
  const auto rate = [&](double amount) {  // a time below noise gives infinity, which JSON writes as null
    return time->seconds > 0 ? amount / time->seconds : HUGE_VAL;
  };
  return {{"seconds", time->seconds},
          {"multiply_adds", work.multiply_adds},
          {"gflops", kFlops * rate(work.multiply_adds) / kGiga},
          {"share_of_peak", rate(work.multiply_adds) / all.multiply_adds},
          {"bytes", work.bytes},
          {"gigabytes_per_second", rate(work.bytes) / kGiga},
          {"roof", to_string(roof_of(work, all))}};
}

io::Json json_of(const LayerTimes& layer, const Ceiling& all) {
  return {{"name", layer.name},
          {"layer", layer.description},
          {"output", to_string(layer.output)},
          {"forward", json_of(layer.passes.forward, all)},
          {"diff_src", json_of(layer.passes.diff_src, all)},
          {"diff_weights", json_of(layer.passes.diff_weights, all)}};
}

}  // namespace

std::string describe_machine(const BenchReport& report) {
  const auto line = [](const std::string& who, const Ceiling& ceiling) {
    return fmt::format("  {:12} FMA peak {:>8.1f} GFLOP/s   triad {:>7.1f} GB/s\n", who,
                       kFlops * ceiling.multiply_adds / kGiga, ceiling.bytes / kGiga);
  };
  return fmt::format("Machine: kernels {}\n{}{}", kernels::to_string(report.isa),
                     line("one core", report.core), line(counted(report.threads, "thread"), report.all));
}

std::string describe_layers(const BenchReport& report) {
  std::string text = fmt::format("Layers: micro-batches of {}, {} at once, images {}\n", report.micro_batch,
                                 counted(report.teams, "team"), report.images) +
                     fmt::format("  {:13}{:>10}{:>10}{:>9}{:>10}{:>9}  {}\n", "", "ms", "GFLOP/s", "of peak",
                                 "MB", "GB/s", "roof");
  double seconds = 0;
  for (const LayerTimes& layer : report.layers) {
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
  const StepTime& step = report.step;
  return fmt::format(
             "Step: batch {} on {}: {:.3f} ms (median of {}), {:.0f} images/s, {:.1f} GFLOP/s, {:.1f} % of "
             "peak\n",
             report.batch, counted(report.threads, "thread"), 1e3 * step.seconds, step.steps,
             static_cast<double>(report.batch) / step.seconds, gflops(step.work.multiply_adds, step.seconds),
             100 * step.work.multiply_adds / step.seconds / report.all.multiply_adds) +
         describe_shares({step.times});
}

std::string to_json(const BenchReport& report) {
  io::Json layers = io::Json::array();
  for (const LayerTimes& layer : report.layers) layers.push_back(json_of(layer, report.all));
  const StepTime& step = report.step;
  const step::Shares shares = step::shares_of(step.times);
  io::Json named_shares;
  for (std::size_t i = 0; i < shares.size(); ++i)
    named_shares[std::string(step::kShareNames.at(i))] = shares.at(i);
  return io::to_text({{"version", version()},
                      {"isa", kernels::to_string(report.isa)},
                      {"threads", report.threads},
                      {"teams", report.teams},
                      {"batch", report.batch},
                      {"micro_batch", report.micro_batch},
                      {"images", report.images},
                      {"machine", {{"one_core", json_of(report.core)}, {"all_threads", json_of(report.all)}}},
                      {"layers", layers},
                      {"step",
                       {{"steps", step.steps},
                        {"seconds", step.seconds},
                        {"images_per_second", static_cast<double>(report.batch) / step.seconds},
                        {"multiply_adds", step.work.multiply_adds},
                        {"gflops", gflops(step.work.multiply_adds, step.seconds)},
                        {"share_of_peak", step.work.multiply_adds / step.seconds / report.all.multiply_adds},
                        {"shares", named_shares}}}}) +
         '\n';
}

}  // namespace convoy::measure
