#include "helpers.hpp"

namespace convoy::config {
namespace {

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
  };
  for (const WrongOptimizer& each : all)
    expect_mentions(config_error([&] { (void)least_and(each.text); }), each.mentions);
}

}  // namespace
}  // namespace convoy::config
