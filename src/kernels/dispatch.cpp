// Instruction sets: names, support by this machine, and kernel tables.

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

#include "convoy/convolution/plan.hpp"
#include "convoy/core/error.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/kernels/kernels.hpp"
#include "tables.hpp"

namespace convoy::kernels {
namespace {

/// An instruction set for the dispatcher.
struct Set {
  Isa isa;
  std::string_view name;
  bool (*is_supported)();                ///< by this machine, given that it supports the sets before it
  const KernelTable<float>& (*table)();  ///< null: not compiled for this kind of machine
};

// The processor tests include the operating system, which must save the wide registers.
#define CONVOY_FEATURE(feature) &&__builtin_cpu_supports(#feature)
#define CONVOY_SET_any(enumerator, name, features) \
  Set{Isa::enumerator, #name, [] { return true; }, name::float_table},
#if CONVOY_X86_KERNELS
// The features are the rest of a condition: && … && …
// NOLINTBEGIN(bugprone-macro-parentheses)
#define CONVOY_SET_x86(enumerator, name, features) \
  Set{Isa::enumerator, #name, [] { return true features; }, name::float_table},
// NOLINTEND(bugprone-macro-parentheses)
#else
#define CONVOY_SET_x86(enumerator, name, features) Set{Isa::enumerator, #name, [] { return false; }, nullptr},
#endif
#if defined(__aarch64__)
#define CONVOY_SET_arm(enumerator, name, features) CONVOY_SET_any(enumerator, name, features)
#else
#define CONVOY_SET_arm(enumerator, name, features) Set{Isa::enumerator, #name, [] { return false; }, nullptr},
#endif
#define CONVOY_ISA_SET(machine, enumerator, name, bytes, features) \
  CONVOY_SET_##machine(enumerator, name, features)

/// Indexed by Isa.
constexpr Set kSets[] = {
#include "convoy/kernels/isa_list.inc"
};

#undef CONVOY_ISA_SET
#undef CONVOY_SET_x86
#undef CONVOY_SET_arm
#undef CONVOY_SET_any
#undef CONVOY_FEATURE

const Set& set_of(Isa isa) {
  return kSets[static_cast<std::size_t>(isa)];
}

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
  return set_of(isa).name;
}

Isa parse_isa(std::string_view name) {
  const auto* found = std::ranges::find(kSets, name, &Set::name);
  if (found == std::end(kSets)) {
    std::vector<Isa> known;
    for (const Set& set : kSets) known.push_back(set.isa);
    throw ConfigError("unknown instruction set '" + std::string(name) + "' (known are " + names_of(known) +
                      ")");
  }
  return found->isa;
}

bool same_bits(Isa a, Isa b) {
  return (a == Isa::kPortable) == (b == Isa::kPortable);
}

bool same_bits(std::string_view name, Isa b) {
  const auto* found = std::ranges::find(kSets, name, &Set::name);
  return found != std::end(kSets) && same_bits(found->isa, b);
}

std::vector<Isa> supported_isas() {
#if CONVOY_X86_KERNELS
  __builtin_cpu_init();
#endif
  std::vector<Isa> isas;
  for (const Set& set : kSets) {
    if (set.table == nullptr) continue;
    if (!set.is_supported()) break;
    isas.push_back(set.isa);
  }
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
  const Set& set = set_of(isa);
  return set.table != nullptr ? set.table() : portable::float_table();
}

const KernelTable<double>& double_kernels() {
  return portable::double_table();
}

std::int64_t conv2d_multiplications(const Conv2dShape& s) {
  constexpr std::int64_t kMost = std::int64_t{1} << 52;
  const std::int64_t down = seen_taps(vertical_axis(s));
  const std::int64_t across = seen_taps(horizontal_axis(s));
  const std::int64_t pairs = s.ic / s.groups * s.oc;
  const double products =
      static_cast<double>(pairs) * static_cast<double>(down) * static_cast<double>(across);
  return products < static_cast<double>(kMost) ? pairs * down * across : kMost;
}

}  // namespace convoy::kernels
