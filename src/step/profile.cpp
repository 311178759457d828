#include "convoy/step/profile.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace convoy::step {

Shares shares_of(const StepTimes& times) {
  Shares shares{};
  std::transform(times.spent.begin(), times.spent.end(), shares.begin(),
                 [&](double seconds) { return seconds / times.total; });
  shares.back() = 1 - std::accumulate(shares.begin(), shares.end() - 1, 0.0);
  return shares;
}

RankShares shares_of_ranks(const std::vector<StepTimes>& ranks) {
  assert(!ranks.empty());
  RankShares result{.mean = {}, .worst = shares_of(ranks.front()), .worst_rank = {}};
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const Shares shares = shares_of(ranks[rank]);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      result.mean[i] += shares[i] / static_cast<double>(ranks.size());
      if (shares[i] <= result.worst[i]) continue;
      result.worst[i] = shares[i];
      result.worst_rank[i] = static_cast<int>(rank);
    }
  }
  return result;
}

Profile::Profile(int threads, Start start)
    : is_on_(start == Start::kOn), threads_(static_cast<std::size_t>(threads)) {}

StepTimes Profile::times() const {
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  StepTimes result{.total = seconds(total_), .spent = {}};
  for (std::size_t i = 0; i < kActivities; ++i) {
    Clock::duration parallel{};
    for (const Slot& slot : threads_) parallel += slot.times[i];
    result.spent[i] = seconds(serial_[i]) + seconds(parallel) / static_cast<double>(threads_.size());
  }
  return result;
}

StepTimer::StepTimer(Profile* profile)
    : profile_(profile != nullptr && profile->is_on() ? profile : nullptr) {
  if (profile_ != nullptr) begin_ = Profile::Clock::now();
}

StepTimer::~StepTimer() {
  if (profile_ == nullptr) return;
  profile_->total_ += Profile::Clock::now() - begin_;
  ++profile_->steps_;
}

PartTimer::PartTimer(Profile::Times* times) : times_(times) {
  if (times_ != nullptr) begin_ = Profile::Clock::now();
}

PartTimer::PartTimer(Profile* profile, int thread)
    : PartTimer(profile != nullptr && profile->is_on()
                    ? &profile->threads_[static_cast<std::size_t>(thread)].times
                    : nullptr) {}

PartTimer::PartTimer(Profile* profile)
    : PartTimer(profile != nullptr && profile->is_on() ? &profile->serial_ : nullptr) {}

void PartTimer::book(Activity activity) {
  if (times_ == nullptr) return;
  const auto now = Profile::Clock::now();
  (*times_)[static_cast<std::size_t>(activity)] += now - begin_;
  begin_ = now;
}

}  // namespace convoy::step
