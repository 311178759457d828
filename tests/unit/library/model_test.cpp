#include "convoy/library/model.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cfenv>
#include <limits>
#include <thread>

#include "convoy/core/floating_point.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/predict/answers.hpp"
#include "convoy/train/trainer.hpp"
#include "samples.hpp"

namespace convoy {
namespace {

using test::error_of;
using test::small_model;
using test::small_options;
using test::values_of;

Dataset small_dataset(std::int64_t samples = test::kSmallTrain) {
  Dataset dataset(test::small_format());
  test::add_small(dataset, 0, samples);
  return dataset;
}

TEST(LibraryModel, BuildsTheSameNetworkFromLinesAndInCode) {
  const Model built(NetworkBuilder(test::kSmallShape)
                        .conv(4, {2, 2})
                        .batchnorm()
                        .relu()
                        .dropout(0.2)
                        .dense(3)
                        .build(Loss::kSoftmaxCrossEntropy));
  EXPECT_EQ(values_of(built), values_of(small_model()));
  EXPECT_EQ(built.network().lines(), small_model().network().lines());
}

TEST(LibraryModel, BalancesClassesAsARunOfTheProgramDoes) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "small.h5");  // 40 samples of 3 classes: no weight is 1
  LossFunction loss(Loss::kSoftmaxCrossEntropy);
  loss.balances_classes = true;
  config::Options options = small_options().with_network(small_model().network().lines(), loss);
  options.data.file = folder / "small.h5";
  options.dir = folder / "run";
  {
    const FloatingPointMode mode;
    train::Launch launch;
    launch.isa = kernels::choose_isa();
    ASSERT_EQ(train::train(options, comm::Communicator::self(), launch), ExitStatus::kDone);
  }
  Model model(test::kSmallShape, test::kSmallLayers, loss, 1);
  Dataset memory = small_dataset();
  EXPECT_TRUE(model.fit(memory, small_options()));
  const std::string last = folder / ("run/checkpoints/" + model::checkpoint_name(8));
  EXPECT_EQ(values_of(model), values_of(Model::load(last)));
  Model plain = small_model();
  EXPECT_TRUE(plain.fit(memory, small_options()));
  EXPECT_NE(values_of(model), values_of(plain));
  // A loaded model has the loss of its run, whose weights the next fit computes.
  Model loaded = Model::load(last);
  EXPECT_TRUE(loaded.fit(memory, small_options()));
  EXPECT_TRUE(model.fit(memory, small_options()));
  EXPECT_EQ(values_of(model), values_of(loaded));
}

TEST(LibraryModel, FitGivesTheBitsOfARunOfTheProgram) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "small.h5");
  config::Options options =
      small_options().with_network(small_model().network().lines(), Loss::kSoftmaxCrossEntropy);
  options.data.file = folder / "small.h5";
  options.dir = folder / "run";
  const FloatingPointMode mode;  // a run of the program leaves its own
  train::Launch launch;
  launch.isa = kernels::choose_isa();
  ASSERT_EQ(train::train(options, comm::Communicator::self(), launch), ExitStatus::kDone);
  const std::string last = folder / ("run/checkpoints/" + model::checkpoint_name(8));

  Model model = small_model();
  Dataset memory = small_dataset();
  EXPECT_TRUE(model.fit(memory, small_options()));
  EXPECT_EQ(values_of(model), values_of(Model::load(last)));
  model.save(folder / "saved.h5");
  EXPECT_EQ(model::hash_of_checkpoint(folder / "saved.h5"), model::hash_of_checkpoint(last));
  EXPECT_EQ(model.class_names(), (std::vector<std::string>{"ant", "bee", "cicada"}));
  Dataset file = Dataset::read(folder / "small.h5");
  Model other = small_model();
  EXPECT_TRUE(other.fit(file, small_options()));
  EXPECT_EQ(values_of(other), values_of(model));
}

