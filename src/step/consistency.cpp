#include "convoy/step/consistency.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include "convoy/comm/agreement.hpp"

namespace convoy::step {

kernels::Isa agreed_isa(const comm::Communicator& world, kernels::Isa mine) {
  const std::vector<int> all = world.all_gather_values(std::vector{static_cast<int>(mine)});
  const bool is_same = std::ranges::all_of(
      all, [&](int other) { return kernels::same_bits(mine, static_cast<kernels::Isa>(other)); });
  return is_same ? mine : kernels::Isa::kPortable;
}

void compare_across_ranks(const comm::Communicator& world, const Hooks& hooks, std::string_view what,
                          Digest mine, std::string_view advice) {
  if (hooks.corrupt) hooks.corrupt(what, -1, world.rank(), 0, std::as_writable_bytes(std::span(&mine, 1)));
  comm::require_agreement(world, what, mine, advice);
}

Digest build_digest() {
  std::ifstream program("/proc/self/exe", std::ios::binary);
  Hasher hasher;
  std::array<char, 65536> block{};
  while (program.read(block.data(), block.size()) || program.gcount() > 0)
    hasher.update(block.data(), static_cast<std::size_t>(program.gcount()));
  return hasher.digest();
}

}  // namespace convoy::step
