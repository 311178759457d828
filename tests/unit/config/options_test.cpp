#include <cstdlib>
#include <tuple>

#include "helpers.hpp"

namespace convoy::config {
namespace {

std::vector<std::string> layer_texts(const Options& options) {
  std::vector<std::string> texts;
  for (const nn::LayerText& layer : options.layers) texts.push_back(layer.text);
  return texts;
}

TEST(Configuration, HasTheDefaultsOfTheContract) {
  const Options options = from_texts({kLeast});
  EXPECT_TRUE(options.data.shuffle);
  EXPECT_EQ(options.data.normalize, data::Normalize::kDataset);
  EXPECT_EQ(options.optimizer.momentum, 0);
  EXPECT_FALSE(options.optimizer.nesterov);
  EXPECT_EQ(options.optimizer.weight_decay, 0);
  EXPECT_EQ(options.schedule.kind, optim::ScheduleKind::kConstant);
  EXPECT_EQ(options.schedule.warmup_epochs, 0);
  EXPECT_EQ(options.schedule.step_factor, 0.1);
  EXPECT_EQ(options.schedule.final_lr, 0);
  EXPECT_EQ(options.epochs, 10);
  EXPECT_EQ(options.batch, 128);
  EXPECT_EQ(options.micro_batch, 16);
  EXPECT_EQ(options.max_steps, 0);
  EXPECT_EQ(options.seed, 1U);
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.log_every, 50);
  EXPECT_EQ(options.max_seconds, 0);
  EXPECT_FALSE(options.profile);
  EXPECT_EQ(options.checkpoint_every_epochs, 1);
  EXPECT_EQ(options.checkpoint_every_steps, 0);
  EXPECT_FALSE(options.checkpoint_at_start);
  EXPECT_EQ(options.keep, 3);
}

TEST(Configuration, ReadsEveryKey) {
  const Options options = from_texts(
      {"[data]\nfile = my data.h5\nnormalize = none\nshuffle = no\naugment = none\n"
       "[network]\nlayer = conv 8 3x3\nlayer = dense 10\nloss = sigmoid-cross-entropy\n"
       "[optimizer]\nname = sgd\nmomentum = 0.9\nnesterov = yes\nweight-decay = 5e-4\n"
       "[schedule]\nname = step\nlr = 0.1\nwarmup-epochs = 0.5\nstep-epochs = 80 120.5\nstep-factor = 0.2\n"
       "final-lr = 0.01\n"
       "[train]\nepochs = 200\nbatch = 64\nmicro-batch = 8\nmax-steps = 7\nseed = 9223372036854775807\n"
       "[run]\ndir = runs/a\nthreads = 2\nlog-every = 10\nmax-time = 3h50m\nprofile = yes\n"
       "[checkpoint]\nevery-epochs = 2\nevery-steps = 100\nat-start = yes\nkeep = 5\n"});
  EXPECT_EQ(options.data.file, "my data.h5");
  EXPECT_EQ(options.data.normalize, data::Normalize::kNone);
  EXPECT_FALSE(options.data.shuffle);
  EXPECT_EQ(layer_texts(options), (std::vector<std::string>{"conv 8 3x3", "dense 10"}));
  EXPECT_EQ(options.layers[1].origin, "a.ini:8");
  EXPECT_EQ(options.loss, nn::LossKind::kSigmoidCrossEntropy);
  EXPECT_EQ(options.optimizer.momentum, 0.9);
  EXPECT_TRUE(options.optimizer.nesterov);
  EXPECT_EQ(options.optimizer.weight_decay, 5e-4);
  EXPECT_EQ(options.schedule.kind, optim::ScheduleKind::kStep);
  EXPECT_EQ(options.schedule.lr, 0.1);
  EXPECT_EQ(options.schedule.warmup_epochs, 0.5);
  EXPECT_EQ(options.schedule.step_epochs, (std::vector<double>{80, 120.5}));
  EXPECT_EQ(options.schedule.step_factor, 0.2);
  EXPECT_EQ(options.schedule.final_lr, 0.01);
  EXPECT_EQ(options.epochs, 200);
  EXPECT_EQ(options.batch, 64);
  EXPECT_EQ(options.micro_batch, 8);
  EXPECT_EQ(options.max_steps, 7);
  EXPECT_EQ(options.seed, 9223372036854775807U);
  EXPECT_EQ(options.dir, "runs/a");
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.log_every, 10);
  EXPECT_EQ(options.max_seconds, 3 * 3600 + 50 * 60);
  EXPECT_TRUE(options.profile);
  EXPECT_EQ(options.checkpoint_every_epochs, 2);
  EXPECT_EQ(options.checkpoint_every_steps, 100);
  EXPECT_TRUE(options.checkpoint_at_start);
  EXPECT_EQ(options.keep, 5);
}

