#pragma once
// When checkpoints are written and what happens where they cannot be: snapshots, the I/O thread, retries.
// What is in one is checkpoint.hpp's business. Private to the train room.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/io/io_thread.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/train/observer.hpp"
#include "convoy/train/run_directory.hpp"

namespace convoy::train {

class CheckpointWriter {
 public:
  /// Collective over `world`. What is referred to must outlive it.
  CheckpointWriter(const config::Options& options, const comm::Communicator& world,
                   const nn::Network& network, const model::State& state, const RunDirectory& directory,
                   io::IoThread& io_thread, Observer& listener);

  /// What save() does besides writing.
  enum class Wait {
    kNo,   ///< for nothing but the checkpoint before, where checkpoint.async says so
    kYes,  ///< until this one is there, trying again where it cannot be written
  };

  /// Collective. Copies the state and has it written as the checkpoint of header.progress.step. Throws
  /// IoError where checkpoint.retries more tries than one have failed in a row, or where one has and no
  /// earlier checkpoint of this run stands; Error where another run has taken run.dir over.
  void save(model::CheckpointHeader header, const model::State& state, model::Provenance provenance,
            Wait wait);

  /// Where a run began: as good as one that this run wrote.
  void resumed_from(const std::string& path) { last_good_ = path; }

  /// Tells the listener (rank 0) of what has been written since, or could not be. Any time, on the thread
  /// that calls save().
  void tell();
  /// Time that the slowest checkpoint so far took to be written, snapshot included.
  [[nodiscard]] double slowest_seconds() const { return slowest_seconds_; }

 private:
  struct Job {
    std::string path;
    model::CheckpointHeader header;
    model::Provenance provenance;
    double seconds = 0;   ///< until it was there, or failed
    double waited = 0;    ///< by the training thread
    std::string failure;  ///< empty: none
    std::string warning;  ///< likewise
    std::atomic<bool> is_done{false};
    bool is_told = false;
  };

  void write(Job& job) const;
  void post(std::shared_ptr<Job> job);
  /// Collective: until nothing is being written.
  void settle();
  [[nodiscard]] bool is_standing() const;

  const config::Options& options_;
  comm::Communicator world_;
  const nn::Network& network_;
  const RunDirectory& directory_;
  io::IoThread& io_thread_;
  Observer& listener_;
  model::WriterGroup group_;  // talks on the I/O thread
  std::shared_ptr<Job> job_;  // the last posted
  model::Snapshot snapshot_;  // of that job; its memory stays for the next
  std::string last_good_;
  std::int64_t failures_ = 0;  // in a row
  double slowest_seconds_ = 0;
};

}  // namespace convoy::train
