#pragma once
// The file `owner` of a run directory: which process owns it, and whether that process still lives. Private
// to the train room.
//
// The owner touches the file every few seconds. A process of this node that has ended, a run that ended by
// itself, and an earlier start of the same batch job own nothing. A process of another node is alive if its
// file is touched while somebody waits: clocks of nodes are not compared.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace convoy::train {

/// What an owner file says.
struct OwnerRecord {
  std::string host;
  std::string pid;
  std::string process_start;  ///< in ticks since the node's start: process numbers are used again
  std::string time;           ///< of the claim, UTC
  std::string job;            ///< of the batch system; empty: none
  std::string restart;        ///< how often Slurm has started the job again
  bool has_ended = false;

  /// The record of this process.
  [[nodiscard]] static OwnerRecord of_this_process();
  /// Fields that `text` lacks stay empty.
  [[nodiscard]] static OwnerRecord parse(const std::string& text);
  /// One line.
  [[nodiscard]] std::string text() const;
  /// "node7 pid 42 started 2026-11-30 10:05:03".
  [[nodiscard]] std::string in_words() const;
};

/// How long an owner of another node may be silent, and how often it gives a sign of life.
struct OwnerTimes {
  std::chrono::milliseconds silence{30'000};
  std::chrono::milliseconds between_beats{5'000};
};

/// Throws ConfigError if the owner that `path` names is alive and is not an earlier start of this batch job.
/// May wait for times.silence. No error without such a file.
void require_no_live_owner(const std::string& path, const OwnerTimes& times);

/// Touches a file every few seconds until it is destroyed.
class Heartbeat {
 public:
  Heartbeat(std::string path, std::chrono::milliseconds between_beats);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void beat();

  std::string path_;
  std::chrono::milliseconds between_beats_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace convoy::train