TEST(LibraryModel, CallbacksSeeTheFitAndStopItAndResumeGivesTheSameBits) {
  const test::ScratchFolder folder;
  Dataset dataset = small_dataset();
  Model whole = small_model();
  std::vector<double> losses;
  std::vector<double> tests;
  EXPECT_TRUE(whole.fit(dataset, small_options(),
                        {.on_step =
                             [&](const FitStep& step) {
                               EXPECT_EQ(step.total_steps, 8);
                               EXPECT_EQ(step.step, static_cast<std::int64_t>(losses.size()) + 1);
                               losses.push_back(step.loss);
                               return Go::kOn;
                             },
                         .on_epoch =
                             [&](const FitEpoch& epoch) {
                               tests.push_back(epoch.test->loss);
                               return Go::kOn;
                             },
                         .test = &dataset}));
  EXPECT_EQ(losses.size(), 8U);
  EXPECT_EQ(tests.size(), 2U);
  EXPECT_EQ(tests.back(), whole.evaluate(dataset, 1).loss);
  for (const std::int64_t stop : {1, 4, 5}) {
    Model model = small_model();
    EXPECT_FALSE(model.fit(dataset, small_options(), {.on_step = [&](const FitStep& step) {
                             return step.step == stop ? Go::kStop : Go::kOn;
                           }}));
    model.save(folder / "stopped.h5");
    Model loaded = Model::load(folder / "stopped.h5");
    EXPECT_TRUE(loaded.resume(dataset, small_options()));
    EXPECT_EQ(values_of(loaded), values_of(whole)) << "stopped after step " << stop;
  }
}

TEST(LibraryModel, ALaterFitGoesOnFromTheValuesAndResumesAfterASave) {
  const test::ScratchFolder folder;
  Dataset dataset = small_dataset(30);
  Model model = small_model();
  EXPECT_TRUE(model.fit(dataset, small_options(1)));
  const data::InputTransform first = model.input();
  test::add_small(dataset, 30, 7);
  model.save(folder / "one.h5");
  Model other = Model::load(folder / "one.h5");
  EXPECT_TRUE(model.fit(dataset, small_options(2)));
  EXPECT_EQ(model.input().mean, first.mean);
  EXPECT_FALSE(other.fit(dataset, small_options(2), {.on_step = [](const FitStep& step) {
                           return step.step == 6 ? Go::kStop : Go::kOn;
                         }}));
  other.save(folder / "two.h5");
  Model third = Model::load(folder / "two.h5");
  EXPECT_TRUE(third.resume(dataset, small_options(2)));
  EXPECT_EQ(values_of(third), values_of(model));
}

// adamw's corrections count from the first update of its states, and lookahead's slow weights begin there:
// after a fit by another optimizer whose rate is 0 in float, the parameters are those of a
// first fit.
TEST(LibraryModel, ALaterFitByAnotherOptimizerBeginsItsStates) {
  const std::string layers = "conv 4 2x2\nbatchnorm\nrelu\ndense 3";
  Options nothing{{"train.epochs", 1},     {"train.batch", 10},    {"train.micro-batch", 2},
                  {"schedule.lr", 1e-300}, {"data.shuffle", "no"}, {"run.threads", 1}};
  Options adamw = nothing;
  adamw.set({"train.epochs", 2});
  adamw.set({"schedule.lr", 0.05});
  adamw.set({"optimizer.name", "adamw"});
  adamw.set({"optimizer.lookahead-steps", 3});
  adamw.set({"optimizer.lookahead-schedule", "cubic"});
  adamw.set({"optimizer.group.biases.match", "*.bias"});
  adamw.set({"optimizer.group.biases.lr-factor", 4});
  const auto parameters_of = [](const Model& model) {
    return std::vector<float>(model.parameters().begin(), model.parameters().end());
  };
  Dataset dataset = small_dataset();
  Model first(test::kSmallShape, layers, Loss::kSoftmaxCrossEntropy, 1);
  Model later(test::kSmallShape, layers, Loss::kSoftmaxCrossEntropy, 1);
  const std::vector<float> begin = parameters_of(first);
  EXPECT_TRUE(later.fit(dataset, nothing));
  EXPECT_EQ(parameters_of(later), begin);
  EXPECT_TRUE(first.fit(dataset, adamw));
  EXPECT_FALSE(later.fit(
      dataset, adamw, {.on_step = [](const FitStep& step) { return step.step == 4 ? Go::kStop : Go::kOn; }}));
  const test::ScratchFolder folder;
  later.save(folder / "stopped.h5");
  Model resumed = Model::load(folder / "stopped.h5");
  EXPECT_TRUE(resumed.resume(dataset, adamw));
  EXPECT_NE(parameters_of(first), begin);
  EXPECT_EQ(parameters_of(resumed), parameters_of(first));
}

