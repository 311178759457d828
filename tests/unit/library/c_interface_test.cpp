#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "convoy/convoy.h"
#include "convoy/core/version.hpp"
#include "samples.hpp"

namespace convoy {
namespace {

class CInterface : public testing::Test {
 protected:
  CInterface() {
    EXPECT_EQ(convoy_dataset_create(nullptr, 2, 3, 4, 1, 3, 0, &dataset_), CONVOY_DONE);
    EXPECT_EQ(convoy_options_create(&options_), CONVOY_DONE);
    for (const auto& [key, value] : {std::pair{"train.epochs", "2"},
                                     {"train.batch", "10"},
                                     {"train.micro-batch", "2"},
                                     {"schedule.lr", "0.05"},
                                     {"optimizer.momentum", "0.9"},
                                     {"schedule.name", "cosine"},
                                     {"data.augment", "crop=1"},
                                     {"run.threads", "1"}})
      EXPECT_EQ(convoy_options_set(options_, key, value), CONVOY_DONE) << convoy_last_error();
    EXPECT_EQ(convoy_model_create(2, 3, 4, test::kSmallLayers.c_str(), "softmax-cross-entropy", 1, &model_),
              CONVOY_DONE);
  }
  ~CInterface() override {
    convoy_dataset_free(dataset_);
    convoy_options_free(options_);
    convoy_model_free(model_);
    convoy_model_free(nullptr);
  }

  void add_all() {
    std::vector<std::int64_t> numbers;
    std::vector<std::int32_t> labels;
    for (std::int32_t i = 0; i < test::kSmallTrain; ++i) {
      numbers.push_back(i);
      labels.push_back(i % 3);
    }
    ASSERT_EQ(convoy_dataset_add(dataset_, test::kSmallTrain, numbers.data(),
                                 test::small_images(0, test::kSmallTrain).data(), CONVOY_UINT8, labels.data(),
                                 CONVOY_INT32),
              CONVOY_DONE)
        << convoy_last_error();
  }