TEST(Configuration, ReadsTheParametersOfSchedules) {
  const Options restarts = least_and(
      "[schedule]\nname = cosine\nlr = 1\nunit = steps\nrestart-epochs = 100\nrestart-factor = 2\n"
      "scale-lr = sqrt\nbase-batch = 64\n");
  EXPECT_EQ(restarts.schedule.unit, optim::ScheduleUnit::kSteps);
  EXPECT_EQ(restarts.schedule.restart_epochs, 100);
  EXPECT_EQ(restarts.schedule.restart_factor, 2);
  EXPECT_EQ(restarts.schedule.scaling, optim::BatchScaling::kSquareRoot);
  EXPECT_EQ(restarts.schedule.base_batch, 64);
  const Options cycle = least_and(
      "[schedule]\nname = one-cycle\npeak = 0.25\nstart-factor = 0.1\nend-factor = 0.001\nanneal = linear\n");
  EXPECT_EQ(cycle.schedule.kind, optim::ScheduleKind::kOneCycle);
  EXPECT_EQ(cycle.schedule.peak, 0.25);
  EXPECT_EQ(cycle.schedule.start_factor, 0.1);
  EXPECT_EQ(cycle.schedule.end_factor, 0.001);
  EXPECT_EQ(cycle.schedule.anneal, optim::Anneal::kLinear);
  EXPECT_EQ(least_and("[schedule]\nname = polynomial\npower = 0.5").schedule.power, 0.5);
  EXPECT_EQ(least_and("[schedule]\nname = step\nstep-every = 2.5").schedule.step_every, 2.5);
  for (const Options& each : {restarts, cycle})
    EXPECT_EQ(effective_ini(from_texts({effective_ini(each)})), effective_ini(each));
}

TEST(Configuration, ReadsTheParametersOfALoss) {
  const Options options =
      least_and("[network]\nloss = softmax-cross-entropy\nlabel-smoothing = 0.1\nclass-weights = 1 0.25 3\n");
  EXPECT_EQ(options.loss.label_smoothing, 0.1);
  EXPECT_EQ(options.loss.class_weights, (std::vector<double>{1, 0.25, 3}));
  EXPECT_FALSE(options.loss.balances_classes);
  EXPECT_EQ(least_and("[network]\nloss = huber\nhuber-delta = 0.5").loss.huber_delta, 0.5);
  const Options balanced =
      least_and("[network]\nloss = sigmoid-cross-entropy\nfocal-gamma = 2\nclass-weights = Balanced\n");
  EXPECT_EQ(balanced.loss.focal_gamma, 2);
  EXPECT_TRUE(balanced.loss.balances_classes);
  EXPECT_TRUE(balanced.loss.class_weights.empty());
  for (const Options& each : {options, balanced})
    EXPECT_EQ(from_texts({effective_ini(each)}).loss, each.loss);
}

