#include "convoy/predict/predictor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/memory_split.hpp"
#include "convoy/images/network_input.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/io_thread.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/predict/folded_network.hpp"
#include "convoy/predict/inference.hpp"
#include "convoy/predict/inputs.hpp"
#include "convoy/predict/predictions.hpp"
#include "convoy/predict/trained_network.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy::predict {
namespace {

/// Rank 0: receives the outputs of all inputs in order.
class Writer {
 public:
  Writer(const Request& request, OutputMeaning meaning, std::int64_t samples, std::ostream& text)
      : request_(request), meaning_(std::move(meaning)), text_(text) {
    if (!request.csv.empty()) csv_ = csv_header(meaning_);
    if (!request.out.empty())
      file_ = std::make_unique<PredictionsFile>(request.out, meaning_, samples, request.checkpoint,
                                                request.inputs);
  }

  /// `name_of(i)` names input i of `outputs`, [n][outputs].
  void add(std::span<const float> outputs, const std::function<std::string(std::size_t)>& name_of) {
    const auto size = static_cast<std::size_t>(meaning_.outputs);
    if (file_) file_->add(outputs);
    for (std::size_t i = 0; i < outputs.size() / size; ++i) {
      const std::span<const float> own = outputs.subspan(i * size, size);
      if (!request_.csv.empty()) csv_ += csv_line(meaning_, name_of(i), own);
      if (request_.as_json) {
        text_ << json_line(meaning_, name_of(i), own, request_.most);
      } else if (!file_ && request_.csv.empty()) {
        text_ << text_line(meaning_, name_of(i), own, request_.most);
      }
    }
    done_ += static_cast<std::int64_t>(outputs.size() / size);
  }

  void finish() {
    if (file_) file_->finish();
    if (!request_.csv.empty()) io::write_text_file(request_.csv, csv_);
    if (request_.as_json) return;
    for (const std::string& file : {request_.out, request_.csv})
      if (!file.empty()) text_ << fmt::format("Made {}: {}.\n", file, counted(done_, "prediction"));
  }

 private:
  const Request& request_;
  OutputMeaning meaning_;
  std::ostream& text_;
  std::string csv_;
  std::unique_ptr<PredictionsFile> file_;
  std::int64_t done_ = 0;
};

class Predictor {
 public:
  Predictor(const Request& request, const comm::Communicator& world, std::ostream& text)
      : request_(request),
        world_(world),
        text_(text),
        trained_(read_trained_network(request.checkpoint, world)),
        inference_(
            std::make_shared<const FoldedNetwork>(fold_batch_normalization(trained_.network, trained_.state)),
            step::agreed_isa(world, kernels::choose_isa()), trained_.options.precision, request.threads) {}

  void run() {
    io::agreed(world_, [&] { inputs_ = find_inputs(request_.inputs); });
    const std::int64_t samples = open_inputs();
    std::optional<Writer> writer;
    io::agreed_at_root(world_, [&] {
      writer.emplace(request_,
                     OutputMeaning{trained_.options.loss.kind, trained_.header.class_names,
                                   inference_.engine().outputs()},
                     samples, text_);
    });
    auto dataset = datasets_.begin();
    for (const Input& input : inputs_) {
      if (const auto* files = std::get_if<Files>(&input)) {
        predict(*files, writer);
      } else {
        predict(std::get<Array>(input), *dataset++, writer);
      }
    }
    io::agreed_at_root(world_, [&] { writer->finish(); });
  }

 private:
  [[nodiscard]] bool takes_bytes() const { return trained_.header.input.scale != 1; }

  /// Checks that all inputs fit the network; returns their number of images.
  std::int64_t open_inputs() {
    std::int64_t samples = 0;
    for (const Input& input : inputs_) {
      if (const auto* files = std::get_if<Files>(&input)) {
        if (!takes_bytes())
          throw DataError(
              fmt::format("{} is an image of bytes, but {} was trained on float numbers; give them as "
                          "FILE.h5:/PATH",
                          files->front(), request_.checkpoint));
        samples += static_cast<std::int64_t>(files->size());
        continue;
      }
      const auto& array = std::get<Array>(input);
      const data::Dataset& dataset =
          datasets_.emplace_back(reading_of(array), world_, std::vector<std::string>{"train"});
      require_fits(array, dataset);
      samples += dataset.split("train")->samples();
    }
    return samples;
  }

  [[nodiscard]] data::Options reading_of(const Array& array) const {
    data::Options options{.file = array.file, .train = {.images = array.path}, .rows = array.rows};
    options.axes = request_.axes.value_or(data::Axes::kNchw);
    if (!request_.axes) options.known_axes = trained_.options.data.axes;
    options.known_shape = trained_.header.input.shape;
    options.function = trained_.header.input.function;
    options.advice = data::Advice::kOptions;
    options.cache = data::Cache::kNone;
    return options;
  }

