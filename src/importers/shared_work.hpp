#pragma once
// Many files, worked on by all ranks and their threads, with one outcome on every rank. Private to the data
// room (folder.cpp).

#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/team.hpp"
#include "convoy/importers/import.hpp"

namespace convoy::importers {

/// What went wrong with one file.
struct Trouble {
  std::int64_t file = 0;
  ExitStatus status = ExitStatus::kBadData;
  std::string message;
};

class SharedWork {
 public:
  /// All three must outlive it; `observer` may be null.
  SharedWork(const FolderOptions& options, const comm::Communicator& world, Observer* observer)
      : options_(options), world_(world), observer_(observer) {}

  /// Collective. Every rank does work(i) for its own numbers `mine`, on its threads; which thread takes which
  /// decides nothing. Returns, on every rank, the bad images (DataErrors) that all of them met, by number;
  /// the observer is warned of each. Throws, on every rank alike, the first other error; where options.on_bad
  /// says so, the first bad image; and before both, where any rank is asked to stop, that.
  template <class Work>
  std::vector<Trouble> for_each(const Range& mine, const Work& work) const {
    std::vector<Trouble> troubles;
    std::mutex mutex;
    const auto attempt = [&](std::int64_t number) {
      if (observer_ != nullptr && observer_->stop_status()) return;
      try {
        work(number);
      } catch (const std::exception& error) {
        const auto* ours = dynamic_cast<const Error*>(&error);
        const std::scoped_lock lock(mutex);
        troubles.push_back(
            {number, ours == nullptr ? ExitStatus::kInputOutput : ours->status(), error.what()});
      }
    };
    // Dynamic: files differ in size.
#pragma omp parallel for schedule(dynamic) num_threads(options_.threads) default(none) shared(mine, attempt)
    for (std::int64_t number = mine.begin; number < mine.end; ++number) attempt(number);
    return agree_on(troubles);
  }

 private:
  [[nodiscard]] std::vector<Trouble> agree_on(const std::vector<Trouble>& mine) const;

  const FolderOptions& options_;
  const comm::Communicator& world_;
  Observer* observer_;
};

}  // namespace convoy::importers
