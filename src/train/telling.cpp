#include "telling.hpp"

#include <cmath>

#include "convoy/core/memory.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"

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

Score score_of(double loss, std::int64_t correct, std::int64_t samples, std::int64_t target_size) {
  if (target_size == 0)
    return {.is_error = false, .value = static_cast<double>(correct) / static_cast<double>(samples)};
  // The loss is half the sum of an answer's squared errors.
  return {.is_error = true, .value = std::sqrt(2 * loss / static_cast<double>(target_size))};
}

std::string start_line(const StartReport& report, const config::Options& options, int ranks, int threads) {
  return json_object({{"event", json_string("start")},
                      {"step", std::to_string(report.step)},
                      {"version", json_string(version())},
                      {"isa", json_string(report.isa)},
                      {"ranks", std::to_string(ranks)},
                      {"threads", std::to_string(threads)},
                      {"batch", std::to_string(options.batch)},
                      {"micro_batch", std::to_string(options.micro_batch)},
                      {"steps_per_epoch", std::to_string(report.steps_per_epoch)},
                      {"total_steps", std::to_string(report.total_steps)},
                      {"resumed_from", json_string(report.resumed_from)}});
}

std::string step_line(const StepReport& report) {
  return json_object({{"event", json_string("step")},
                      {"epoch", std::to_string(report.epoch)},
                      {"step", std::to_string(report.step)},
                      {"loss", json_number(report.loss)},
                      {"lr", json_number(report.rate)},
                      {"images_per_second", json_number(report.images_per_second)},
                      {"data_wait", json_number(report.data_wait)}});
}

std::string epoch_line(const EpochReport& report) {
  const auto tested = [&](double value) {
    return report.has_test ? json_number(value) : std::string("null");
  };
  const std::string score = report.train_score.is_error ? "rmse" : "accuracy";
  return json_object({{"event", json_string("epoch")},
                      {"epoch", std::to_string(report.epoch)},
                      {"step", std::to_string(report.step)},
                      {"train_loss", json_number(report.train_loss)},
                      {"train_" + score, json_number(report.train_score.value)},
                      {"test_loss", tested(report.test_loss)},
                      {"test_" + score, tested(report.test_score.value)},
                      {"seconds", json_number(report.seconds)},
                      {"images_per_second", json_number(report.images_per_second)},
                      {"data_wait", json_number(report.data_wait)},
                      {"resident_bytes", std::to_string(resident_bytes())}});
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
  JsonMembers mean;
  JsonMembers worst;
  for (std::size_t i = 0; i < step::kShareNames.size(); ++i) {
    mean.emplace_back(step::kShareNames[i], json_number(shares.mean[i]));
    worst.emplace_back(step::kShareNames[i], json_object({{"rank", std::to_string(shares.worst_rank[i])},
                                                          {"share", json_number(shares.worst[i])}}));
  }
  return json_object({{"event", json_string("profile")},
                      {"step", std::to_string(report.step)},
                      {"steps", std::to_string(report.steps)},
                      {"ranks", std::to_string(report.ranks.size())},
                      {"seconds", json_number(seconds)},
                      {"shares", json_object(mean)},
                      {"worst", json_object(worst)}});
}

std::string end_line(ExitStatus status, std::int64_t step) {
  return json_object({{"event", json_string("end")},
                      {"step", std::to_string(step)},
                      {"status", std::to_string(static_cast<int>(status))}});
}

}  // namespace convoy::train
