#pragma once
// What whoever makes a data set file tells meanwhile, and is asked whether to go on. The library prints
// nothing; the commands of the apps room do.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "convoy/core/error.hpp"

namespace convoy::importers {

class Observer {
 public:
  virtual ~Observer() = default;
  /// `done` of `total` images, `what` in a word or two ("train"). Often; on rank 0.
  virtual void on_progress(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) {}
  /// Something that is left out, or that looks wrong. On rank 0.
  virtual void on_warning(const std::string& /*text*/) {}
  /// The status to stop with, once somebody asked to: then no file is made, and what was there stays. Any
  /// rank, any thread, often.
  [[nodiscard]] virtual std::optional<ExitStatus> stop_status() const { return std::nullopt; }
};

/// Throws the Error that ends the making of `target` if `observer`, which may be null, says so.
void stop_if_asked(const Observer* observer, const std::string& target);
[[noreturn]] void throw_stopped(ExitStatus status, const std::string& target);

}  // namespace convoy::importers
