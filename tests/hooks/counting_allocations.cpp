// `convoy train` that counts what a step allocates: at its end it prints, on every rank, how often `new` was
// called between one update and the next. Libraries in C (MPI, OpenMP, HDF5) are not seen.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <vector>

#include "apps/command.hpp"
#include "apps/train.hpp"
#include "convoy/launch/ranks.hpp"

namespace {

std::atomic<long> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, whole == 0 ? alignment : whole)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The forms for arrays and without exceptions end here too.
void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}

int main(int argc, char** argv) {
  using namespace convoy;
  constexpr std::size_t kMostSteps = 1000;
  std::vector<long> seen;  // after the updates of steps 1, 2, …
  seen.reserve(kMostSteps);
  try {
    step::Hooks hooks;
    hooks.corrupt = [&seen](std::string_view what, int /*operation*/, int /*rank*/, std::int64_t /*step*/,
                            std::span<std::byte>) {
      if (what == "parameters" && seen.size() < kMostSteps) seen.push_back(allocations);
    };
    const ExitStatus status = apps::run_train_with_hooks({argv + 1, argv + argc}, hooks);
    std::string line = "allocations:";
    for (std::size_t i = 1; i < seen.size(); ++i)
      line.append(" ")
          .append(std::to_string(i + 1))
          .append("=")
          .append(std::to_string(seen[i] - seen[i - 1]));
    // In one piece, for launchers that pass on half lines.
    std::cout.flush();
    std::fflush(stdout);
    std::printf("%s\n", line.c_str());
    return static_cast<int>(status);
  } catch (...) {
    const launch::Failure failure = launch::current_failure();
    launch::print_failure("train", failure.message);
    return static_cast<int>(failure.status);
  }
}
