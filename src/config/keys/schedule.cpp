// The keys of [schedule].

#include "tables.hpp"

#include <iterator>

#include "key_makers.hpp"

namespace convoy::config {
namespace {

Key step_epochs_key() {
  return {.name = "schedule.step-epochs",
          .value_name = "LIST",
          .allowed = "a list of rising numbers above 0, separated by blanks",
          .help = "step: epochs after which the rate is multiplied by step-factor, e.g. '80 120'",
          .read =
              [](Options& options, const std::string& value, const std::string&) {
                std::vector<double> epochs;
                for (const std::string& word : split_words(value)) {
                  const auto epoch = parse_number(word);
                  if (!epoch || *epoch <= (epochs.empty() ? 0 : epochs.back())) return false;
                  epochs.push_back(*epoch);
                }
                options.schedule.step_epochs = std::move(epochs);
                return true;
              },
          .write =
              [](const Options& options) {
                std::vector<std::string> words;
                for (const double epoch : options.schedule.step_epochs) words.push_back(shortest(epoch));
                return words.empty() ? words : std::vector{join(words, " ")};
              }};
}

bool is_part(double x) {
  return x >= 0 && x <= 1;
}

/// When the rate changes.
std::vector<Key> time_keys() {
  return {
      choice_key(
          "schedule.unit", [](auto& o) -> auto& { return o.schedule.unit; }, {"epochs", "steps"},
          "what warmup-epochs, step-epochs, step-every and restart-epochs count"),
      number_key(
          "schedule.warmup-epochs", [](auto& o) -> auto& { return o.schedule.warmup_epochs; }, not_negative,
          "a number of 0 or more", "epochs, also a fraction, over which the rate rises to lr"),
      step_epochs_key(),
      number_key(
          "schedule.step-every", [](auto& o) -> auto& { return o.schedule.step_every; }, not_negative,
          "a number of 0 or more",
          "step, instead of step-epochs: each time so many epochs are over, the rate is multiplied by "
          "step-factor"),
      number_key(
          "schedule.restart-epochs", [](auto& o) -> auto& { return o.schedule.restart_epochs; }, not_negative,
          "a number of 0 or more",
          "cosine: epochs from the end of the warm-up to the first restart at lr; 0: no restart"),
      number_key(
          "schedule.restart-factor", [](auto& o) -> auto& { return o.schedule.restart_factor; },
          [](double x) { return x >= 1 && x <= 1e6; }, "a number from 1 to 1e6",
          "cosine with restarts: each period's length in that of the one before it"),
      number_key(
          "schedule.peak", [](auto& o) -> auto& { return o.schedule.peak; }, is_part, "a number from 0 to 1",
          "one-cycle, triangular: the part of the run after which the rate is lr"),
  };
}

/// By how much it changes.
std::vector<Key> size_keys() {
  return {
      number_key(
          "schedule.step-factor", [](auto& o) -> auto& { return o.schedule.step_factor; }, usable_rate,
          "a number above 0, at most 1e30",
          "step, plateau: what the rate is multiplied by; plateau: below 1"),
      number_key(
          "schedule.final-lr", [](auto& o) -> auto& { return o.schedule.final_lr; },
          [](double x) { return x >= 0 && x <= 1e30; }, "a number from 0 to 1e30",
          "cosine, linear and polynomial: the rate they end at; plateau: the least rate"),
      number_key(
          "schedule.power", [](auto& o) -> auto& { return o.schedule.power; },
          [](double x) { return x > 0 && x <= 100; }, "a number above 0, at most 100",
          "polynomial: the power of the part of the run that is left; 1 is linear"),
      number_key(
          "schedule.start-factor", [](auto& o) -> auto& { return o.schedule.start_factor; }, is_part,
          "a number from 0 to 1", "one-cycle, triangular: the first rate, in lr; PyTorch's 1/div_factor"),
      number_key(
          "schedule.end-factor", [](auto& o) -> auto& { return o.schedule.end_factor; }, is_part,
          "a number from 0 to 1",
          "one-cycle, triangular: the last rate, in lr; PyTorch's 1/(div_factor final_div_factor)"),
      choice_key(
          "schedule.anneal", [](auto& o) -> auto& { return o.schedule.anneal; }, {"cosine", "linear"},
          "one-cycle: the curve up and down; momentum is not cycled"),
      choice_key(
          "schedule.metric", [](auto& o) -> auto& { return o.schedule.plateau.metric; }, {"loss", "accuracy"},
          "plateau: what has to get better, of the validation split, else the test split, else in training"),
      integer_key(
          "schedule.patience", [](auto& o) -> auto& { return o.schedule.plateau.patience; }, {0, 1'000'000},
          "plateau: epochs in a row without a better metric that are waited for; after one more the rate is "
          "multiplied by step-factor"),
      number_key(
          "schedule.threshold", [](auto& o) -> auto& { return o.schedule.plateau.threshold; },
          [](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1",
          "plateau: better is a loss below best (1 - threshold), or an accuracy above best (1 + threshold)"),
      choice_key(
          "schedule.scale-lr", [](auto& o) -> auto& { return o.schedule.scaling; },
          {"none", "linear", "sqrt"},
          "multiply lr and final-lr by train.batch / base-batch, or by its root; the start says the result"),
      integer_key(
          "schedule.base-batch", [](auto& o) -> auto& { return o.schedule.base_batch; }, {1, 1'000'000},
          "with scale-lr: the batch for which lr is meant"),
  };
}

}  // namespace

std::vector<Key> schedule_keys() {
  std::vector<Key> all{
      choice_key(
          "schedule.name", [](auto& o) -> auto& { return o.schedule.kind; }, optim::schedule_names(),
          "how the learning rate changes after the warm-up"),
      required(number_key(
          "schedule.lr", [](auto& o) -> auto& { return o.schedule.lr; }, usable_rate,
          "a number above 0, at most 1e30", "learning rate; of one-cycle and triangular the largest")),
  };
  for (const auto& keys : {time_keys, size_keys}) std::ranges::move(keys(), std::back_inserter(all));
  return all;
}

}  // namespace convoy::config
