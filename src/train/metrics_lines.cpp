#include "metrics_lines.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

#include "convoy/core/memory.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/io/json.hpp"

namespace convoy::train {
void Pace::restart() {
  start_ = Clock::now();
  paused_ = {};
  images_ = 0;
}

void Pace::pause() {
  paused_at_ = Clock::now();
}

void Pace::resume() {
  paused_ += Clock::now() - paused_at_;
}

double Pace::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_ - paused_).count();
}

double Pace::images_per_second() const {
  const double passed = seconds();
  return passed > 0 ? static_cast<double>(images_) / passed : 0;
}

Score score_of(double squared_error, std::int64_t correct, std::int64_t samples, std::int64_t target_size) {
  if (target_size == 0)
    return {.is_error = false, .value = static_cast<double>(correct) / static_cast<double>(samples)};
  return {.is_error = true, .value = std::sqrt(squared_error / static_cast<double>(target_size))};
}

std::string start_line(const StartReport& report, const config::Options& options, int ranks, int threads) {
  return io::to_text({{"event", "start"},
                      {"step", report.step},
                      {"version", version()},
                      {"isa", report.isa},
                      {"ranks", ranks},
                      {"threads", threads},
                      {"batch", options.batch},
                      {"micro_batch", options.micro_batch},
                      {"steps_per_epoch", report.steps_per_epoch},
                      {"total_steps", report.total_steps},
                      {"resumed_from", report.resumed_from}});
}

std::string step_line(const StepReport& report) {
  return io::to_text({{"event", "step"},
                      {"epoch", report.epoch},
                      {"step", report.step},
                      {"loss", report.loss},
                      {"lr", report.rate},
                      {"images_per_second", report.images_per_second},
                      {"data_wait", report.data_wait}});
}

std::string epoch_line(const EpochReport& report) {
  const auto of = [&](std::string_view split, double value) {
    return report.evaluated == split ? io::Json(value) : io::Json();
  };
  const std::string score = report.train_score.is_error ? "rmse" : "accuracy";
  return io::to_text({{"event", "epoch"},
                      {"epoch", report.epoch},
                      {"step", report.step},
                      {"train_loss", report.train_loss},
                      {"train_" + score, report.train_score.value},
                      {"test_loss", of("test", report.loss)},
                      {"test_" + score, of("test", report.score.value)},
                      {"seconds", report.seconds},
                      {"images_per_second", report.images_per_second},
                      {"data_wait", report.data_wait},
                      {"resident_bytes", resident_bytes()},
                      {"validation_loss", of("validation", report.loss)},
                      {"validation_" + score, of("validation", report.score.value)},
                      {"is_best", report.is_best}});
}

ProfileReport gather_profile(const comm::Communicator& world, const step::Profile& profile,
                             std::int64_t step) {
  if (profile.steps() == 0) return {};
  return {
      .step = step, .steps = profile.steps(), .ranks = world.all_gather_values(std::vector{profile.times()})};
}

std::string profile_line(const ProfileReport& report) {
  double seconds = 0;
  for (const step::StepTimes& rank : report.ranks)
    seconds += rank.total / static_cast<double>(report.ranks.size());
  const step::RankShares shares = step::shares_of_ranks(report.ranks);
  io::Json mean;
  io::Json worst;
  for (std::size_t i = 0; i < step::kShareNames.size(); ++i) {
    const std::string name(step::kShareNames[i]);
    mean[name] = shares.mean[i];
    worst[name] = {{"rank", shares.worst_rank[i]}, {"share", shares.worst[i]}};
  }
  return io::to_text({{"event", "profile"},
                      {"step", report.step},
                      {"steps", report.steps},
                      {"ranks", report.ranks.size()},
                      {"seconds", seconds},
                      {"shares", mean},
                      {"worst", worst}});
}

std::string end_line(ExitStatus status, std::int64_t step) {
  return io::to_text({{"event", "end"}, {"step", step}, {"status", static_cast<int>(status)}});
}

}  // namespace convoy::train
