// The layer lines of [network]: three bytes choose the input, one the loss, the rest are lines. What is a
// network must be planned without an overflow.

#include <algorithm>
#include <array>

#include "convoy/nn/network.hpp"
#include "convoy/passes/operations.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  fuzz::Taker input({data, size});
  constexpr std::array<std::int64_t, 8> kExtents{1, 2, 3, 7, 16, 32, 1000, 65535};
  const Shape shape{kExtents.at(input.byte() % 8), kExtents.at(input.byte() % 8),
                    kExtents.at(input.byte() % 8)};
  const auto loss = static_cast<nn::LossKind>(input.byte() % nn::loss_names().size());
  const fuzz::Bytes rest = input.rest();
  std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  std::vector<nn::LayerText> lines;
  // A line without a word is no value, which the configuration has refused before.
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.find_first_not_of(" \t\r\v\f") != std::string_view::npos &&
        line.find('\0') == std::string_view::npos)
      lines.push_back({std::string(line), "a.ini:" + std::to_string(lines.size() + 1)});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  fuzz::expect_result_or_error("", [&] {
    const nn::Network network(shape, lines, loss, std::nullopt);
    (void)network.summary();
    for (const auto precision : {Precision::kFloat32, Precision::kBfloat16})
      (void)passes::describe_operations(network, kernels::double_kernels().planner, 16, precision);
    if (network.parameter_count() > 1 << 16) return;
    std::vector<float> parameters(static_cast<std::size_t>(network.parameter_count()));
    std::vector<float> statistics(static_cast<std::size_t>(network.statistic_count()));
    network.initialise(1, parameters, statistics);
  });
  return 0;
}
