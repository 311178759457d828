#include "convoy/library/model.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "convoy/comm/redistribute.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/floating_point.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/memory_split.hpp"
#include "convoy/io/io_thread.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/predict/trained_network.hpp"
#include "convoy/step/consistency.hpp"
#include "fitting.hpp"
#include "model_state.hpp"

namespace convoy {
namespace {

constexpr const char* kModelOrigin = "the model";

std::vector<nn::LayerText> layer_texts(const std::vector<std::string>& lines) {
  std::vector<nn::LayerText> texts;
  for (const std::string& line : lines) texts.push_back({.text = line, .origin = kModelOrigin});
  return texts;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line(trim(text.substr(begin, end - begin)));
    if (!line.empty()) lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

data::InputTransform identity(const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape.c);
  return {.shape = shape, .scale = 1, .mean = std::vector(channels, 0.0), .std = std::vector(channels, 1.0)};
}

/// Options of a model that no fit has had. A checkpoint's configuration needs a learning rate.
config::Options initial_options(const Network& network, std::uint64_t seed) {
  config::Options options;
  options.layers = layer_texts(network.lines());
  options.loss = network.loss();
  options.seed = seed;
  options.schedule.lr = 0.1;
  return options;
}

/// Numbers of images as float. Throws DataError if one is not finite.
std::vector<float> floats_of(const Numbers& images, std::int64_t per_image) {
  std::vector<float> floats(static_cast<std::size_t>(images.size()));
  for (std::size_t i = 0; i < floats.size(); ++i) {
    floats[i] = images.type() == NumberType::kFloat ? images.as<float>()[i]
                                                    : static_cast<float>(images.as<double>()[i]);
    if (!std::isfinite(floats[i]))
      throw DataError(fmt::format("number {} of image {} is {}; images must be finite as float",
                                  static_cast<std::int64_t>(i) % per_image,
                                  static_cast<std::int64_t>(i) / per_image, floats[i]));
  }
  return floats;
}

data::Split split_of(const Numbers& images, const Shape& shape) {
  if (images.type() == NumberType::kUint8)
    return data::split_of(shape,
                          std::span(images.as<std::uint8_t>(), static_cast<std::size_t>(images.size())));
  return data::split_of(shape, floats_of(images, shape.size()));
}

}  // namespace

std::unique_ptr<predict::Inference> Answering::take(const Model::Impl& model, int threads) {
  const std::scoped_lock lock(mutex_);
  const auto found =
      std::ranges::find_if(idle_, [&](const auto& inference) { return inference->threads() == threads; });
  if (found != idle_.end()) {
    std::unique_ptr<predict::Inference> inference = std::move(*found);
    idle_.erase(found);
    return inference;
  }
  if (network_ == nullptr)
    network_ = std::make_shared<const predict::FoldedNetwork>(
        predict::fold_batch_normalization(model.network, model.state));
  return std::make_unique<predict::Inference>(network_, kernels::choose_isa(), model.options.precision,
                                              threads);
}

void Answering::put_back(std::unique_ptr<predict::Inference> inference) {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(inference));
}

void Answering::clear() {
  const std::scoped_lock lock(mutex_);
  idle_.clear();
  network_ = nullptr;
}

void Model::Impl::balance_classes(std::span<const std::int64_t> labels) {
  network = Network(network.input(), layer_texts(network.lines()),
                    network.loss().balanced_for(labels, network.classes()), network.classes());
}

Digest Model::Impl::digest() const {
  Hasher hasher;
  hasher.update(config::effective_ini(options));
  hasher.update(fmt::format("{} {} {} {} {} {}\n", progress.step, progress.epoch, progress.samples,
                            fit_begin.step, fit_begin.epoch, fit_begin.optimizer_step));
  const auto add = [&](std::span<const float> values) { hasher.update(values.data(), values.size_bytes()); };
  add(state.parameters);
  add(state.statistics);
  for (const model::OptimizerState& each : state.optimizer) {
    hasher.update(each.name + '\n');
    add(each.values.values());
  }
  return hasher.digest();
}

void Model::Impl::copy_to(model::State& other) const {
  std::ranges::copy(state.parameters, other.parameters.begin());
  std::ranges::copy(state.statistics, other.statistics.begin());
  for (model::OptimizerState& to : other.optimizer) {
    const auto from = std::ranges::find(state.optimizer, to.name, &model::OptimizerState::name);
    if (from == state.optimizer.end()) continue;
    for (const Range& range : to.values.ranges()) {
      if (range.size() == 0) continue;
      const float* const values = from->values.at(range.begin);
      std::copy(values, values + range.size(), to.values.at(range.begin));
    }
  }
}

