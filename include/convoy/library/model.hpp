#pragma once
// A network with its trained values: fit it, ask it, save it, from any program.
//
//   Model model(NetworkBuilder({1, 28, 28}).conv(20, {5, 5}).relu().maxpool({2, 2}).dense(10)
//                   .build(Loss::kSoftmaxCrossEntropy));
//   model.fit(train, {{"train.epochs", 3}, {"schedule.lr", 0.05}});
//   const std::vector<float> outputs = model.predict(images);  // [N][10]
//
// Errors are exceptions (core/error.hpp). Nothing here prints, exits, touches signals, or initialises or
// finalises MPI.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "convoy/library/dataset.hpp"
#include "convoy/library/numbers.hpp"
#include "convoy/library/options.hpp"
#include "convoy/nn/network_builder.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy {

using Loss = nn::LossKind;
using nn::LossFunction;
using nn::Network;
using nn::NetworkBuilder;
using train::Evaluation;

/// Whether a fit goes on after a callback.
enum class Go { kOn, kStop };

/// After an update.
struct FitStep {
  std::int64_t step = 0;         ///< updates of this fit so far
  std::int64_t total_steps = 0;  ///< of this fit
  std::int64_t epoch = 0;        ///< current epoch of this fit, from 1
  double loss = 0;               ///< mean over the step's samples, before the update
  double learning_rate = 0;
};

/// After an epoch.
struct FitEpoch {
  std::int64_t epoch = 0;            ///< of this fit, from 1
  std::int64_t step = 0;             ///< updates of this fit so far
  double loss = 0;                   ///< mean over the epoch's samples, each before its update
  double accuracy = 0;               ///< likewise; 0 for targets
  std::optional<Evaluation> test{};  ///< of FitCallbacks::test
};

/// Called on every rank at the same places, with the same values. The fit stops if a call on any rank says
/// so. If a call on any rank throws, the fit ends on all ranks: there with that exception, elsewhere with an
/// Error of its text. During a call no message of the fit is under way.
struct FitCallbacks {
  std::function<Go(const FitStep&)> on_step{};
  std::function<Go(const FitEpoch&)> on_epoch{};
  Dataset* test = nullptr;  ///< evaluated after every epoch; of the same ranks
};

class Model {
 public:
  /// With initial values that depend on the network and `seed` alone. Throws ConfigError if a layer's keyword
  /// is not registered, because no checkpoint could hold the network.
  explicit Model(Network network, std::uint64_t seed = 1);
  /// From lines as in the section [network] of a configuration: "conv 20 5x5\nrelu\n…".
  Model(const Shape& input, const std::string& lines, const LossFunction& loss, std::uint64_t seed = 1);
  /// Reads a checkpoint of a run or of save(). Not collective. Throws ConfigError (no such file), IoError,
  /// DataError (damaged, not a checkpoint).
  [[nodiscard]] static Model load(const std::string& checkpoint);
  /// Writes a checkpoint, which eval, predict, inspect and load() read. Not collective: all ranks have the
  /// same model, so let one save it. Throws IoError; then an older file is unchanged.
  void save(const std::string& checkpoint) const;
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  /// Collective over the data set's ranks, which have equal models, and equal ones afterwards. Trains for
  /// train.epochs epochs from the present values, with the schedule's beginning; the optimizer's states, and
  /// the numbers of epochs for the order of samples, go on from an earlier fit. The first fit determines the
  /// transform of the inputs; later ones keep it. Returns false if a callback stopped it: the model is as it
  /// was after that step. Throws ConfigError, DataError (samples), DivergedError, DisagreementError (ranks
  /// with different models or options), the same on every rank; then the model is as before.
  bool fit(Dataset& data, const Options& options, const FitCallbacks& callbacks = {});
  /// Collective. Goes on with the fit that a callback stopped, also after save() and load() in another
  /// process and on another number of ranks: the bits are those of a fit that was never stopped. Throws also
  /// ConfigError if the options would change the result, and DataError if the samples are others.
  bool resume(Dataset& data, const Options& options, const FitCallbacks& callbacks = {});

  /// Collective over the data set's ranks: loss and accuracy over all its samples; the same bits on any
  /// number of ranks. `threads` 0: as run.threads 0. Throws DataError if the samples do not fit.
  [[nodiscard]] Evaluation evaluate(Dataset& data, std::int64_t threads = 0) const;

  /// Not collective; any number of threads may call at once. `images`, [N][C][H][W] as the data set held them
  /// (uint8 numbers may also come as float or double), give the network's outputs, [N][outputs()]: before any
  /// softmax that the loss applies. The outputs of an image do not depend on the other images and the number
  /// of threads. Throws ConfigError if the numbers are not whole images, DataError if one is not finite.
  [[nodiscard]] std::vector<float> predict(const Numbers& images, int threads = 1) const;

  [[nodiscard]] const Network& network() const;
  [[nodiscard]] std::int64_t outputs() const;
  /// What the numbers of an image are transformed with; the identity before the first fit.
  [[nodiscard]] const data::InputTransform& input() const;
  [[nodiscard]] const std::vector<std::string>& class_names() const;
  /// Parameters and statistics, as of the network (nn/network.hpp).
  [[nodiscard]] std::span<const float> parameters() const;
  [[nodiscard]] std::span<const float> statistics() const;

  struct Impl;

 private:
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy
