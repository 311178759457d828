#pragma once
// Processes many files on all ranks and their threads, with one outcome on every rank. Private to the
// importers room (folder.cpp, import_files.cpp).

#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/parallel.hpp"
#include "convoy/core/team.hpp"
#include "convoy/importers/import.hpp"

namespace convoy::importers {

/// An error of one file.
struct Trouble {
  std::int64_t file = 0;
  ExitStatus status = ExitStatus::kBadData;
  std::string message;
};

/// Collective. Rank 0 calls take(from) for the items of every rank's `message`, rank by rank, until each is
/// at its end. Throws, on every rank, what take() threw; the gather is finished first.
void hand_to_first(const comm::Communicator& world, const std::string& message,
                   const std::function<void(comm::Unpacker& from)>& take);

class SharedWork {
 public:
  /// All arguments must outlive the object; `observer` may be null.
  SharedWork(const FolderOptions& options, const comm::Communicator& world, Observer* observer)
      : options_(options), world_(world), observer_(observer) {}

  /// Collective. Every rank calls work(i) for its indices `mine` on its threads; the assignment to threads
  /// has no effect on the result. Returns, on every rank, all bad images (DataErrors) of all ranks, by index,
  /// and warns rank 0's observer of each. Throws the same error on all ranks: if any rank was asked to stop,
  /// that; else the first error by index, not counting bad images unless options.on_bad is kStop.
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
    parallel_for(options_.threads, mine.size(), Shares::kInTurn,
                 [&](std::int64_t i) { attempt(mine.begin + i); });
    return agree_on(troubles);
  }

 private:
  [[nodiscard]] std::vector<Trouble> agree_on(const std::vector<Trouble>& mine) const;

  const FolderOptions& options_;
  const comm::Communicator& world_;
  Observer* observer_;
};

}  // namespace convoy::importers
