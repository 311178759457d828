// The C interface: each function calls the C++ one and turns exceptions into a status and a text. convoy.h
// declares them extern "C".

#include <algorithm>
#include <exception>
#include <new>
#include <string>

#include "convoy/convoy.h"
#include "convoy/convoy.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"

struct convoy_dataset {
  convoy::Dataset dataset;
};
struct convoy_options {
  convoy::Options options;
};
struct convoy_model {
  convoy::Model model;
};

namespace {

using convoy::ConfigError;

thread_local std::string last_error;

int failed(convoy::ExitStatus status, const char* message) {
  last_error = message;
  return static_cast<int>(status);
}

/// Runs `action`; returns its status.
template <class Action>
int status_of(Action&& action) noexcept {
  try {
    action();
    return CONVOY_DONE;
  } catch (const convoy::Error& error) {
    return failed(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(convoy::ExitStatus::kCheckFailed, "out of memory");
  } catch (const std::exception& error) {
    return failed(convoy::ExitStatus::kCheckFailed, error.what());
  } catch (...) {
    return failed(convoy::ExitStatus::kCheckFailed, "an unknown error");
  }
}

/// The object behind a handle or pointer. Throws ConfigError if it is null.
template <class T>
T& given(T* pointer, const char* what) {
  if (pointer == nullptr)
    throw ConfigError(std::string(what) +
                      " is a null pointer; pass one that a function of convoy.h has made, or "
                      "the address of a variable");
  return *pointer;
}

std::string text(const char* characters, const char* what) {
  return &given(characters, what);
}

convoy::Numbers numbers(int type, const void* data, std::int64_t size, const char* what) {
  if (type < CONVOY_UINT8 || type > CONVOY_DOUBLE)
    throw ConfigError("the type of " + std::string(what) + " is " + std::to_string(type) +
                      "; CONVOY_UINT8 to CONVOY_DOUBLE are types");
  if (size < 0)
    throw ConfigError("the number of " + std::string(what) +
                      " is negative, or (in Fortran) their last extent is not the number of samples");
  if (size > 0) (void)given(static_cast<const char*>(data), what);
  return {static_cast<convoy::NumberType>(type), data, size};
}

void create(const convoy::Communicator& ranks, const convoy::SampleFormat& format, convoy_dataset** dataset) {
  convoy_dataset*& made = given(dataset, "dataset");
  made = new convoy_dataset{convoy::Dataset(format, ranks)};
}

void read(const convoy::Communicator& ranks, const char* file, const char* split, convoy_dataset** dataset) {
  convoy_dataset*& made = given(dataset, "dataset");
  made = new convoy_dataset{convoy::Dataset::read(text(file, "file"), text(split, "split"), ranks)};
}

convoy::SampleFormat format_of(std::int64_t c, std::int64_t h, std::int64_t w, int is_bytes,
                               std::int64_t classes, std::int64_t targets) {
  return {.image = {c, h, w}, .is_bytes = is_bytes != 0, .classes = classes, .targets = targets};
}

convoy::Loss loss_of(const std::string& name) {
  const std::vector<std::string_view>& names = convoy::nn::loss_names();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<convoy::Loss>(i);
  throw ConfigError("loss '" + name + "' is unknown; the losses are " +
                    convoy::join(std::vector<std::string>(names.begin(), names.end()), ", "));
}

convoy::Go call(convoy_callback callback, const convoy_progress& progress, void* context) {
  return callback(&progress, context) == 0 ? convoy::Go::kOn : convoy::Go::kStop;
}

convoy::FitCallbacks callbacks_of(const convoy_callbacks* from) {
  convoy::FitCallbacks callbacks;
  if (from == nullptr) return callbacks;
  if (from->on_step != nullptr)
    callbacks.on_step = [from](const convoy::FitStep& step) {
      return call(from->on_step,
                  {.epoch = step.epoch,
                   .step = step.step,
                   .loss = step.loss,
                   .learning_rate = step.learning_rate,
                   .accuracy = 0,
                   .test_loss = 0,
                   .test_accuracy = 0},
                  from->context);
    };
  if (from->on_epoch != nullptr)
    callbacks.on_epoch = [from](const convoy::FitEpoch& epoch) {
      return call(from->on_epoch,
                  {.epoch = epoch.epoch,
                   .step = epoch.step,
                   .loss = epoch.loss,
                   .learning_rate = 0,
                   .accuracy = epoch.accuracy,
                   .test_loss = epoch.test ? epoch.test->loss : 0,
                   .test_accuracy = epoch.test ? epoch.test->accuracy() : 0},
                  from->context);
    };
  if (from->test != nullptr) callbacks.test = &from->test->dataset;
  return callbacks;
}

using FitFunction = bool (convoy::Model::*)(convoy::Dataset&, const convoy::Options&,
                                            const convoy::FitCallbacks&);

int fit_with(FitFunction fit, convoy_model* model, convoy_dataset* dataset, const convoy_options* options,
             const convoy_callbacks* callbacks, int* is_complete) {
  return status_of([&] {
    const bool done = (given(model, "model").model.*fit)(
        given(dataset, "dataset").dataset, given(options, "options").options, callbacks_of(callbacks));
    if (is_complete != nullptr) *is_complete = done ? 1 : 0;
  });
}

}  // namespace

const char* convoy_last_error(void) {
  return last_error.c_str();
}

const char* convoy_version(void) {
  static const std::string version(convoy::version());
  return version.c_str();
}

int convoy_dataset_create(const void* mpi_comm, int64_t c, int64_t h, int64_t w, int is_bytes,
                          int64_t classes, int64_t targets, convoy_dataset** dataset) {
  return status_of([&] {
    create(convoy::Communicator::duplicate_of(mpi_comm), format_of(c, h, w, is_bytes, classes, targets),
           dataset);
  });
}

int convoy_dataset_create_f(int mpi_comm, int64_t c, int64_t h, int64_t w, int is_bytes, int64_t classes,
                            int64_t targets, convoy_dataset** dataset) {
  return status_of([&] {
    create(convoy::Communicator::duplicate_of_fortran(mpi_comm),
           format_of(c, h, w, is_bytes, classes, targets), dataset);
  });
}

int convoy_dataset_read(const void* mpi_comm, const char* file, const char* split, convoy_dataset** dataset) {
  return status_of([&] { read(convoy::Communicator::duplicate_of(mpi_comm), file, split, dataset); });
}

int convoy_dataset_read_f(int mpi_comm, const char* file, const char* split, convoy_dataset** dataset) {
  return status_of([&] { read(convoy::Communicator::duplicate_of_fortran(mpi_comm), file, split, dataset); });
}

int convoy_dataset_add(convoy_dataset* dataset, int64_t n, const int64_t* numbers_of_samples,
                       const void* images, int image_type, const void* answers, int answer_type) {
  const auto size_of = [&](std::int64_t a_sample) { return n < 0 ? 0 : n * a_sample; };
  return convoy_dataset_add_f(
      dataset, n, numbers_of_samples, images,
      dataset == nullptr ? 0 : size_of(dataset->dataset.shape().size()), image_type, answers,
      dataset == nullptr ? 0 : size_of(dataset->dataset.answers_per_sample()), answer_type);
}

int convoy_dataset_add_f(convoy_dataset* dataset, int64_t n, const int64_t* numbers_of_samples,
                         const void* images, int64_t image_numbers, int image_type, const void* answers,
                         int64_t answer_numbers, int answer_type) {
  return status_of([&] {
    convoy::Dataset& to = given(dataset, "dataset").dataset;
    if (n < 0) throw ConfigError("the number of samples, " + std::to_string(n) + ", is negative");
    if (n > 0) (void)given(numbers_of_samples, "numbers");
    to.add({numbers_of_samples, static_cast<std::size_t>(n)},
           numbers(image_type, images, image_numbers, "images"),
           numbers(answer_type, answers, answer_numbers, "answers"));
  });
}

int convoy_dataset_join(convoy_dataset* dataset, int64_t* samples) {
  return status_of([&] {
    convoy::Dataset& joined = given(dataset, "dataset").dataset;
    joined.join();
    if (samples != nullptr) *samples = joined.samples();
  });
}

void convoy_dataset_free(convoy_dataset* dataset) {
  delete dataset;
}

int convoy_options_create(convoy_options** options) {
  return status_of([&] {
    convoy_options*& made = given(options, "options");
    made = new convoy_options;
  });
}

int convoy_options_set(convoy_options* options, const char* key, const char* value) {
  return status_of([&] { given(options, "options").options.set({text(key, "key"), text(value, "value")}); });
}

void convoy_options_free(convoy_options* options) {
  delete options;
}

int convoy_model_create(int64_t c, int64_t h, int64_t w, const char* layers, const char* loss, uint64_t seed,
                        convoy_model** model) {
  return status_of([&] {
    convoy_model*& made = given(model, "model");
    made =
        new convoy_model{convoy::Model({c, h, w}, text(layers, "layers"), loss_of(text(loss, "loss")), seed)};
  });
}

int convoy_model_load(const char* checkpoint, convoy_model** model) {
  return status_of([&] {
    convoy_model*& made = given(model, "model");
    made = new convoy_model{convoy::Model::load(text(checkpoint, "checkpoint"))};
  });
}

int convoy_model_save(const convoy_model* model, const char* checkpoint) {
  return status_of([&] { given(model, "model").model.save(text(checkpoint, "checkpoint")); });
}

void convoy_model_free(convoy_model* model) {
  delete model;
}

int convoy_model_fit(convoy_model* model, convoy_dataset* dataset, const convoy_options* options,
                     const convoy_callbacks* callbacks, int* is_complete) {
  return fit_with(&convoy::Model::fit, model, dataset, options, callbacks, is_complete);
}

int convoy_model_resume(convoy_model* model, convoy_dataset* dataset, const convoy_options* options,
                        const convoy_callbacks* callbacks, int* is_complete) {
  return fit_with(&convoy::Model::resume, model, dataset, options, callbacks, is_complete);
}

int convoy_model_evaluate(const convoy_model* model, convoy_dataset* dataset, int64_t threads,
                          convoy_evaluation* evaluation) {
  return status_of([&] {
    convoy_evaluation& to = given(evaluation, "evaluation");
    const convoy::Evaluation result =
        given(model, "model").model.evaluate(given(dataset, "dataset").dataset, threads);
    to = {
        .samples = result.samples, .loss = result.loss, .accuracy = result.accuracy(), .top5 = result.top5()};
  });
}

int64_t convoy_model_outputs(const convoy_model* model) {
  return model == nullptr ? 0 : model->model.outputs();
}

int convoy_model_predict(const convoy_model* model, int64_t n, const void* images, int image_type,
                         int threads, float* outputs) {
  const std::int64_t count = model == nullptr || n < 0 ? 0 : n;
  const std::int64_t size = model == nullptr ? 0 : model->model.network().input().size();
  return convoy_model_predict_f(model, images, count * size, image_type, threads, outputs,
                                count * convoy_model_outputs(model));
}

int convoy_model_predict_f(const convoy_model* model, const void* images, int64_t image_numbers,
                           int image_type, int threads, float* outputs, int64_t output_numbers) {
  return status_of([&] {
    const std::vector<float> values =
        given(model, "model").model.predict(numbers(image_type, images, image_numbers, "images"), threads);
    if (static_cast<std::int64_t>(values.size()) != output_numbers)
      throw ConfigError("the outputs of all images are " + std::to_string(values.size()) +
                        " numbers, and there is room for " + std::to_string(output_numbers));
    if (!values.empty()) std::copy(values.begin(), values.end(), &given(outputs, "outputs"));
  });
}
