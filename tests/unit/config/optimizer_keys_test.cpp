// Optimizers, and groups of parameters whose names are the user's.

#include "convoy/config/keys.hpp"
#include "helpers.hpp"

namespace convoy::config {
namespace {

constexpr const char* kGroups =
    "[optimizer]\nname = adamw\nweight-decay = 0.01\nclip-norm = 2\nlookahead-steps = 5\nlookahead-schedule "
    "= "
    "cubic\n"
    "[optimizer.group.norms]\nmatch = batchnorm*.bias,  conv1.*\nlr-factor = 64\nweight-decay-factor = 0\n"
    "[optimizer.group.b_2-x]\nmatch = dense1.*\nfreeze-after-epochs = 2.5\n"
    "[schedule]\nname = cosine\n"
    "[optimizer.group.norms]\nfreeze = yes\n";

TEST(Groups, KeepTheirOrderAndSettings) {
  const Options options = least_and(kGroups);
  ASSERT_EQ(options.parameter_groups.size(), 2U);
  const optim::ParameterGroup& norms = options.parameter_groups[0];
  EXPECT_EQ(norms.name, "norms");
  EXPECT_EQ(norms.match, (std::vector<std::string>{"batchnorm*.bias", "conv1.*"}));
  EXPECT_EQ(norms.rate_factor, 64);
  EXPECT_EQ(norms.decay_factor, 0);
  EXPECT_TRUE(norms.is_frozen);
  EXPECT_FALSE(norms.freeze_after_epochs);
  const optim::ParameterGroup& other = options.parameter_groups[1];
  EXPECT_EQ(other.name, "b_2-x");
  EXPECT_EQ(other.rate_factor, 1);
  EXPECT_FALSE(other.decay_factor);
  EXPECT_EQ(other.freeze_after_epochs, 2.5);
}

TEST(Groups, AreInTheEffectiveIniAndReadBack) {
  const Options options = least_and(kGroups);
  const std::string text = effective_ini(options);
  expect_mentions(text, {"\n\n[optimizer.group.norms]\nmatch = batchnorm*.bias, conv1.*\nlr-factor = 64\n",
                         "\n\n[optimizer.group.b_2-x]\nmatch = dense1.*\nlr-factor = 1\nfreeze = no\n"
                         "freeze-after-epochs = 2.5\n\n[schedule]\n",
                         "\nclip-norm = 2\n"});
  EXPECT_EQ(text.find("NAME"), std::string::npos);
  EXPECT_EQ(effective_ini(from_texts({text})), text);
  EXPECT_EQ(effective_ini(least_and("")).find("group"), std::string::npos);
}

TEST(Groups, OfTheCommandLineFollowThoseOfFiles) {
  const std::vector<Setting> settings{{"optimizer.group.late.match", "*.bias", "command line"},
                                      {"optimizer.group.norms.lr-factor", "8", "command line"}};
  const Options options = make_options({read_ini(kLeast, "a.ini"), read_ini(kGroups, "b.ini"), settings});
  ASSERT_EQ(options.parameter_groups.size(), 3U);
  EXPECT_EQ(options.parameter_groups[0].rate_factor, 8);
  EXPECT_EQ(options.parameter_groups[2].name, "late");
}

TEST(Groups, DifferencesAreThoseOfBits) {
  const std::string text = effective_ini(least_and(kGroups));
  const auto keys_of_differences = [&](const std::string& first, const std::string& second) {
    std::vector<std::string> found;
    for (const Difference& each : differences(text, "c.h5", from_texts({kLeast, first, second}))) {
      EXPECT_EQ(each.effect, Effect::kBits);
      found.push_back(each.key);
    }
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys_of_differences(kGroups, ""), Keys{});
  EXPECT_EQ(
      keys_of_differences(kGroups, "[optimizer.group.norms]\nlr-factor = 32\n[optimizer]\nclip-value = 1"),
      (Keys{"optimizer.clip-value", "optimizer.group.norms.lr-factor"}));
  EXPECT_EQ(keys_of_differences("[optimizer.group.b_2-x]\nlr-factor = 1\n", kGroups),
            Keys{"the order of optimizer.group"});
  EXPECT_EQ(keys_of_differences(kGroups, "[optimizer.group.c]\nmatch = *\n"),
            (Keys{"the order of optimizer.group", "optimizer.group.c.match"}));
  EXPECT_EQ(differences("", "c.h5", least_and(kGroups)).back().key, "run.dir");
}

TEST(Groups, AreFoundByAnyNameOfLettersDigitsAndDashes) {
  EXPECT_EQ(find_key("optimizer.group.a.match")->name, "optimizer.group.a.match");
  EXPECT_EQ(find_key("optimizer.group.NAME.freeze")->short_name(), "freeze");
  EXPECT_EQ(find_key("optimizer.group.a.freeze")->section(), "optimizer.group.a");
  for (const char* name : {"optimizer.group.a.b.match", "optimizer.group..match", "optimizer.group.match",
                           "optimizer.group.ü.match", "optimizer.group.a.momentum", "optimizer.group"})
    EXPECT_FALSE(find_key(name)) << name;
}

TEST(Optimizers, KeepTheirOwnDefaults) {
  const Options options = least_and("[optimizer]\nname = lamb\n");
  EXPECT_FALSE(options.optimizer.epsilon);
  EXPECT_FALSE(options.optimizer.clip_norm);
  EXPECT_EQ(least_and("[optimizer]\nname = lars\nepsilon = 0\nclip-norm = 0").optimizer.epsilon, 0);
}

// So that a later file or the command line can choose another optimizer than an earlier file.
TEST(Optimizers, AcceptDefaultValuesOfKeysThatTheyDoNotRead) {
  const Options options = from_texts({kLeast, "[optimizer]\nmomentum = 0.9\nnesterov = yes\n",
                                      "[optimizer]\nname = adam\nmomentum = 0\nnesterov = no\n"});
  EXPECT_EQ(options.optimizer.kind, optim::OptimizerKind::kAdam);
}

struct WrongOptimizer {
  const char* text;
  std::vector<std::string> mentions;
};

TEST(Optimizers, WrongSettingsAreRefusedWithKeyValueOriginAndRemedy) {
  const std::vector<WrongOptimizer> all{
      {"[optimizer]\nbeta1 = 0.8", {"b.ini:2", "optimizer.beta1 = '0.8'", "sgd", "adam, adamw, lamb"}},
      {"[optimizer]\nname = adam\nmomentum = 0.9", {"b.ini:3", "optimizer.momentum", "sgd, rmsprop, lars"}},
      {"[optimizer]\nname = adam\nnesterov = yes", {"optimizer.nesterov", "not read", "by sgd"}},
      {"[optimizer]\nepsilon = 1e-5", {"optimizer.epsilon", "adam, adamw, rmsprop, lars, lamb"}},
      {"[optimizer]\nname = adam\nepsilon = 0", {"b.ini:3", "optimizer.epsilon", "divides by 0"}},
      {"[optimizer]\nname = adam\nbeta2 = 1", {"optimizer.beta2", "below 1"}},
      {"[optimizer]\nname = lars\ntrust-coefficient = 0", {"optimizer.trust-coefficient", "above 0"}},
      {"[optimizer]\nclip-norm = -1", {"optimizer.clip-norm", "from 0"}},
      {"[optimizer]\nlookahead-alpha = 0.2",
       {"optimizer.lookahead-alpha", "needs optimizer.lookahead-steps"}},
      {"[optimizer]\nlookahead-steps = 5\nlookahead-alpha = 0", {"optimizer.lookahead-alpha", "above 0"}},
      {"[optimizer.group.a]\nlr-factor = 2", {"missing optimizer.group.a.match", "*.bias"}},
      {"[optimizer.group.a]\nmatch = ,", {"b.ini:2", "optimizer.group.a.match", "patterns"}},
      {"[optimizer.group.a]\nmatch = *\nlr-factor = 0", {"optimizer.group.a.lr-factor", "above 0"}},
      {"[optimizer.group.a]\nmatch = *\nlr_factor = 2",
       {"b.ini:3", "unknown key", "did you mean", "lr-factor"}},
      {"[optimizer.group.a]\nmatch = *\nfreeze = yes\nfreeze-after-epochs = 1",
       {"b.ini:4", "freeze-after-epochs", "contradicts optimizer.group.a.freeze"}},
      {"[optimizer.group.a b]\nmatch = *", {"b.ini:1", "unknown section", "optimizer.group.NAME"}},
      {"[optimizer.group.]\nmatch = *", {"b.ini:1", "unknown section"}},
  };
  for (const WrongOptimizer& each : all)
    expect_mentions(config_error([&] { (void)least_and(each.text); }), each.mentions);
}

}  // namespace
}  // namespace convoy::config
