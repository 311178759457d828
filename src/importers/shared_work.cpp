#include "shared_work.hpp"

#include <algorithm>
#include <exception>
#include <span>

#include "convoy/io/collective.hpp"

namespace convoy::importers {
namespace {

std::string packed(const std::vector<Trouble>& troubles) {
  comm::Packer packer;
  for (const Trouble& each : troubles) {
    packer.put(each.file);
    packer.put(each.status);
    packer.put_text(each.message);
  }
  return packer.message();
}

void append(const std::string& message, std::vector<Trouble>& troubles) {
  for (comm::Unpacker from(message); !from.is_at_end();) {
    Trouble& trouble = troubles.emplace_back();
    trouble.file = from.get<std::int64_t>();
    trouble.status = from.get<ExitStatus>();
    trouble.message = from.get_text();
  }
}

}  // namespace

std::vector<Trouble> SharedWork::agree_on(const std::vector<Trouble>& mine) const {
  const auto stop = observer_ == nullptr ? std::nullopt : observer_->stop_status();
  const auto stops = world_.all_gather_values(std::vector{stop ? static_cast<int>(*stop) : 0});
  const auto asked = std::ranges::find_if(stops, [](int status) { return status != 0; });
  if (asked != stops.end()) throw_stopped(static_cast<ExitStatus>(*asked), options_.out);

  std::vector<Trouble> all;
  for (const std::string& message : world_.all_gather_text(packed(mine))) append(message, all);
  std::ranges::sort(all, {}, &Trouble::file);
  for (const Trouble& each : all) {
    if (each.status != ExitStatus::kBadData) throw Error(each.status, each.message);
    if (options_.on_bad == OnBad::kStop)
      throw DataError(each.message + "; mend or remove it, or leave such images out with --on-bad skip");
  }
  if (observer_ != nullptr && world_.is_root())
    for (const Trouble& each : all) observer_->on_warning(each.message + "; left out");
  return all;
}

void hand_to_first(const comm::Communicator& world, const std::string& message,
                   const std::function<void(comm::Unpacker& from)>& take) {
  std::exception_ptr failure;  // thrown later: the other ranks must finish the gather first
  world.gather_in_turn(std::as_bytes(std::span(message)), [&](int, std::span<const std::byte> received) {
    try {
      for (comm::Unpacker from(received); !from.is_at_end() && !failure;) take(from);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  io::agreed_at_root(world, [&] {
    if (failure) std::rethrow_exception(failure);
  });
}

}  // namespace convoy::importers