  convoy_dataset* dataset_ = nullptr;
  convoy_options* options_ = nullptr;
  convoy_model* model_ = nullptr;
};

TEST_F(CInterface, FitsEvaluatesAndPredictsLikeTheCppOne) {
  add_all();
  int is_complete = 0;
  int epochs = 0;
  convoy_callbacks callbacks{};
  callbacks.context = &epochs;
  callbacks.test = dataset_;
  callbacks.on_epoch = [](const convoy_progress* progress, void* context) {
    EXPECT_GT(progress->test_loss, 0);
    ++*static_cast<int*>(context);
    return 0;
  };
  ASSERT_EQ(convoy_model_fit(model_, dataset_, options_, &callbacks, &is_complete), CONVOY_DONE)
      << convoy_last_error();
  EXPECT_EQ(is_complete, 1);
  EXPECT_EQ(epochs, 2);

  Dataset dataset(test::small_format());
  test::add_small(dataset, 0, test::kSmallTrain);
  Model model = test::small_model();
  (void)model.fit(dataset, test::small_options());
  const std::vector<std::uint8_t> images = test::small_images(0, 5);
  std::vector<float> outputs(15);
  ASSERT_EQ(convoy_model_outputs(model_), 3);
  ASSERT_EQ(convoy_model_predict(model_, 5, images.data(), CONVOY_UINT8, 1, outputs.data()), CONVOY_DONE);
  EXPECT_EQ(outputs, model.predict(images));
  convoy_evaluation evaluation{};
  ASSERT_EQ(convoy_model_evaluate(model_, dataset_, 1, &evaluation), CONVOY_DONE);
  EXPECT_EQ(evaluation.samples, test::kSmallTrain);
  EXPECT_EQ(evaluation.loss, model.evaluate(dataset, 1).loss);
}

TEST_F(CInterface, AFitThatStoppedIsSavedLoadedAndResumed) {
  const test::ScratchFolder folder;
  add_all();
  int is_complete = 1;
  convoy_callbacks callbacks{};
  callbacks.on_step = [](const convoy_progress* progress, void*) { return progress->step == 3 ? 1 : 0; };
  ASSERT_EQ(convoy_model_fit(model_, dataset_, options_, &callbacks, &is_complete), CONVOY_DONE);
  EXPECT_EQ(is_complete, 0);
  ASSERT_EQ(convoy_model_save(model_, (folder / "stopped.h5").c_str()), CONVOY_DONE);
  convoy_model* loaded = nullptr;
  ASSERT_EQ(convoy_model_load((folder / "stopped.h5").c_str(), &loaded), CONVOY_DONE);
  ASSERT_EQ(convoy_model_resume(loaded, dataset_, options_, nullptr, &is_complete), CONVOY_DONE);
  EXPECT_EQ(is_complete, 1);
  convoy_model_free(loaded);
}

TEST_F(CInterface, WrongCallsReturnAStatusAndSayWhy) {
  const std::vector<float> image(24, std::numeric_limits<float>::quiet_NaN());
  const std::int64_t zero = 0;
  const std::int64_t label = 7;
  std::vector<std::uint8_t> bytes(24);
  std::vector<float> outputs(3);
  convoy_dataset* none = nullptr;
  convoy_model* no_model = nullptr;
  const auto expect = [](int status, int expected, const std::string& fragment) {
    EXPECT_EQ(status, expected) << fragment;
    EXPECT_NE(std::string(convoy_last_error()).find(fragment), std::string::npos) << convoy_last_error();
  };
  expect(convoy_model_fit(nullptr, dataset_, options_, nullptr, nullptr), CONVOY_USAGE,
         "model is a null pointer");
  expect(convoy_model_fit(model_, nullptr, options_, nullptr, nullptr), CONVOY_USAGE,
         "dataset is a null pointer");
  expect(convoy_model_fit(model_, dataset_, options_, nullptr, nullptr), CONVOY_BAD_DATA, "has no samples");
  expect(convoy_options_set(options_, "train.epoch", "3"), CONVOY_USAGE, "did you mean");
  expect(convoy_options_set(options_, nullptr, "3"), CONVOY_USAGE, "key is a null pointer");
  expect(convoy_dataset_create(nullptr, 1, 2, 2, 0, 0, 0, &none), CONVOY_USAGE, "either classes or targets");
  expect(convoy_dataset_create(nullptr, 1, 2, 2, 0, 2, 0, nullptr), CONVOY_USAGE,
         "dataset is a null pointer");
  const int no_communicator = 0;  // MPI is not initialised here, so nobody looks at it
  expect(convoy_dataset_create(&no_communicator, 1, 2, 2, 0, 2, 0, &none), CONVOY_USAGE, "MPI");
  expect(convoy_dataset_create_f(0, 1, 2, 2, 0, 2, 0, &none), CONVOY_USAGE, "MPI");
  expect(convoy_dataset_read(nullptr, "/nowhere.h5", "train", &none), CONVOY_USAGE, "/nowhere.h5");
  expect(convoy_dataset_add(dataset_, 1, &zero, bytes.data(), CONVOY_UINT8, &label, CONVOY_INT64),
         CONVOY_BAD_DATA, "is 7; labels are 0 to 2");
  expect(convoy_dataset_add(dataset_, 1, &zero, bytes.data(), 17, &label, CONVOY_INT64), CONVOY_USAGE,
         "the type of images is 17");
  expect(convoy_dataset_add(dataset_, 1, &zero, nullptr, CONVOY_UINT8, &label, CONVOY_INT64), CONVOY_USAGE,
         "images is a null pointer");
  expect(convoy_dataset_add(dataset_, -1, &zero, bytes.data(), CONVOY_UINT8, &label, CONVOY_INT64),
         CONVOY_USAGE, "-1, is negative");
  expect(convoy_model_predict(model_, 1, image.data(), CONVOY_FLOAT, 1, outputs.data()), CONVOY_BAD_DATA,
         "is nan");
  expect(convoy_model_predict(model_, 1, bytes.data(), CONVOY_UINT8, 1, nullptr), CONVOY_USAGE,
         "outputs is a null pointer");
  expect(convoy_model_predict_f(model_, bytes.data(), 24, CONVOY_UINT8, 1, outputs.data(), 2), CONVOY_USAGE,
         "there is room for 2");
  expect(convoy_model_create(1, 4, 4, "dense 2", "hinge", 1, &no_model), CONVOY_USAGE,
         "loss 'hinge' is unknown");
  expect(convoy_model_create(1, 4, 4, "dence 2", "quadratic", 1, &no_model), CONVOY_USAGE, "dence");
  expect(convoy_model_load("/nowhere.h5", &no_model), CONVOY_USAGE, "there is no checkpoint");
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(no_model, nullptr);
  EXPECT_EQ(convoy_model_outputs(nullptr), 0);
  EXPECT_STREQ(convoy_version(), std::string(version()).c_str());
}

}  // namespace
}  // namespace convoy
