#pragma once
// One call of Model::fit() or resume(). Private to the library room.

#include <memory>

#include "convoy/core/floating_point.hpp"
#include "convoy/library/model.hpp"
#include "convoy/train/fit.hpp"
#include "model_state.hpp"

namespace convoy {

/// The samples of `data`, with the model's transform. Throws DataError if there are none, or they do not fit
/// the model.
[[nodiscard]] step::Source source_of(const Model::Impl& model, const Dataset& data);

class Fitting {
 public:
  enum class From {
    kBeginning,  ///< a new fit
    kStop,       ///< where the last fit stopped
  };

  /// All arguments must outlive it.
  Fitting(Model::Impl& model, Dataset& data, const Options& options, const FitCallbacks& callbacks,
          From from);
  /// Collective over the data set's ranks. False: a callback stopped it.
  bool run();

 private:
  /// Collective. Joins the samples, and checks options, samples and ranks.
  void prepare();
  void require_same_everywhere() const;
  void require_same_fit() const;
  [[nodiscard]] step::Source training_source() const;
  /// True if the model has all states of the optimizer, from an earlier fit.
  [[nodiscard]] bool has_states() const;
  /// The values of the model, and the place among its updates.
  void start(train::Fit& fit) const;
  bool loop(train::Fit& fit);
  /// loop(), and after an error of all ranks waits for the messages under way: their memory goes with `fit`.
  bool run_to_an_end(std::optional<train::Fit>& fit);
  static void end_together(std::optional<train::Fit>& fit);
  [[nodiscard]] FitEpoch end_epoch(train::Fit& fit, const train::Fit::Update& update);
  /// Collective. Calls `callback` on every rank, in the program's floating-point mode and while no message is
  /// under way; true if a rank says stop.
  [[nodiscard]] bool stops(train::Fit& fit, const std::function<Go()>& callback) const;
  void take_over(train::Fit& fit);

  Model::Impl& model_;
  Dataset& data_;
  const Options& given_;
  const FitCallbacks& callbacks_;
  From from_;
  const FloatingPointMode mode_{};
  config::Options options_{};
  comm::Communicator world_;                        // of this fit alone: an error may leave messages behind
  std::shared_ptr<const data::Dataset> samples_{};  // also if a callback adds some
  std::shared_ptr<const data::Dataset> test_samples_{};
  model::Position begin_{};
  std::optional<step::Source> test_{};
  io::IoThread io_thread_{};
};

}  // namespace convoy
