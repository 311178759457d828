#include "helpers.hpp"

namespace convoy::config {
namespace {

/// Compares everything that an INI text holds; not origins.
void expect_equal(const Options& a, const Options& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) EXPECT_EQ(a.layers[i].text, b.layers[i].text);
  EXPECT_EQ(a.data.file, b.data.file);
  EXPECT_EQ(a.data.normalize, b.data.normalize);
  EXPECT_EQ(a.data.shuffle, b.data.shuffle);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.optimizer.momentum, b.optimizer.momentum);
  EXPECT_EQ(a.optimizer.nesterov, b.optimizer.nesterov);
  EXPECT_EQ(a.optimizer.weight_decay, b.optimizer.weight_decay);
  EXPECT_EQ(a.schedule.kind, b.schedule.kind);
  EXPECT_EQ(a.schedule.lr, b.schedule.lr);
  EXPECT_EQ(a.schedule.warmup_epochs, b.schedule.warmup_epochs);
  EXPECT_EQ(a.schedule.step_epochs, b.schedule.step_epochs);
  EXPECT_EQ(a.schedule.step_factor, b.schedule.step_factor);
  EXPECT_EQ(a.schedule.final_lr, b.schedule.final_lr);
  EXPECT_EQ(a.epochs, b.epochs);
  EXPECT_EQ(a.batch, b.batch);
  EXPECT_EQ(a.micro_batch, b.micro_batch);
  EXPECT_EQ(a.max_steps, b.max_steps);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.dir, b.dir);
  EXPECT_EQ(a.threads, b.threads);
  EXPECT_EQ(a.log_every, b.log_every);
  EXPECT_EQ(a.max_seconds, b.max_seconds);
  EXPECT_EQ(a.checkpoint_every_epochs, b.checkpoint_every_epochs);
  EXPECT_EQ(a.checkpoint_every_steps, b.checkpoint_every_steps);
  EXPECT_EQ(a.checkpoint_at_start, b.checkpoint_at_start);
  EXPECT_EQ(a.keep, b.keep);
}

TEST(EffectiveIni, ReadsBackToTheSameOptions) {
  const Options options = least_and(
      "[data]\nfile = a b.h5\nnormalize = none\nshuffle = no\n"
      "[network]\nlayer = residual {\nlayer = conv 8 3x3 pad=1\nlayer = }\nlayer = dense 10\nloss = "
      "softmax-cross-entropy\n[optimizer]\nmomentum = 0.30000000000000004\nnesterov = yes\nweight-decay = "
      "1e-300\n"
      "[schedule]\nname = step\nlr = 0.1\nwarmup-epochs = 0.3333333333333333\nstep-epochs = 0.1 2 "
      "1e3\nstep-factor = "
      "0.7\nfinal-lr = 1e-7\n[train]\nepochs = 3\nbatch = 24\nmicro-batch = 7\nmax-steps = "
      "9007199254740993\nseed = "
      "9223372036854775807\n[run]\nthreads = 3\nlog-every = 1\nmax-time = 1d1s\n[checkpoint]\nevery-epochs = "
      "0\n"
      "every-steps = 4\nat-start = yes\nkeep = 9\n");
  const Options again = from_texts({effective_ini(options)});
  expect_equal(options, again);
  EXPECT_EQ(effective_ini(again), effective_ini(options));
}

TEST(EffectiveIni, ReadsBackToTheSameDefaults) {
  const Options options = from_texts({kLeast});
  expect_equal(options, from_texts({effective_ini(options)}));
}

TEST(EffectiveIni, ShowsTheMicroBatchThatCounts) {
  expect_mentions(effective_ini(least_and("[train]\nbatch = 10")),
                  {"\nbatch = 10\n", "\nmicro-batch = 10\n"});
}

TEST(EffectiveIni, TurnsAValueWithANumberSignIntoAComment) {
  const std::vector<Setting> settings{{"run.dir", "runs/#7", "command line"}};
  const Options options = make_options({read_ini(kLeast, "a.ini"), settings});
  EXPECT_EQ(options.dir, "runs/#7");
  expect_mentions(effective_ini(options), {"# for --run.dir", "dir = runs/#7\n"});
  for (const Setting& setting : read_ini(effective_ini(options), "a.ini")) EXPECT_NE(setting.key, "run.dir");
}

}  // namespace
}  // namespace convoy::config