TEST(LibraryModel, AGroupThatMatchesNothingIsRefused) {
  Dataset dataset = small_dataset();
  Model model = small_model();
  Options options = small_options();
  options.set({"optimizer.group.a.match", "conv2.*"});
  EXPECT_NE(error_of([&] { (void)model.fit(dataset, options); }).find("'conv2.*' matches no parameter"),
            std::string::npos);
}

TEST(LibraryModel, ResumeRefusesOtherOptionsAndOtherSamples) {
  Dataset dataset = small_dataset();
  Model model = small_model();
  (void)model.fit(dataset, small_options(), {.on_step = [](const FitStep&) { return Go::kStop; }});
  Options other = small_options();
  other.set({"schedule.lr", 0.5});
  EXPECT_NE(error_of([&] {
              (void)model.resume(dataset, other);
            }).find("ConfigError: schedule.lr was '0.05' when the fit stopped and is '0.5' now"),
            std::string::npos);
  Dataset fewer = small_dataset(36);
  EXPECT_NE(error_of([&] {
              (void)model.resume(fewer, small_options());
            }).find("DataError: the fit stopped with other"),
            std::string::npos);
}

TEST(LibraryModel, AnErrorLeavesTheModelAsItWas) {
  Dataset dataset = small_dataset();
  Model model(test::kSmallShape, "dense 3", Loss::kQuadratic);
  EXPECT_TRUE(model.fit(dataset, small_options(1)));
  const std::vector<float> before = values_of(model);
  Options wild = small_options(5);
  wild.set({"schedule.lr", 1e20});
  EXPECT_NE(error_of([&] { (void)model.fit(dataset, wild); }).find("Error: training diverged"),
            std::string::npos);
  EXPECT_EQ(values_of(model), before);
  EXPECT_THROW((void)model.fit(dataset, small_options(1),
                               {.on_epoch = [](const FitEpoch&) -> Go { throw std::runtime_error("mine"); }}),
               std::runtime_error);
  EXPECT_EQ(values_of(model), before);
  EXPECT_TRUE(model.fit(dataset, small_options(1)));
}

TEST(LibraryModel, SamplesThatDoNotFitAreRefusedWithTheCause) {
  Model model = small_model();
  Dataset empty(test::small_format());
  Dataset shape({.image = {1, 3, 4}, .is_bytes = true, .classes = 3});
  shape.add(std::vector<std::int64_t>{0}, std::vector<std::uint8_t>(12), std::vector<std::int64_t>{0});
  Dataset classes({.image = test::kSmallShape, .is_bytes = true, .classes = 4});
  classes.add(std::vector<std::int64_t>{0}, std::vector<std::uint8_t>(24), std::vector<std::int64_t>{0});
  Dataset targets({.image = test::kSmallShape, .targets = 3});
  targets.add(std::vector<std::int64_t>{0}, std::vector<float>(24), std::vector<float>(3));
  const std::pair<std::string, std::string> cases[] = {
      {error_of([&] { (void)model.fit(empty, small_options()); }), "DataError: the data set has no samples"},
      {error_of([&] { (void)model.fit(shape, small_options()); }),
       "images are 1x3x4, the network takes 2x3x4"},
      {error_of([&] { (void)model.evaluate(classes); }), "they have 4 classes, the network 3 outputs"},
      {error_of([&] { (void)model.fit(targets, small_options()); }), "they have targets, and the loss"},
      {error_of([&] { (void)Model::load("/nowhere.h5"); }),
       "ConfigError: there is no checkpoint /nowhere.h5"},
      {error_of([] {
         (void)Model({1, 4, 4}, "conv 2 9x9\ndense 2", Loss::kQuadratic);
       }),
       "the model: layer 'conv"}};
  for (const auto& [message, fragment] : cases)
    EXPECT_NE(message.find(fragment), std::string::npos) << "want: " << fragment << "\ngot:  " << message;
}

