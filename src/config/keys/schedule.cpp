// The keys of [schedule].

#include "tables.hpp"

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

}  // namespace

std::vector<Key> schedule_keys() {
  return {
      choice_key(
          "schedule.name", [](auto& o) -> auto& { return o.schedule.kind; }, optim::schedule_names(),
          "how the learning rate changes after the warm-up"),
      required(number_key(
          "schedule.lr", [](auto& o) -> auto& { return o.schedule.lr; }, usable_rate,
          "a number above 0, at most 1e30", "learning rate")),
      number_key(
          "schedule.warmup-epochs", [](auto& o) -> auto& { return o.schedule.warmup_epochs; }, not_negative,
          "a number of 0 or more", "epochs, also a fraction, over which the rate rises to lr"),
      step_epochs_key(),
      number_key(
          "schedule.step-factor", [](auto& o) -> auto& { return o.schedule.step_factor; }, usable_rate,
          "a number above 0, at most 1e30", "step: what the rate is multiplied by"),
      number_key(
          "schedule.final-lr", [](auto& o) -> auto& { return o.schedule.final_lr; },
          [](double x) { return x >= 0 && x <= 1e30; }, "a number from 0 to 1e30",
          "cosine and linear: the rate they end at"),
  };
}

}  // namespace convoy::config
