// Instruction sets: their names, what this machine has, and the tables that go with them.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "conv_plan.hpp"
#include "convoy/core/error.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/kernels/kernels.hpp"
#include "lanes/tables.hpp"

namespace convoy::kernels {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"portable", "avx2", "avx512", "avx512bf16"};

std::string names_of(const std::vector<Isa>& isas) {
  std::string names;
  for (const Isa isa : isas) {
    if (!names.empty()) names += ", ";
    names += to_string(isa);
  }
  return names;
}

}  // namespace

std::string_view to_string(Isa isa) {
  return kNames[static_cast<std::size_t>(isa)];
}

Isa parse_isa(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    throw ConfigError("unknown instruction set '" + std::string(name) + "' (known are " +
                      names_of({Isa::kPortable, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) + ")");
  }
  return static_cast<Isa>(found - kNames.begin());
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> isas = {Isa::kPortable};
#if CONVOY_X86_KERNELS
  // These tests ask the operating system too: it must save the wide registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return isas;
  isas.push_back(Isa::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    isas.push_back(Isa::kAvx512);
    if (__builtin_cpu_supports("avx512bf16")) isas.push_back(Isa::kAvx512Bf16);
  }
#endif
  return isas;
}

Isa choose_isa() {
  const std::vector<Isa> supported = supported_isas();
  const char* wish = std::getenv("CONVOY_ISA");
  if (wish == nullptr || *wish == '\0') return supported.back();
  Isa isa{};
  try {
    isa = parse_isa(wish);
  } catch (const ConfigError& error) {
    throw ConfigError("CONVOY_ISA: " + std::string(error.what()) + "; this machine runs " +
                      names_of(supported));
  }
  if (std::find(supported.begin(), supported.end(), isa) == supported.end()) {
    throw ConfigError("CONVOY_ISA asks for '" + std::string(wish) + "' (this machine lacks it); it runs " +
                      names_of(supported));
  }
  return isa;
}

const KernelTable<float>& float_kernels(Isa isa) {
  switch (isa) {
#if CONVOY_X86_KERNELS
    case Isa::kAvx2:
      return avx2::float_table();
    case Isa::kAvx512:
      return avx512::float_table();
    case Isa::kAvx512Bf16:
      return avx512bf16::float_table();
#endif
    default:
      return portable::float_table();
  }
}

const KernelTable<double>& double_kernels() {
  return portable::double_table();
}

ConvAlgorithms conv2d_algorithms(const Conv2dShape& shape) {
  const auto choose = [&](bool uses_winograd, bool uses_product = false) {
    return uses_winograd  ? ConvAlgorithm::kMinimalFiltering
           : uses_product ? ConvAlgorithm::kMatrixProduct
                          : ConvAlgorithm::kDirect;
  };
  return {choose(forward_uses_winograd(shape)), choose(backward_data_uses_winograd(shape)),
          choose(backward_weights_uses_winograd(shape), backward_weights_uses_channels(shape))};
}

std::int64_t conv2d_multiplications(const Conv2dShape& s) {
  return s.ic * s.oc * seen_taps(s);
}

std::int64_t conv2d_scratch_size(const Conv2dShape& shape, int threads) {
  std::int64_t most = 0;
  const auto need = [&](std::int64_t size) { most = std::max(most, size); };
  const auto need_of_threads = [&](std::int64_t shared, const auto& plan) {
    for (int team = 1; team <= threads; ++team) need(shared + team * plan(team).scratch_size());
  };
  // A short micro-batch may be computed otherwise than a full one.
  for (std::int64_t blocks = 1; blocks <= shape.blocks; ++blocks) {
    Conv2dShape s = shape;
    s.blocks = blocks;
    const bool is_paired = s.precision == Precision::kBfloat16;
    const std::int64_t src = s.blocks * s.ic * s.ih * s.iw * kLanes;
    const std::int64_t dst = s.blocks * s.oc * s.oh * s.ow * kLanes;
    const std::int64_t taps = s.kh * s.kw;
    if (forward_uses_winograd(s)) {
      need_of_threads(0, [&](int team) { return plan_forward(s, team); });
    } else {
      const std::int64_t pairs =
          paired_size(s.blocks, s.ic, s.ih * s.iw * kLanes) + paired_size(s.oc, s.ic, taps);
      const std::int64_t packed = packed_size(s, is_paired ? (s.ic + 1) / 2 : s.ic);
      need((is_paired ? pairs : 0) + (forward_packs(s) ? threads * packed : 0));
    }
    if (backward_data_uses_winograd(s)) {
      need_of_threads(0, [&](int team) { return plan_backward_data(s, team); });
    } else {
      const std::int64_t pairs =
          paired_size(s.blocks, s.oc, s.oh * s.ow * kLanes) + paired_size(1, s.oc, s.ic * taps);
      const std::int64_t packed = packed_size(s, is_paired ? (s.oc + 1) / 2 : s.oc);
      need((is_paired ? pairs : 0) + (backward_data_packs(s) ? threads * packed : 0));
    }
    if (backward_weights_uses_winograd(s)) {
      need_of_threads(channel_lanes_size(s), [&](int team) { return plan_backward_weights(s, team); });
    } else if (backward_weights_uses_channels(s)) {
      need(channel_lanes_size(s) + paired_dst_size(s) + threads * plan_channel_weights(s).sums_size);
    } else {
      need((is_paired ? src + dst : 0) + (is_padded(s) ? padded_size(s) : 0));
    }
  }
  return most;
}

}  // namespace convoy::kernels
