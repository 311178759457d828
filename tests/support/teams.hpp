#pragma once
// Runs a function as a team of threads does.

#include <thread>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::test {

/// Calls body(team) on `threads` threads at once, the caller being one of them.
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
