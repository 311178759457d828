#include "convoy/comm/link.hpp"

#include <chrono>
#include <vector>

#include "convoy/core/backoff.hpp"
#include "convoy/core/median.hpp"
#include "messages.hpp"

namespace convoy::comm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTag = 1003;
constexpr int kFewestLaps = 5;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void wait_for(Exchange& exchange) {
  for (Backoff backoff; !exchange.is_complete(); backoff.wait()) {
  }
}

/// Collective. Repeats lap() until rank 0 decides that it is enough. Returns the seconds of each lap,
/// measured on rank 0.
template <class Lap>
double median_lap(const Communicator& ranks, double seconds, const Lap& lap) {
  lap();  // warm-up: the first message creates the connections
  std::vector<double> laps;
  const Clock::time_point begin = Clock::now();
  for (bool goes_on = true; goes_on;) {
    ranks.barrier();
    const Clock::time_point start = Clock::now();
    lap();
    laps.push_back(seconds_since(start));
    goes_on = ranks.broadcast_value(laps.size() < kFewestLaps || seconds_since(begin) < seconds);
  }
  return ranks.broadcast_value(median(laps));
}

/// Ping-pong, repeated until the time exceeds the clock's resolution.
double measure_latency(const Communicator& ends, double seconds) {
  constexpr int kRounds = 50;
  std::vector<std::byte> message(8);
  Exchange exchange(ends);
  const int other = 1 - ends.rank();
  const double lap = median_lap(ends, seconds, [&] {
    for (int i = 0; i < kRounds; ++i) {
      if (ends.rank() == 0) {
        exchange.send(message, other, kTag);
        wait_for(exchange);
      }
      exchange.receive(message, other, kTag);
      wait_for(exchange);
      if (ends.rank() == 1) {
        exchange.send(message, other, kTag);
        wait_for(exchange);
      }
    }
  });
  return lap / (2 * kRounds);
}

/// Both ranks send at the same time.
double measure_gap(const Communicator& ends, double seconds) {
  constexpr std::size_t kMessages = 256;
  const std::vector<std::byte> sent(8);
  std::vector<std::byte> received(kMessages * 8);
  Exchange exchange(ends);
  const int other = 1 - ends.rank();
  const double lap = median_lap(ends, seconds, [&] {
    for (std::size_t i = 0; i < kMessages; ++i)
      exchange.receive(std::span(received).subspan(8 * i, 8), other, kTag);
    for (std::size_t i = 0; i < kMessages; ++i) exchange.send(sent, other, kTag);
    wait_for(exchange);
  });
  return lap / kMessages;
}

double measure_bandwidth(const Communicator& ends, double seconds) {
  constexpr int kMessages = 8;
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  const std::vector<std::byte> sent(kBytes);
  std::vector<std::byte> received(kMessages * kBytes);
  Exchange exchange(ends);
  const int next = (ends.rank() + 1) % ends.size();
  const int before = (ends.rank() + ends.size() - 1) % ends.size();
  const double lap = median_lap(ends, seconds, [&] {
    for (std::size_t i = 0; i < kMessages; ++i)
      exchange.receive(std::span(received).subspan(i * kBytes, kBytes), before, kTag);
    for (std::size_t i = 0; i < kMessages; ++i) exchange.send(sent, next, kTag);
    wait_for(exchange);
    ends.barrier();  // wait until all messages are received
  });
  return static_cast<double>(kMessages * kBytes) / lap;
}

}  // namespace

Link measure_link(const Communicator& world, double seconds) {
  Link link;
  if (world.size() == 1) return link;
  const Communicator node = world.node();
  std::vector<int> is_first(static_cast<std::size_t>(world.size()));
  const int mine = node.is_root() ? 1 : 0;
  world.all_gather_equal<int>(std::span<const int>(&mine, 1), is_first);
  link.hosts = static_cast<int>(std::count(is_first.begin(), is_first.end(), 1));
  const bool is_end = link.hosts == 1 || node.is_root();
  const Communicator ends = world.split(is_end ? 0 : 1);
  const bool is_of_first_two = is_end && ends.rank() < 2;
  const Communicator first_two = world.split(is_of_first_two ? 0 : 1);
  if (is_of_first_two) {
    link.latency = measure_latency(first_two, seconds);
    link.gap = measure_gap(first_two, seconds);
  }
  if (is_end) link.bytes_per_second = measure_bandwidth(ends, seconds);
  return world.broadcast_value(link);
}

double measure_all_reduce(const Communicator& world, std::int64_t elements, double seconds) {
  std::vector<float> values(static_cast<std::size_t>(elements));
  return median_lap(world, seconds, [&] {
    world.add_over_all(values);
    world.barrier();
  });
}

}  // namespace convoy::comm
