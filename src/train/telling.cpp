#include "telling.hpp"

#include <unistd.h>

#include <fstream>
#include <initializer_list>
#include <utility>

#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"

namespace convoy::train {
namespace {

/// {"event":"<event>",<key>:<value>,…}; values are JSON already.
std::string object(const char* event, std::initializer_list<std::pair<const char*, std::string>> members) {
  std::string line = std::string("{\"event\":\"") + event + '"';
  for (const auto& [key, value] : members) line += std::string(",\"") + key + "\":" + value;
  return line + '}';
}

/// Resident memory of this process: a leak shows in the metrics.
std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

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

std::string start_line(const StartReport& report, const Options& options, int ranks, int threads) {
  return object("start", {{"step", std::to_string(report.step)},
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
  return object("step", {{"epoch", std::to_string(report.epoch)},
                         {"step", std::to_string(report.step)},
                         {"loss", json_number(report.loss)},
                         {"lr", json_number(report.rate)},
                         {"images_per_second", json_number(report.images_per_second)}});
}

std::string epoch_line(const EpochReport& report) {
  const auto tested = [&](double value) {
    return report.has_test ? json_number(value) : std::string("null");
  };
  return object("epoch", {{"epoch", std::to_string(report.epoch)},
                          {"step", std::to_string(report.step)},
                          {"train_loss", json_number(report.train_loss)},
                          {"train_accuracy", json_number(report.train_accuracy)},
                          {"test_loss", tested(report.test_loss)},
                          {"test_accuracy", tested(report.test_accuracy)},
                          {"seconds", json_number(report.seconds)},
                          {"images_per_second", json_number(report.images_per_second)},
                          {"resident_bytes", std::to_string(resident_bytes())}});
}

std::string end_line(ExitStatus status, std::int64_t step) {
  return object("end",
                {{"step", std::to_string(step)}, {"status", std::to_string(static_cast<int>(status))}});
}

}  // namespace convoy::train
