#pragma once
// Runs a function with a team of threads.

#include <thread>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::test {

/// Calls body(team) on `threads` threads at the same time, including the caller.
template <class Body>
void run_team(int threads, const Body& body) {
  Barrier barrier(threads);
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) {
    others.emplace_back([&, t] { body(Team(t, threads, &barrier)); });
  }
  body(Team(0, threads, &barrier));
  for (std::thread& other : others) other.join();
}

}  // namespace convoy::test
