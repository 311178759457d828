// The keys of [optimizer] and of [optimizer.group.NAME].

#include <fmt/core.h>

#include <algorithm>

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {
namespace {

bool below_one(double x) {
  return x >= 0 && x < 1;
}
bool usable_from_zero(double x) {
  return x >= 0 && x <= 1e30;
}
constexpr const char* kBelowOne = "a number from 0 to below 1";
constexpr const char* kFromZero = "a number from 0 to 1e30";
constexpr const char* kAboveZero = "a number above 0, at most 1e30";

std::vector<Key> clipping_and_lookahead_keys() {
  return {
      number_key(
          "optimizer.clip-norm", [](auto& o) -> auto& { return o.optimizer.clip_norm; }, usable_from_zero,
          kFromZero,
          "greatest norm of the gradient of all trained parameters together, as PyTorch's clip_grad_norm_; "
          "0: "
          "no limit; default 0, lamb 1"),
      number_key(
          "optimizer.clip-value", [](auto& o) -> auto& { return o.optimizer.clip_value; }, usable_from_zero,
          kFromZero,
          "greatest absolute value of each element of the gradient, after clip-norm, as PyTorch's "
          "clip_grad_value_; 0: no limit"),
      integer_key(
          "optimizer.lookahead-steps", [](auto& o) -> auto& { return o.optimizer.lookahead_steps; },
          {.least = 0, .most = 1'000'000},
          "after every so many steps, slow weights follow the trained ones, which then begin there; 0: "
          "never"),
      number_key(
          "optimizer.lookahead-alpha", [](auto& o) -> auto& { return o.optimizer.lookahead_alpha; },
          [](double x) { return x > 0 && x <= 1; }, "a number above 0, at most 1",
          "the part of the way that the slow weights go"),
      choice_key(
          "optimizer.lookahead-schedule", [](auto& o) -> auto& { return o.optimizer.lookahead_schedule; },
          optim::lookahead_schedule_names(),
          "cubic: the part of the way falls from 1 at the start to lookahead-alpha at the end of all epochs, "
          "by "
          "the cube of the steps done, and the run ends with the slow weights"),
  };
}

template <class Groups>
auto find_group(Groups& groups, const std::string& name) {
  return std::ranges::find(groups, name, &optim::ParameterGroup::name);
}

/// The group, to write a key of it: a new one if there is none of this name.
optim::ParameterGroup& group_of(Options& options, const std::string& name) {
  const auto found = find_group(options.parameter_groups, name);
  if (found != options.parameter_groups.end()) return *found;
  return options.parameter_groups.emplace_back(optim::ParameterGroup{.name = name});
}

/// The group, to read a key of it: one with the default values if there is none.
const optim::ParameterGroup& group_of(const Options& options, const std::string& name) {
  static const optim::ParameterGroup preset;
  const auto found = find_group(options.parameter_groups, name);
  return found != options.parameter_groups.end() ? *found : preset;
}

Key match_key(const std::string& key, const std::string& group) {
  return {.name = key,
          .value_name = "PATTERNS",
          .allowed = "a list of patterns of layer.parameter, such as 'batchnorm*.bias, conv1.*'",
          .help =
              "the parameters of the group; * stands for any characters. A parameter is in the last group "
              "that matches it",
          .read =
              [=](Options& options, const std::string& value, const std::string&) {
                std::string words = value;
                std::ranges::replace(words, ',', ' ');
                std::vector<std::string> patterns = split_words(words);
                if (patterns.empty()) return false;
                group_of(options, group).match = std::move(patterns);
                return true;
              },
          .write =
              [=](const Options& options) {
                const std::vector<std::string>& match = group_of(options, group).match;
                return match.empty() ? std::vector<std::string>{} : std::vector{join(match, ", ")};
              }};
}

}  // namespace

std::vector<Key> optimizer_keys() {
  std::vector<Key> all{
      choice_key(
          "optimizer.name", [](auto& o) -> auto& { return o.optimizer.kind; }, optim::optimizer_names(),
          "sgd, adam, adamw and rmsprop as PyTorch's, lars as in MLPerf's ResNet-50, lamb as NVIDIA's "
          "FusedLAMB"),
      number_key(
          "optimizer.momentum", [](auto& o) -> auto& { return o.optimizer.momentum; }, below_one, kBelowOne,
          "sgd, rmsprop, lars: momentum"),
      yes_no_key(
          "optimizer.nesterov", [](auto& o) -> auto& { return o.optimizer.nesterov; },
          "sgd: Nesterov's momentum; needs momentum above 0"),
      number_key(
          "optimizer.weight-decay", [](auto& o) -> auto& { return o.optimizer.weight_decay; },
          usable_from_zero, kFromZero,
          "L2 penalty, on the weights of conv and dense alone unless a group says; adamw and lamb: "
          "decoupled"),
      number_key(
          "optimizer.beta1", [](auto& o) -> auto& { return o.optimizer.beta1; }, below_one, kBelowOne,
          "adam, adamw, lamb: part of the mean gradient that a step keeps"),
      number_key(
          "optimizer.beta2", [](auto& o) -> auto& { return o.optimizer.beta2; }, below_one, kBelowOne,
          "adam, adamw, lamb: part of the mean square that a step keeps"),
      number_key(
          "optimizer.epsilon", [](auto& o) -> auto& { return o.optimizer.epsilon; },
          [](double x) { return x == 0 || (x >= 1e-30 && x <= 1e30); }, "0, or a number from 1e-30 to 1e30",
          "all but sgd: added to what the step is divided by; default 1e-8, lamb 1e-6, lars 0"),
      number_key(
          "optimizer.alpha", [](auto& o) -> auto& { return o.optimizer.alpha; }, below_one, kBelowOne,
          "rmsprop: part of the mean square that a step keeps"),
      yes_no_key(
          "optimizer.centered", [](auto& o) -> auto& { return o.optimizer.centered; },
          "rmsprop: divide by the deviation from the mean gradient"),
      number_key(
          "optimizer.trust-coefficient", [](auto& o) -> auto& { return o.optimizer.trust_coefficient; },
          usable_rate, kAboveZero, "lars: what the ratio of norms is multiplied by"),
  };
  std::ranges::move(clipping_and_lookahead_keys(), std::back_inserter(all));
  return all;
}

std::vector<Key> group_keys(const std::string& group) {
  const std::string section = std::string(kGroupPrefix) + group + '.';
  return {
      match_key(section + "match", group),
      number_key(
          section + "lr-factor", [group](auto& o) -> auto& { return group_of(o, group).rate_factor; },
          usable_rate, kAboveZero, "what schedule.lr is multiplied by"),
      number_key(
          section + "weight-decay-factor",
          [group](auto& o) -> auto& { return group_of(o, group).decay_factor; }, usable_from_zero, kFromZero,
          "what optimizer.weight-decay is multiplied by; default 1 for weights of conv and dense, else 0"),
      yes_no_key(
          section + "freeze", [group](auto& o) -> auto& { return group_of(o, group).is_frozen; },
          "yes: these parameters are not trained"),
      number_key(
          section + "freeze-after-epochs",
          [group](auto& o) -> auto& { return group_of(o, group).freeze_after_epochs; }, not_negative,
          "a number of 0 or more",
          "epochs, also a fraction, after which these parameters are trained no more"),
  };
}

}  // namespace convoy::config
