#include "convoy/io/collective.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"

namespace convoy::io {
namespace {

/// What `action` threw on one rank.
struct Failure {
  ExitStatus status = ExitStatus::kInputOutput;
  std::string host;
  std::string message;
};

/// Empty: no failure.
std::string run(const std::function<void()>& action) {
  const auto packed = [](ExitStatus status, const char* what) {
    comm::Packer packer;
    packer.put(status);
    packer.put_text(comm::host_name());
    packer.put_text(what);
    return packer.message();
  };
  try {
    action();
  } catch (const Error& error) {
    return packed(error.status(), error.what());
  } catch (const std::exception& error) {
    return packed(ExitStatus::kInputOutput, error.what());
  } catch (...) {
    return packed(ExitStatus::kInputOutput, "an exception of an unknown class");
  }
  return {};
}

Failure unpacked(const std::string& outcome) {
  comm::Unpacker from(outcome);
  Failure failure;
  failure.status = from.get<ExitStatus>();
  failure.host = from.get_text();
  failure.message = from.get_text();
  return failure;
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
  const Failure failure = unpacked(*first);
  const bool alike = std::ranges::all_of(outcomes, [&](const std::string& outcome) {
    return !outcome.empty() && unpacked(outcome).message == failure.message;
  });
  const std::string who = alike ? "" : fmt::format("rank {} on {}: ", first - outcomes.begin(), failure.host);
  throw_as(failure.status, who + failure.message);
}

void agreed_at_root(const comm::Communicator& world, const std::function<void()>& action) {
  agreed(world, [&] {
    if (world.is_root()) action();
  });
}

}  // namespace convoy::io
