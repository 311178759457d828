#pragma once
// Writes checkpoints: snapshots, the I/O thread, retries after errors. The contents of a checkpoint are in
// model/checkpoint.hpp. Private to the train room.

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
  /// Collective over `world`. All arguments must outlive the writer.
  CheckpointWriter(const config::Options& options, const comm::Communicator& world,
                   const nn::Network& network, const model::State& state, const RunDirectory& directory,
                   io::IoThread& io_thread, Observer& listener);

  /// What save() waits for.
  enum class Wait {
    kNo,  ///< for the previous checkpoint; with several writers or without checkpoint.async, also for one try
          ///< of this one
    kYes,  ///< until this checkpoint is written, retrying after errors
  };

  /// Collective. Copies the state and posts it to the I/O thread as the checkpoint of header.progress.step.
  /// Throws IoError if more than checkpoint.retries tries in a row failed, or if one failed and this run has
  /// no earlier checkpoint. Throws Error if another run owns run.dir; DivergedError, on every rank, if a
  /// parameter is not finite.
  void save(model::CheckpointHeader header, const model::State& state, model::Provenance provenance,
            Wait wait);

  /// Registers the checkpoint from which the run was resumed; it counts as one written by this run.
  void resumed_from(const std::string& path) { last_good_ = path; }

  /// Reports the last checkpoint, once, or its failure, to the listener (rank 0). Call at any time on the
  /// thread that calls save().
  void tell();
  /// Time of the slowest checkpoint so far, including its snapshot.
  [[nodiscard]] double slowest_seconds() const { return slowest_seconds_; }

 private:
  struct Job {
    std::string path;
    model::CheckpointHeader header;
    model::Provenance provenance;
    double seconds = 0;   ///< until written or failed
    double waited = 0;    ///< by the training thread
    std::string failure;  ///< empty: no failure
    std::string warning;  ///< empty: no warning
    std::atomic<bool> is_done{false};
    bool is_told = false;
  };

  void write(Job& job) const;
  void post(std::shared_ptr<Job> job);
  /// Collective. Waits until no write is in progress.
  void settle();
  [[nodiscard]] bool is_standing() const;

  const config::Options& options_;
  comm::Communicator world_;
  const nn::Network& network_;
  const RunDirectory& directory_;
  io::IoThread& io_thread_;
  Observer& listener_;
  model::WriterGroup group_;  // communicates on the I/O thread
  std::shared_ptr<Job> job_;  // the last one posted
  model::Snapshot snapshot_;  // of that job; the next one reuses the memory
  std::string last_good_;
  std::int64_t failures_ = 0;  // consecutive
  double slowest_seconds_ = 0;
};

}  // namespace convoy::train