TEST(Configuration, LaterFilesBeatEarlierOnesAndLeaveTheRest) {
  const Options options = from_texts({kLeast, "[train]\nbatch = 64\nepochs = 3", "[train]\nbatch = 32"});
  EXPECT_EQ(options.batch, 32);
  EXPECT_EQ(options.epochs, 3);
  EXPECT_EQ(options.schedule.lr, 0.5);
}

TEST(Configuration, LayersOfALaterFileReplaceTheWholeList) {
  const Options options = from_texts({kLeast, "[network]\nlayer = relu\nlayer = dense 3"});
  EXPECT_EQ(layer_texts(options), (std::vector<std::string>{"relu", "dense 3"}));
  EXPECT_EQ(options.loss, nn::LossKind::kQuadratic);
}

TEST(Configuration, KeepsTheOrderOfEqualLayers) {
  const Options options = least_and(
      "[network]\nlayer = relu\nlayer = conv 1 1x1\nlayer = relu\n[train]\nbatch = 4\n[network]\nlayer = "
      "relu");
  EXPECT_EQ(layer_texts(options), (std::vector<std::string>{"relu", "conv 1 1x1", "relu", "relu"}));
}

TEST(Configuration, PathsHaveNoQuotesAndBeginWithTheValueOfAVariable) {
  const char* home = std::getenv("HOME");
  const std::string old = home != nullptr ? home : "";
  ::setenv("HOME", "/home/ada", 1);
  ::setenv("CONVOY_TEST_SCRATCH", "/scratch", 1);
  const auto file_of = [](const std::string& value) {
    return least_and("[data]\nfile = " + value).data.file;
  };
  EXPECT_EQ(file_of("~/d.h5"), "/home/ada/d.h5");
  EXPECT_EQ(file_of("${HOME}/d.h5"), "/home/ada/d.h5");
  EXPECT_EQ(file_of("$CONVOY_TEST_SCRATCH/a/d.h5"), "/scratch/a/d.h5");
  EXPECT_EQ(file_of("$CONVOY_TEST_NOT_SET/d.h5"), "$CONVOY_TEST_NOT_SET/d.h5");
  EXPECT_EQ(file_of("\"~/d.h5\""), "/home/ada/d.h5");
  EXPECT_EQ(file_of("'a b.h5'"), "a b.h5");
  EXPECT_EQ(file_of("\"a\" \"b\""), "\"a\" \"b\"");  // no pair around all of it
  EXPECT_EQ(file_of("a$HOME/d.h5"), "a$HOME/d.h5");
  if (home != nullptr) ::setenv("HOME", old.c_str(), 1);
  ::unsetenv("CONVOY_TEST_SCRATCH");
}

TEST(Configuration, MicroBatchIsTheBatchWhereThatIsSmaller) {
  EXPECT_EQ(least_and("[train]\nbatch = 10").micro_batch, 10);
  EXPECT_EQ(least_and("[train]\nbatch = 17").micro_batch, 16);
}

struct Wrong {
  const char* name;
  const char* text;
  std::vector<std::string> mentions;
};

