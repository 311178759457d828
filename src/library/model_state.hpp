#pragma once
// What a Model holds, and its moves into and out of a fit. Private to the library room.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/library/model.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/model/state.hpp"
#include "convoy/optim/optimizers.hpp"
#include "convoy/predict/inference.hpp"

namespace convoy {

/// Makes and keeps the objects that answer predict(): each serves one call at a time.
class Answering {
 public:
  /// One for `threads` threads: one that waits, else a new one for the values of `model`.
  [[nodiscard]] std::unique_ptr<predict::Inference> take(const Model::Impl& model, int threads);
  void put_back(std::unique_ptr<predict::Inference> inference);
  /// After a change of the values; no call may be under way.
  void clear();

 private:
  std::mutex mutex_;
  std::shared_ptr<const predict::FoldedNetwork> network_;  // null: not made since the last change
  std::vector<std::unique_ptr<predict::Inference>> idle_;
};

struct Model::Impl {
  explicit Impl(Network of) : network(std::move(of)) {}

  Network network;
  config::Options options{};  ///< of the last fit
  kernels::Isa isa = kernels::Isa::kPortable;
  bool is_fitted = false;        ///< then `input` is that of the first fit
  data::InputTransform input{};  ///< the identity before
  std::vector<std::string> class_names{};
  std::string data_digest{};
  model::State state{};  ///< whole, with the states of the optimizer of `options`
  model::Progress progress{};
  model::Position fit_begin{};
  mutable Answering answering{};

  /// Gives the loss, which balances classes, its weights for the training samples `labels`.
  void balance_classes(std::span<const std::int64_t> labels);
  /// Over all values, the progress and the options.
  [[nodiscard]] Digest digest() const;
  /// Copies the values to `state`, which may keep only a part of the optimizer's states. States that this
  /// model does not have stay zero.
  void copy_to(model::State& other) const;
  /// Collective over `ranks`. The reverse of copy_to(): every rank gets everything.
  void gather_from(const comm::Communicator& ranks, const model::State& other,
                   const optim::Optimizer& optimizer);
};

}  // namespace convoy
