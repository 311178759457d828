#pragma once
// Receives progress and warnings while a data set file is created, and can request a stop. The library does
// not print; the commands of the apps room do.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "convoy/core/error.hpp"

namespace convoy::importers {

class Observer {
 public:
  virtual ~Observer() = default;
  /// `done` of `total` images are processed; `what` is a word or two ("train"). Called often, on rank 0.
  virtual void on_progress(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) {}
  /// `done` of `total` bytes of what is imported are read or checked. Called often, on rank 0.
  virtual void on_reading(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) {}
  /// Something was left out or looks wrong. Called on rank 0.
  virtual void on_warning(const std::string& /*text*/) {}
  /// The exit status if a stop was requested: then no file is created, and an existing file is unchanged.
  /// Called often, on any rank and thread.
  [[nodiscard]] virtual std::optional<ExitStatus> stop_status() const { return std::nullopt; }
};

/// Throws the Error that stops the creation of `target` if `observer` (may be null) requests it.
void stop_if_asked(const Observer* observer, const std::string& target);
[[noreturn]] void throw_stopped(ExitStatus status, const std::string& target);

}  // namespace convoy::importers
