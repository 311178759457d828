#pragma once
// Hashes of what a run computed in every step: hashes.jsonl (src/CONTRACT.md, "Hashes of steps"). Two runs
// are compared by them where their checkpoints are too far apart. Written by train, compared by verify.

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/io/json.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/passes/operations.hpp"

namespace convoy::model {

/// What is recorded of every step.
enum class Hashed : char {
  kNone,
  kState,   ///< each tensor of the state after the update
  kLayers,  ///< also each operation's outputs and gradients, over all micro-batches
};

/// One of the things that have a hash in every step.
struct HashedPart {
  enum class Kind : char { kOutput, kGradient, kState };
  Kind kind = Kind::kState;
  std::string name;  ///< of an operation ("conv1 + relu1"), or the path of a tensor in a checkpoint
  friend bool operator==(const HashedPart&, const HashedPart&) = default;
};

/// "the output of conv1 + relu1", "the gradient of conv1", "/model/conv1/weight after the update".
[[nodiscard]] std::string to_string(const HashedPart& part);

/// The parts of a run in the order in which a step computes them: outputs, gradients (of operations with
/// parameters, the last first), tensors.
[[nodiscard]] std::vector<HashedPart> hashed_parts(Hashed what, const nn::Network& network,
                                                   const State& state);

/// The operations whose gradients have a hash: those with parameters, the last first.
[[nodiscard]] std::vector<std::size_t> hashed_gradients(const nn::Network& network,
                                                        const std::vector<passes::Operation>& operations);

/// This rank's share of the hashes of the state's tensors, one for each part of kind kState, in their order.
/// Shares of all ranks add up to the hashes. Parameters and statistics, which every rank has, are shared
/// evenly.
[[nodiscard]] std::vector<std::uint64_t> state_hashes(const nn::Network& network, const State& state,
                                                      const comm::Communicator& world, int threads);

/// Lines of hashes.jsonl, without a newline: the parts of the steps that follow, and one step.
[[nodiscard]] std::string parts_line(std::int64_t step, const std::vector<HashedPart>& parts);
[[nodiscard]] std::string hashes_line(std::int64_t step, std::span<const std::uint64_t> hashes);

/// Reads the steps of a hashes.jsonl in order.
class StepHashes {
 public:
  /// Throws IoError if the file cannot be opened.
  explicit StepHashes(std::string path);
  ~StepHashes();
  StepHashes(StepHashes&&) noexcept;
  StepHashes& operator=(StepHashes&&) = delete;

  /// Goes to the next step; false at the end, and at a last line that a crash cut short. Throws DataError for
  /// a line of another form.
  bool next();
  [[nodiscard]] std::int64_t step() const { return step_; }
  [[nodiscard]] const std::vector<HashedPart>& parts() const { return parts_; }
  [[nodiscard]] const std::vector<std::uint64_t>& hashes() const { return hashes_; }

 private:
  void read_parts(const io::Json& line);
  void read_hashes(const io::Json& line);
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::unique_ptr<std::istream> file_;
  std::int64_t line_ = 0;
  std::int64_t step_ = 0;
  std::vector<HashedPart> parts_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace convoy::model