TEST(LibraryModel, PredictionsOfAnImageDependOnItAlone) {
  Dataset dataset = small_dataset();
  Model model = small_model();
  EXPECT_TRUE(model.fit(dataset, small_options()));
  const std::vector<std::uint8_t> images = test::small_images(0, 37);
  const std::vector<float> outputs = model.predict(images);
  ASSERT_EQ(outputs.size(), 37U * 3);
  EXPECT_EQ(model.predict(images, 3), outputs);
  EXPECT_EQ(model.predict(std::vector<double>(images.begin(), images.end())), outputs);
  EXPECT_EQ(model.predict(std::vector<float>(images.begin(), images.end())), outputs);
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < 37; ++i) {
    const std::vector<float> alone = model.predict(test::small_images(i, 1));
    const std::span<const float> among = std::span(outputs).subspan(static_cast<std::size_t>(i) * 3, 3);
    EXPECT_TRUE(std::ranges::equal(alone, among)) << i;
    correct += predict::answer_of(among) == i % 3 ? 1 : 0;
  }
  EXPECT_EQ(model.evaluate(dataset).correct, correct);
  EXPECT_TRUE(model.predict(std::vector<float>()).empty());
}

TEST(LibraryModel, PredictRefusesWhatIsNoImage) {
  const Model model = small_model();
  std::vector<float> image(24);
  image[5] = std::numeric_limits<float>::infinity();
  EXPECT_NE(error_of([&] { (void)model.predict(image); }).find("DataError: number 5 of image 0 is inf"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              (void)model.predict(std::vector<float>(25));
            }).find("ConfigError: 25 numbers are not whole images of 2x3x4 (24 each)"),
            std::string::npos);
  EXPECT_NE(error_of([&] { (void)model.predict(std::vector<std::int32_t>(24)); }).find("ConfigError"),
            std::string::npos);
  EXPECT_NE(error_of([&] { (void)model.predict(std::vector<float>(24), 0); }).find("0 threads"),
            std::string::npos);
}

// Where OpenMP does not nest, such a region has one thread; the second call reuses what the first one made.
TEST(LibraryModel, PredictWithFewerThreadsThanAskedForIsAnError) {
  const Model model = small_model();
  const std::vector<std::uint8_t> images = test::small_images(0, 37);
  (void)model.predict(images, 2);
  std::string found;
#pragma omp parallel num_threads(2)
  {
#pragma omp single
    found = error_of([&] { (void)model.predict(images, 2); });
  }
  EXPECT_NE(found.find("OpenMP gives 1 threads instead of 2"), std::string::npos) << found;
}

TEST(LibraryModel, TestSamplesOfAnotherTypeAreRefused) {
  Dataset dataset = small_dataset();
  Dataset floats({.image = test::kSmallShape, .classes = 3});
  floats.add(std::vector<std::int64_t>{0}, std::vector<float>(24), std::vector<std::int64_t>{0});
  Model model = small_model();
  EXPECT_NE(error_of([&] {
              (void)model.fit(dataset, small_options(), {.test = &floats});
            }).find("uint8 in one set and float numbers in the other"),
            std::string::npos);
}

TEST(LibraryModel, ACallbackMayAddSamplesToTheSetThatIsTrained) {
  Dataset dataset = small_dataset(30);
  Model model = small_model();
  Model other = small_model();
  EXPECT_TRUE(model.fit(dataset, small_options(), {.on_step = [&](const FitStep& step) {
                          if (step.step == 2) test::add_small(dataset, 30, 7);
                          (void)other.evaluate(dataset);
                          return Go::kOn;
                        }}));
  Dataset first = small_dataset(30);
  EXPECT_TRUE(other.fit(first, small_options()));
  EXPECT_EQ(values_of(model), values_of(other));
}