  void require_fits(const Array& array, const data::Dataset& dataset) const {
    const data::InputTransform& input = trained_.header.input;
    if (dataset.shape() != input.shape)
      throw DataError(
          fmt::format("{} of {} holds images of {}, the network takes {}; --layout says how the images "
                      "lie in the file",
                      array.path, array.file, to_string(dataset.shape()), to_string(input.shape)));
    const bool is_bytes = dataset.transform(data::Normalize::kNone).scale != 1;
    if (is_bytes != takes_bytes())
      throw DataError(fmt::format(
          "{} of {} holds {} numbers, {} was trained on {}; store them as it was trained", array.path,
          array.file, is_bytes ? "uint8" : "float", request_.checkpoint, takes_bytes() ? "uint8" : "float"));
  }

  void predict(const Array& array, const data::Dataset& dataset, std::optional<Writer>& writer) {
    const std::int64_t first_row = array.rows ? array.rows->begin : 0;
    io::IoThread io_thread;
    (void)train::evaluate(
        inference_.engine(), world_, {.split = dataset.split("train"), .transform = trained_.header.input},
        inference_.state(), &io_thread, [&](std::int64_t first, std::span<const float> outputs) {
          write(writer, outputs, [&](std::size_t i) {
            return fmt::format("{}:{}[{}]", array.file, array.path,
                               first_row + first + static_cast<std::int64_t>(i));
          });
        });
    rethrow_write_error();
  }

  /// All ranks decode and compute their parts of a round; whole micro-batches, so that the results do not
  /// depend on the number of ranks.
  void predict(const Files& files, std::optional<Writer>& writer) {
    constexpr std::int64_t kBytes = std::int64_t{64} << 20;  // of images at a time, on each rank
    const std::int64_t micro_batch = inference_.engine().micro_batch();
    const Shape& shape = trained_.header.input.shape;
    const auto count = static_cast<std::int64_t>(files.size());
    const std::int64_t leaves = (count + micro_batch - 1) / micro_batch;
    const std::int64_t at_once =
        std::max<std::int64_t>(kBytes / (shape.size() * micro_batch), 1) * world_.size();
    for (std::int64_t begin = 0; begin < leaves; begin += at_once) {
      const Range part = comm::leaf_block(std::min(at_once, leaves - begin), world_.size(), world_.rank());
      const std::int64_t first = std::min((begin + part.begin) * micro_batch, count);
      const std::int64_t end = std::min((begin + part.end) * micro_batch, count);
      std::vector<std::uint8_t> images;
      io::agreed(world_, [&] {
        images = images::read_for_network(
            std::span(files).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first)),
            shape, request_.fit, request_.threads);
      });
      const std::vector<float> outputs = outputs_of(shape, images);
      train::hand_over(world_, outputs, inference_.engine().outputs(), begin * micro_batch,
                       [&](std::int64_t next, std::span<const float> all) {
                         write(writer, all,
                               [&](std::size_t i) { return files[static_cast<std::size_t>(next) + i]; });
                       });
    }
    rethrow_write_error();
  }

  std::vector<float> outputs_of(const Shape& shape, const std::vector<std::uint8_t>& images) {
    const auto count = static_cast<std::int64_t>(images.size()) / shape.size();
    std::vector<float> outputs(static_cast<std::size_t>(count * inference_.engine().outputs()));
    if (count == 0) return outputs;
    const data::Split split = data::split_of(shape, images);
    inference_.answer(split, trained_.header.input, outputs);
    return outputs;
  }

  /// Rank 0 alone is here: it keeps an error until all ranks meet.
  void write(std::optional<Writer>& writer, std::span<const float> outputs,
             const std::function<std::string(std::size_t)>& name_of) {
    if (write_error_ != nullptr) return;
    try {
      writer->add(outputs, name_of);
    } catch (...) {
      write_error_ = std::current_exception();
    }
  }
  void rethrow_write_error() {
    io::agreed_at_root(world_, [&] {
      if (write_error_ != nullptr) std::rethrow_exception(write_error_);
    });
  }

  const Request& request_;
  comm::Communicator world_;
  std::ostream& text_;
  TrainedNetwork trained_;
  Inference inference_;
  std::vector<Input> inputs_;
  std::vector<data::Dataset> datasets_;  // of the arrays, in order
  std::exception_ptr write_error_;
};

}  // namespace

void run(const Request& request, const comm::Communicator& world, std::ostream& text) {
  io::agreed_at_root(world, [&] {
    for (const std::string& file : {request.csv, request.out}) io::require_folder_of(file);
  });
  Predictor(request, world, text).run();
}

}  // namespace convoy::predict
