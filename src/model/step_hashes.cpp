#include "convoy/model/step_hashes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/parallel.hpp"
#include "convoy/core/text.hpp"
#include "convoy/model/checkpoint.hpp"

namespace convoy::model {
namespace {

constexpr std::size_t kDigits = 16;  // of a hash

/// Fields of the line of parts, by HashedPart::Kind.
constexpr std::array<const char*, 3> kKinds{"outputs", "gradients", "state"};

/// A stretch of one part's values that this rank hashes.
struct Stretch {
  std::size_t part;
  std::int64_t place;  ///< of its first value in the tensor
  std::span<const float> values;
};

/// Appends `elements` of the flat vector in which `tensor` lies at its offset, as far as they are the
/// tensor's. `values` are those of `elements`.
void add_stretches(std::size_t part, const nn::Tensor& tensor, const Range& elements, const float* values,
                   std::vector<Stretch>& stretches) {
  constexpr std::int64_t kMost = std::int64_t{1} << 16;
  const Range mine{std::max(elements.begin, tensor.offset),
                   std::min(elements.end, tensor.offset + tensor.size())};
  for (std::int64_t begin = mine.begin; begin < mine.end; begin += kMost)
    stretches.push_back(
        {part,
         begin - tensor.offset,
         {values + (begin - elements.begin), static_cast<std::size_t>(std::min(kMost, mine.end - begin))}});
}

}  // namespace

std::string to_string(const HashedPart& part) {
  switch (part.kind) {
    case HashedPart::Kind::kOutput:
      return "the output of " + part.name;
    case HashedPart::Kind::kGradient:
      return "the gradient of " + part.name;
    case HashedPart::Kind::kState:
      break;
  }
  return part.name + " after the update";
}

std::vector<std::size_t> hashed_gradients(const nn::Network& network,
                                          const std::vector<passes::Operation>& operations) {
  std::vector<std::size_t> found;
  for (std::size_t i = operations.size(); i-- > 0;)
    if (nn::parameter_count(*network.nodes()[static_cast<std::size_t>(operations[i].node)].layer) > 0)
      found.push_back(i);
  return found;
}

std::vector<HashedPart> hashed_parts(Hashed what, const nn::Network& network, const State& state) {
  using Kind = HashedPart::Kind;
  std::vector<HashedPart> parts;
  if (what == Hashed::kLayers) {
    const std::vector<passes::Operation> operations = passes::plan_operations(network);
    for (const passes::Operation& each : operations)
      parts.push_back({Kind::kOutput, passes::describe(network, each)});
    for (const std::size_t i : hashed_gradients(network, operations))
      parts.push_back({Kind::kGradient, passes::describe(network, operations[i])});
  }
  if (what == Hashed::kNone) return parts;
  for (const nn::Tensor& tensor : network.parameters()) {
    parts.push_back({Kind::kState, model_path(tensor)});
    for (const OptimizerState& each : state.optimizer)
      parts.push_back({Kind::kState, state_path(each.name, tensor)});
  }
  for (const nn::Tensor& tensor : network.statistics()) parts.push_back({Kind::kState, model_path(tensor)});
  return parts;
}

std::vector<std::uint64_t> state_hashes(const nn::Network& network, const State& state,
                                        const comm::Communicator& world, int threads) {
  std::vector<Stretch> stretches;
  std::size_t part = 0;
  const auto share = [&](std::span<const float> all) {
    return split(static_cast<std::int64_t>(all.size()), world.size(), world.rank());
  };
  const Range parameters = share(state.parameters);
  for (const nn::Tensor& tensor : network.parameters()) {
    add_stretches(part++, tensor, parameters, state.parameters.data() + parameters.begin, stretches);
    for (const OptimizerState& each : state.optimizer) {
      for (const Range& range : state.owned)
        add_stretches(part, tensor, range, each.values.at(range.begin), stretches);
      ++part;
    }
  }
  const Range statistics = share(state.statistics);
  for (const nn::Tensor& tensor : network.statistics())
    add_stretches(part++, tensor, statistics, state.statistics.data() + statistics.begin, stretches);

  std::vector<std::uint64_t> hashes(stretches.size());
  parallel_for(threads, static_cast<std::int64_t>(stretches.size()), Shares::kInTurn, [&](std::int64_t i) {
    const Stretch& stretch = stretches[static_cast<std::size_t>(i)];
    hashes[static_cast<std::size_t>(i)] =
        sum_of_hashes(stretch.values, static_cast<std::uint64_t>(stretch.place));
  });
  std::vector<std::uint64_t> sums(part);
  for (std::size_t i = 0; i < stretches.size(); ++i) sums[stretches[i].part] += hashes[i];
  return sums;
}

std::string parts_line(std::int64_t step, const std::vector<HashedPart>& parts) {
  io::Json line{{"event", "parts"}, {"step", step}};
  for (const char* kind : kKinds) line[kind] = io::Json::array();
  for (const HashedPart& part : parts) line[kKinds[static_cast<std::size_t>(part.kind)]].push_back(part.name);
  return io::to_text(line);
}

std::string hashes_line(std::int64_t step, std::span<const std::uint64_t> hashes) {
  std::string digits;
  digits.reserve(hashes.size() * kDigits);
  for (const std::uint64_t hash : hashes) digits += fmt::format("{:016x}", hash);
  return io::to_text({{"event", "hashes"}, {"step", step}, {"hashes", digits}});
}

StepHashes::StepHashes(std::string path)
    : path_(std::move(path)), file_(std::make_unique<std::ifstream>(path_)) {
  if (!*file_) throw IoError(fmt::format("cannot open {} ({})", path_, std::strerror(errno)));
}
StepHashes::~StepHashes() = default;
StepHashes::StepHashes(StepHashes&&) noexcept = default;

bool StepHashes::next() {
  for (std::string text; std::getline(*file_, text);) {
    ++line_;
    if (file_->eof()) return false;  // no newline: cut short
    const io::Json line = io::Json::parse(text, nullptr, false);
    const auto step = line.find("step");
    if (step == line.end() || !step->is_number_integer()) fail("is no object with a step");
    const auto event = line.value("event", io::Json());
    if (event == "parts") {
      read_parts(line);
      continue;
    }
    if (event != "hashes") fail("has neither parts nor hashes");
    read_hashes(line);
    step_ = step->get<std::int64_t>();
    return true;
  }
  return false;
}

void StepHashes::read_parts(const io::Json& line) {
  parts_.clear();
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    const io::Json names = line.value(kKinds[kind], io::Json());
    if (!names.is_array()) fail(fmt::format("has no list '{}'", kKinds[kind]));
    for (const io::Json& name : names) {
      if (!name.is_string()) fail(fmt::format("names something in '{}' that is no text", kKinds[kind]));
      parts_.push_back({static_cast<HashedPart::Kind>(kind), name.get<std::string>()});
    }
  }
}

void StepHashes::read_hashes(const io::Json& line) {
  const io::Json digits = line.value("hashes", io::Json());
  if (!digits.is_string()) fail("has no hashes");
  const std::string_view all = digits.get_ref<const std::string&>();
  if (all.size() != parts_.size() * kDigits)
    fail(fmt::format("has {} digits, not {} for each of {}", all.size(), kDigits,
                     counted(static_cast<std::int64_t>(parts_.size()), "part")));
  hashes_.clear();
  for (std::size_t at = 0; at < all.size(); at += kDigits) {
    std::uint64_t hash = 0;
    const char* const end = all.data() + at + kDigits;
    const auto [stop, error] = std::from_chars(all.data() + at, end, hash, 16);
    if (error != std::errc() || stop != end) fail("has hashes that are not hexadecimal");
    hashes_.push_back(hash);
  }
}

void StepHashes::fail(const std::string& what) const {
  throw DataError(
      fmt::format("line {} of {} {}; a run with run.hashes writes this file", line_, path_, what));
}

}  // namespace convoy::model