TEST(LibraryModel, ServesSeveralThreadsAtOnce) {
  const Model model = small_model();
  const std::vector<std::uint8_t> images = test::small_images(0, 37);
  const std::vector<float> expected = model.predict(images);
  std::vector<std::vector<float>> found(8);
  std::vector<std::thread> threads;
  for (std::vector<float>& own : found)
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) own = model.predict(images);
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& own : found) EXPECT_EQ(own, expected);
}

/// On this thread and those of a parallel region.
bool keeps_subnormals(int threads) {
  bool keeps = true;
#pragma omp parallel num_threads(threads) reduction(&& : keeps)
  {
    volatile float small = std::numeric_limits<float>::min();
    small = small / 2;
    keeps = small != 0;
  }
  return keeps;
}

// A program's own arithmetic is not changed: its mode, here on this thread and those of its OpenMP regions.
TEST(LibraryModel, LeavesTheFloatingPointModeOfTheProgram) {
  ASSERT_TRUE(keeps_subnormals(2));
  std::fesetround(FE_UPWARD);  // which must not reach the results
  Dataset dataset = small_dataset();
  Model model = small_model();
  Options options = small_options();
  options.set({"run.threads", 2});
  EXPECT_TRUE(model.fit(dataset, options));
  const std::vector<float> outputs = model.predict(test::small_images(0, 37), 2);
  (void)model.evaluate(dataset, 2);
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT_TRUE(keeps_subnormals(2));
  Model other = small_model();
  EXPECT_TRUE(other.fit(dataset, options));
  EXPECT_EQ(values_of(other), values_of(model));
  EXPECT_EQ(other.predict(test::small_images(0, 37), 2), outputs);
}

// Threads that the library's own regions create later serve the program's regions.
TEST(LibraryModel, ItsThreadsServeTheProgramInTheProgramsMode) {
  const auto after = [](const auto& use) {  // in a thread of its own: OpenMP gives it new threads
    bool keeps = false;
    std::thread([&] {
      omp_set_num_threads(3);
      use();
      keeps = keeps_subnormals(4);
    }).join();
    return keeps;
  };
  EXPECT_TRUE(after([] { small_dataset().join(); }));
  const Model model = small_model();
  const std::vector<float> outputs = model.predict(test::small_images(0, 37));
  EXPECT_TRUE(after([&] {
    for (const int threads : {3, 2, 3})  // the second creates a thread again
      EXPECT_EQ(model.predict(test::small_images(0, 37), threads), outputs);
  }));
}

// The address sanitizer reports what is not freed.
TEST(LibraryModel, AThousandRoundsLeaveNothingBehind) {
  for (int round = 0; round < 1000; ++round) {
    Dataset dataset({.image = {1, 2, 2}, .targets = 1});
    dataset.add(std::vector<std::int64_t>{0, 1}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8},
                std::vector<float>{1, 2});
    Model model({1, 2, 2}, "dense 1", Loss::kQuadratic);
    ASSERT_TRUE(model.fit(dataset, {{"train.epochs", 1}, {"schedule.lr", 0.001}, {"run.threads", 1}}));
    ASSERT_EQ(model.predict(std::vector<float>(4)).size(), 1U);
  }
}

TEST(LibraryModel, ALayerMadeElsewhereKeepsItsName) {
  NetworkBuilder builder({1, 2, 2});
  nn::LayerLine line({.text = "dense 3", .origin = "test"});
  builder.add(nn::Registry::standard().make(line, builder.shape()), "mine");
  EXPECT_EQ(Model(builder.build(Loss::kQuadratic)).network().lines().front(), "dense 3 name=mine1");
}

TEST(LibraryModel, SavingWhereNothingCanBeWrittenIsAnError) {
  EXPECT_NE(error_of([] { small_model().save("/nowhere/model.h5"); }).find("Error: "), std::string::npos);
}

}  // namespace
}  // namespace convoy
