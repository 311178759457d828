#include "convoy/predict/inference_speed.hpp"

#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "convoy/core/median.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/noise.hpp"
#include "convoy/predict/inference.hpp"

namespace convoy::predict {
namespace {

constexpr std::int64_t kBatches[] = {1, 16, 64};
constexpr int kLeastCalls = 5;

InferenceTime measure(Inference& inference, const nn::Network& network, std::int64_t batch, double seconds) {
  using Clock = std::chrono::steady_clock;
  const data::Split split = data::make_noise(network.input(), batch, 2);
  const data::InputTransform transform = data::noise_transform(network.input());
  std::vector<float> outputs(static_cast<std::size_t>(batch * network.classes()));
  const auto call = [&] {
    const auto begin = Clock::now();
    inference.answer(split, transform, outputs);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  (void)call();  // allocates
  std::vector<double> times;
  for (double total = 0; total < seconds || static_cast<int>(times.size()) < kLeastCalls;) {
    times.push_back(call());
    total += times.back();
  }
  return {.batch = batch, .seconds = median(times)};
}

}  // namespace

std::vector<InferenceTime> measure_inference(const nn::Network& network, const InferenceSetting& setting) {
  model::State state = model::make_state(network);
  network.initialise(1, state.parameters, state.statistics);
  Inference inference(std::make_shared<const FoldedNetwork>(fold_batch_normalization(network, state)),
                      setting.isa, setting.precision, setting.threads);
  std::vector<InferenceTime> times;
  for (const std::int64_t batch : kBatches)
    times.push_back(measure(inference, network, batch, setting.seconds));
  return times;
}

std::string to_text(const std::vector<InferenceTime>& times, const InferenceSetting& setting) {
  std::string text = fmt::format(
      "Inference on {}, {}: images in memory to outputs, batch normalisations folded.\n\n"
      "  batch    images/s    ms a batch\n",
      counted(setting.threads, "thread"), kernels::to_string(setting.isa));
  for (const InferenceTime& time : times)
    text +=
        fmt::format("  {:5} {:11.0f} {:13.3f}\n", time.batch, time.images_per_second(), 1e3 * time.seconds);
  return text +
         fmt::format("\nSixteen images share a vector: one alone takes {:.0f} % of the time of sixteen.\n",
                     100 * times.front().seconds / times[1].seconds);
}

std::string to_json(const std::vector<InferenceTime>& times, const InferenceSetting& setting) {
  nlohmann::ordered_json json{{"isa", kernels::to_string(setting.isa)}, {"threads", setting.threads}};
  for (const InferenceTime& time : times)
    json["batches"].push_back(
        {{"batch", time.batch}, {"seconds", time.seconds}, {"images_per_second", time.images_per_second()}});
  return json.dump(2) + '\n';
}

}  // namespace convoy::predict