class WrongConfiguration : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfiguration, IsRefusedWithKeyValueOriginAndRemedy) {
  expect_mentions(config_error([&] { (void)least_and(GetParam().text); }), GetParam().mentions);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongConfiguration,
    testing::Values(
        Wrong{"UnknownKey", "[train]\nbacth = 8", {"b.ini:2", "train.bacth", "did you mean train.batch"}},
        Wrong{
            "KeyOfAnotherSection", "[run]\nbatch = 8", {"b.ini:2", "run.batch", "did you mean train.batch"}},
        Wrong{
            "NoInteger", "[train]\nbatch = many", {"b.ini:2", "train.batch", "'many'", "an integer from 1"}},
        Wrong{"IntegerWithUnit", "[train]\nbatch = 8k", {"train.batch", "'8k'", "an integer"}},
        Wrong{"FractionForInteger", "[train]\nepochs = 1.5", {"train.epochs", "'1.5'", "an integer"}},
        Wrong{"IntegerTooSmall", "[train]\nbatch = 0", {"train.batch", "'0'", "from 1"}},
        Wrong{"NegativeInteger", "[train]\nmax-steps = -1", {"train.max-steps", "'-1'", "0 or more"}},
        Wrong{"IntegerOverflow", "[train]\nseed = 9223372036854775808", {"train.seed", "below 2^63"}},
        Wrong{"TooManyThreads", "[run]\nthreads = 5000", {"run.threads", "'5000'", "4,096"}},
        Wrong{"NoNumber", "[schedule]\nlr = fast", {"schedule.lr", "'fast'", "a number above 0"}},
        Wrong{"NotANumber", "[schedule]\nlr = nan", {"schedule.lr", "'nan'"}},
        Wrong{"InfiniteNumber", "[schedule]\nlr = inf", {"schedule.lr", "'inf'"}},
        Wrong{"ZeroRate", "[schedule]\nlr = 0", {"schedule.lr", "'0'", "above 0"}},
        Wrong{"RateBeyondFloat", "[schedule]\nlr = 1e39", {"schedule.lr", "1e30"}},
        Wrong{"MomentumOfOne", "[optimizer]\nmomentum = 1", {"optimizer.momentum", "'1'", "below 1"}},
        Wrong{"NegativeDecay", "[optimizer]\nweight-decay = -1e-4", {"optimizer.weight-decay", "0 to 1e30"}},
        Wrong{"UnknownLoss", "[network]\nloss = mse", {"network.loss", "'mse'", "softmax-cross-entropy"}},
        Wrong{"UnreadHuberDelta",
              "[network]\nloss = absolute\nhuber-delta = 2",
              {"b.ini:3", "network.huber-delta", "'2'", "absolute", "huber"}},
        Wrong{"SmoothingOfTheQuadraticLoss",
              "[network]\nloss = quadratic\nlabel-smoothing = 0.1",
              {"b.ini:3", "network.label-smoothing", "'0.1'", "quadratic", "softmax-cross-entropy"}},
        Wrong{"FocalHuber",
              "[network]\nloss = huber\nfocal-gamma = 2",
              {"b.ini:3", "network.focal-gamma", "huber", "sigmoid-cross-entropy"}},
        Wrong{"FocalWithSmoothing",
              "[network]\nloss = softmax-cross-entropy\nfocal-gamma = 2\nlabel-smoothing = 0.1",
              {"b.ini:3", "network.focal-gamma", "network.label-smoothing"}},
        Wrong{"SmoothingOfOne", "[network]\nlabel-smoothing = 1", {"network.label-smoothing", "below 1"}},
        Wrong{
            "NegativeClassWeight", "[network]\nclass-weights = 1 -1", {"network.class-weights", "balanced"}},
        Wrong{
            "NoClassWeightAboveZero", "[network]\nclass-weights = 0 0", {"network.class-weights", "above 0"}},
        Wrong{"UnknownSchedule", "[schedule]\nname = cosin", {"schedule.name", "'cosin'", "cosine"}},
        Wrong{"UnknownOptimizer", "[optimizer]\nname = adagrad", {"optimizer.name", "'adagrad'", "sgd"}},
        Wrong{"UnknownNormalize", "[data]\nnormalize = yes", {"data.normalize", "'yes'", "dataset, none"}},
        Wrong{"UnknownAugmentation", "[data]\naugment = blur=4", {"data.augment", "'blur=4'", "crop=PIXELS"}},
        Wrong{"TrueForYes", "[data]\nshuffle = true", {"data.shuffle", "'true'", "yes or no"}},
        Wrong{"BadTime", "[run]\nmax-time = 3 hours", {"run.max-time", "'3 hours'", "3h50m"}},
        Wrong{"FallingStepEpochs",
              "[schedule]\nstep-epochs = 20 10",
              {"schedule.step-epochs", "'20 10'", "rising"}},
        Wrong{"CommaInStepEpochs", "[schedule]\nstep-epochs = 10,20", {"schedule.step-epochs", "blanks"}},
        Wrong{"SetTwice", "[train]\nbatch = 8\nbatch = 9", {"b.ini:3", "train.batch", "twice", "b.ini:2"}},
        Wrong{"NesterovWithoutMomentum",
              "[optimizer]\nnesterov = yes",
              {"b.ini:2", "nesterov", "momentum", "0.9"}},
        Wrong{"StepWithoutEpochs", "[schedule]\nname = step", {"b.ini:2", "schedule.name", "step-epochs"}},
        Wrong{"StepWithBoth",
              "[schedule]\nname = step\nstep-epochs = 3\nstep-every = 2",
              {"b.ini:2", "schedule.name", "step-every", "both"}},
        Wrong{"RestartOfALinearSchedule",
              "[schedule]\nname = linear\nrestart-epochs = 3",
              {"b.ini:3", "schedule.restart-epochs", "linear", "cosine"}},
        Wrong{"PowerOfACosine",
              "[schedule]\nname = cosine\npower = 3",
              {"b.ini:3", "schedule.power", "polynomial"}},
        Wrong{"PeakAboveOne", "[schedule]\npeak = 1.5", {"schedule.peak", "'1.5'", "0 to 1"}},
        Wrong{"WarmUpOfOneCycle",
              "[schedule]\nname = one-cycle\nwarmup-epochs = 1",
              {"b.ini:3", "schedule.warmup-epochs", "one-cycle", "schedule.peak"}},
        Wrong{"BaseBatchWithoutScaling", "[schedule]\nbase-batch = 64", {"schedule.base-batch", "scale-lr"}},
        Wrong{
            "PatienceOfACosine", "[schedule]\nname = cosine\npatience = 3", {"schedule.patience", "plateau"}},
        Wrong{"PlateauThatRaisesTheRate",
              "[schedule]\nname = plateau\nstep-factor = 2",
              {"b.ini:3", "schedule.step-factor", "below 1"}},
        Wrong{"PlateauBelowWhichNothingIs",
              "[schedule]\nname = plateau\nfinal-lr = 1",
              {"b.ini:3", "schedule.final-lr", "schedule.lr"}},
        Wrong{"MicroBatchAboveBatch",
              "[train]\nbatch = 8\nmicro-batch = 16",
              {"b.ini:3", "train.micro-batch", "'16'", "train.batch", "8"}}),
    [](const auto& wrong) { return std::string(wrong.param.name); });

