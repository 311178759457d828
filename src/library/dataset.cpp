#include "convoy/library/dataset.hpp"

#include <fmt/core.h>

#include <memory>
#include <optional>
#include <utility>

#include "convoy/comm/agreement.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/floating_point.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/collective.hpp"
#include "sample_store.hpp"

namespace convoy {

struct Dataset::Impl {
  comm::Communicator ranks;
  std::string split_name = "train";
  std::optional<SampleStore> store{};             // of a data set in memory
  std::shared_ptr<const data::Dataset> joined{};  // null: in memory, without samples so far
  Shape shape{};
  std::int64_t targets = 0;  // per sample
};

namespace {

/// Throws DataError if the split does not exist or is empty.
void require_split(const data::Dataset& dataset, const std::string& file, const std::string& name) {
  const data::Split* split = dataset.split(name);
  if (split == nullptr || split->samples() == 0)
    throw DataError(fmt::format("data set {} has no samples in split '{}'; 'convoy inspect' shows its splits",
                                file, name));
}

}  // namespace

Dataset::Dataset(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;

Dataset::Dataset(const SampleFormat& format, const comm::Communicator& ranks)
    : impl_(std::make_unique<Impl>(Impl{.ranks = ranks, .shape = format.image, .targets = format.targets})) {
  io::agreed(ranks, [&] { impl_->store.emplace(format); });
  std::string facts =
      fmt::format("{} {} {} {}\n", to_string(format.image), format.is_bytes, format.classes, format.targets);
  for (const std::string& name : format.class_names) facts += name + '\n';
  comm::require_agreement(ranks, "format of a data set in memory", hash(facts),
                          "give the same SampleFormat on every rank");
}

Dataset Dataset::read(const std::string& file, const std::string& split, const comm::Communicator& ranks) {
  const FloatingPointMode mode;
  auto impl = std::make_unique<Impl>(Impl{.ranks = ranks, .split_name = split});
  impl->joined = std::make_shared<const data::Dataset>(file, ranks, std::vector<std::string>{split});
  require_split(*impl->joined, file, split);
  impl->shape = impl->joined->shape();
  impl->targets = impl->joined->has_targets() ? impl->joined->classes() : 0;
  return Dataset(std::move(impl));
}

Dataset Dataset::read(const data::Options& options, const comm::Communicator& ranks) {
  const FloatingPointMode mode;
  auto impl = std::make_unique<Impl>(Impl{.ranks = ranks});
  impl->joined =
      std::make_shared<const data::Dataset>(options, ranks, std::vector<std::string>{impl->split_name});
  require_split(*impl->joined, options.file, impl->split_name);
  if (!impl->joined->split(impl->split_name)->has_answers())
    throw ConfigError(options.file + " is read without labels and targets; name the path of one of them");
  impl->shape = impl->joined->shape();
  impl->targets = impl->joined->has_targets() ? impl->joined->classes() : 0;
  return Dataset(std::move(impl));
}

void Dataset::add(std::span<const std::int64_t> numbers, const Numbers& images, const Numbers& answers) {
  if (!impl_->store)
    throw ConfigError("this data set was read from a file; samples can be added only to one in memory");
  const FloatingPointMode mode;
  impl_->store->add(numbers, images, answers);
}

void Dataset::join() {
  const FloatingPointMode mode;
  if (!impl_->store || !impl_->store->join(impl_->ranks)) return;
  impl_->joined = std::make_shared<const data::Dataset>(impl_->store->joined(), impl_->ranks);
}

std::int64_t Dataset::samples() const {
  return split() == nullptr ? 0 : split()->samples();
}
const Shape& Dataset::shape() const {
  return impl_->shape;
}
std::int64_t Dataset::answers_per_sample() const {
  return impl_->targets > 0 ? impl_->targets : 1;
}
const comm::Communicator& Dataset::ranks() const {
  return impl_->ranks;
}
std::shared_ptr<const data::Dataset> Dataset::joined() const {
  return impl_->joined;
}
const data::Split* Dataset::split() const {
  return impl_->joined ? impl_->joined->split(impl_->split_name) : nullptr;
}

}  // namespace convoy
