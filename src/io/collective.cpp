#include "convoy/io/collective.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "convoy/core/error.hpp"

namespace convoy::io {
namespace {

// Message format: the exit status as one character, the failing rank's host, a line feed, the message. Empty:
// no error.
std::string run(const std::function<void()>& action) {
  const auto wire = [](ExitStatus status, const char* what) {
    return static_cast<char>(status) + comm::host_name() + '\n' + what;
  };
  try {
    action();
  } catch (const Error& error) {
    return wire(error.status(), error.what());
  } catch (const std::exception& error) {
    return wire(ExitStatus::kInputOutput, error.what());
  }
  return {};
}

[[noreturn]] void throw_as(ExitStatus status, const std::string& message) {
  switch (status) {
    case ExitStatus::kUsage:
      throw ConfigError(message);
    case ExitStatus::kBadData:
      throw DataError(message);
    case ExitStatus::kInputOutput:
      throw IoError(message);
    case ExitStatus::kDiverged:
      throw DivergedError(message);
    case ExitStatus::kDisagreement:
      throw DisagreementError(message);
    default:
      throw Error(status, message);
  }
}

}  // namespace

void agreed(const comm::Communicator& world, const std::function<void()>& action) {
  if (world.size() == 1) {
    action();
    return;
  }
  const std::vector<std::string> outcomes = world.all_gather_text(run(action));
  const auto first =
      std::ranges::find_if(outcomes, [](const std::string& outcome) { return !outcome.empty(); });
  if (first == outcomes.end()) return;
  const auto message = [](const std::string& outcome) { return outcome.substr(outcome.find('\n') + 1); };
  const bool alike = std::ranges::all_of(outcomes, [&](const std::string& outcome) {
    return !outcome.empty() && message(outcome) == message(*first);
  });
  const std::string host = first->substr(1, first->find('\n') - 1);
  const std::string who = alike ? "" : fmt::format("rank {} on {}: ", first - outcomes.begin(), host);
  throw_as(static_cast<ExitStatus>(static_cast<unsigned char>(first->front())), who + message(*first));
}

void agreed_at_root(const comm::Communicator& world, const std::function<void()>& action) {
  agreed(world, [&] {
    if (world.is_root()) action();
  });
}

}  // namespace convoy::io