TEST(Configuration, NamesEveryMissingKeyAtOnce) {
  expect_mentions(config_error([] { (void)from_texts({"[train]\nbatch = 8"}); }),
                  {"data.file", "network.layer", "network.loss", "schedule.lr", "run.dir", "no default"});
}

TEST(Configuration, RefusesAnUnknownKeyOfTheCommandLine) {
  const std::vector<Setting> settings{{"train.batchs", "8", "command line"}};
  expect_mentions(config_error([&] { (void)load({}, settings); }),
                  {"command line", "train.batchs", "train.batch"});
}

TEST(FromCheckpoint, NeedsNeitherRunDirNorDataFile) {
  const Options options =
      from_checkpoint("[network]\nlayer = dense 10\nloss = quadratic\n[schedule]\nlr = 1\n", "c.h5");
  EXPECT_EQ(options.layers.at(0).origin, "checkpoint c.h5:2");
}

TEST(FromCheckpoint, CallsAWrongTextABadCheckpoint) {
  try {
    (void)from_checkpoint("[network]\nlayer = dense 10\nloss = mse\n[schedule]\nlr = 1\n", "c.h5");
    FAIL() << "nothing was thrown";
  } catch (const DataError& error) {
    expect_mentions(error.what(), {"checkpoint c.h5:3", "network.loss", "mse"});
  }
}

}  // namespace
}  // namespace convoy::config