void Model::Impl::gather_from(const comm::Communicator& ranks, const model::State& other,
                              const optim::Optimizer& optimizer) {
  model::State whole = model::make_state(network, &optimizer);
  std::ranges::copy(other.parameters, whole.parameters.begin());
  std::ranges::copy(other.statistics, whole.statistics.begin());
  const comm::Redistribution to_all(ranks, other.owned, {{0, network.parameter_count()}});
  for (std::size_t i = 0; i < other.optimizer.size(); ++i) {
    std::vector<float> owned;
    for (const Range& range : other.owned) {
      if (range.size() == 0) continue;
      const float* const values = other.optimizer[i].values.at(range.begin);
      owned.insert(owned.end(), values, values + range.size());
    }
    const std::vector<float> all = ranks.size() == 1 ? owned : to_all.move(owned);
    std::ranges::copy(all, whole.optimizer[i].values.values().begin());
  }
  state = std::move(whole);
}

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model::Model(Network network, std::uint64_t seed) {
  const FloatingPointMode mode;
  // What a checkpoint could not hold is refused now.
  (void)Network(network.input(), layer_texts(network.lines()), network.loss(), network.classes());
  impl_ = std::make_unique<Impl>(std::move(network));
  impl_->options = initial_options(impl_->network, seed);
  impl_->isa = kernels::choose_isa();
  impl_->input = identity(impl_->network.input());
  impl_->state = model::make_state(impl_->network);
  impl_->network.initialise(seed, impl_->state.parameters, impl_->state.statistics);
}

Model::Model(const Shape& input, const std::string& lines, const LossFunction& loss, std::uint64_t seed)
    : Model(Network(input, layer_texts(lines_of(lines)), loss, std::nullopt), seed) {}

Model Model::load(const std::string& checkpoint) {
  predict::TrainedNetwork read =
      predict::read_trained_network(checkpoint, comm::Communicator::self(), predict::StateParts::kAll);
  model::CheckpointHeader& header = read.header;
  auto impl = std::make_unique<Impl>(std::move(read.network));
  impl->state = std::move(read.state);
  impl->options = std::move(read.options);
  impl->isa = kernels::choose_isa();
  impl->is_fitted = header.progress.step > 0;
  impl->input = std::move(header.input);
  impl->class_names = std::move(header.class_names);
  impl->data_digest = std::move(header.data_digest);
  impl->progress = header.progress;
  impl->fit_begin = header.fit_begin;
  return Model(std::move(impl));
}

void Model::save(const std::string& checkpoint) const {
  const comm::Communicator alone = comm::Communicator::self();
  model::State& state = impl_->state;
  const model::WriterGroup group(alone, model::Writers::kOne, impl_->network, state);
  model::write_checkpoint(checkpoint, group, impl_->network,
                          {.isa = std::string(kernels::to_string(impl_->isa)),
                           .seed = impl_->options.seed,
                           .config = config::effective_ini(impl_->options),
                           .progress = impl_->progress,
                           .fit_begin = impl_->fit_begin,
                           .input = impl_->input,
                           .class_names = impl_->class_names,
                           .data_digest = impl_->data_digest},
                          model::take_snapshot(group, impl_->network, state),
                          {{"program", "a program with the library"}}, 0, [] {});
}

bool Model::fit(Dataset& data, const Options& options, const FitCallbacks& callbacks) {
  return Fitting(*impl_, data, options, callbacks, Fitting::From::kBeginning).run();
}

bool Model::resume(Dataset& data, const Options& options, const FitCallbacks& callbacks) {
  return Fitting(*impl_, data, options, callbacks, Fitting::From::kStop).run();
}

Evaluation Model::evaluate(Dataset& data, std::int64_t threads) const {
  const FloatingPointMode mode;
  data.join();
  const step::Source source = source_of(*impl_, data);
  const kernels::Isa isa = step::agreed_isa(data.ranks(), kernels::choose_isa());
  step::Engine engine(impl_->network, {.kernels = kernels::float_kernels(isa),
                                       .threads = machine::resolve_threads(threads),
                                       .micro_batch = impl_->options.micro_batch,
                                       .precision = impl_->options.precision});
  io::IoThread io_thread;
  return train::evaluate(engine, data.ranks(), source, impl_->state, &io_thread);
}

std::vector<float> Model::predict(const Numbers& images, int threads) const {
  const FloatingPointMode mode;
  const Shape& shape = impl_->network.input();
  const bool is_image = images.type() == NumberType::kUint8 || images.type() == NumberType::kFloat ||
                        images.type() == NumberType::kDouble;
  if (!is_image || images.size() % shape.size() != 0)
    throw ConfigError(fmt::format("{} are not whole images of {} ({} each) as uint8, float or double",
                                  counted(images.size(), "number"), to_string(shape), shape.size()));
  if (threads < 1) throw ConfigError(fmt::format("{} threads cannot compute; give at least 1", threads));
  const std::int64_t samples = images.size() / shape.size();
  std::vector<float> outputs(static_cast<std::size_t>(samples * this->outputs()));
  if (samples == 0) return outputs;
  std::unique_ptr<predict::Inference> inference = impl_->answering.take(*impl_, threads);
  inference->answer(split_of(images, shape), impl_->input, outputs);
  impl_->answering.put_back(std::move(inference));
  return outputs;
}

const Network& Model::network() const {
  return impl_->network;
}
std::int64_t Model::outputs() const {
  return impl_->network.classes();
}
const data::InputTransform& Model::input() const {
  return impl_->input;
}
const std::vector<std::string>& Model::class_names() const {
  return impl_->class_names;
}
std::span<const float> Model::parameters() const {
  return impl_->state.parameters;
}
std::span<const float> Model::statistics() const {
  return impl_->state.statistics;
}

}  // namespace convoy
