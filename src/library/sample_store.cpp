#include "sample_store.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "convoy/comm/agreement.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/text.hpp"

namespace convoy {
namespace {

std::int64_t to_signed(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

/// Calls f with a pointer to the numbers, of their type.
template <class Function>
void with_type(const Numbers& numbers, Function&& f) {
  switch (numbers.type()) {
    case NumberType::kUint8:
      return f(numbers.as<std::uint8_t>());
    case NumberType::kInt32:
      return f(numbers.as<std::int32_t>());
    case NumberType::kInt64:
      return f(numbers.as<std::int64_t>());
    case NumberType::kFloat:
      return f(numbers.as<float>());
    case NumberType::kDouble:
      return f(numbers.as<double>());
  }
}

bool is_real(NumberType type) {
  return type == NumberType::kFloat || type == NumberType::kDouble;
}

/// Copies `values` as To; `check(i, value)` throws for values that are not allowed.
template <class To, class Check>
std::vector<std::byte> copied(const Numbers& values, const Check& check) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(values.size()) * sizeof(To));
  with_type(values, [&](const auto* from) {
    for (std::int64_t i = 0; i < values.size(); ++i) {
      check(i, from[i]);
      const auto value = static_cast<To>(from[i]);
      std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(To), &value, sizeof(To));
    }
  });
  return bytes;
}

/// Float numbers; `per_sample` of them belong to a sample.
std::vector<std::byte> finite_floats(const Numbers& values, std::int64_t per_sample, const char* what) {
  return copied<float>(values, [&](std::int64_t i, auto value) {
    if (!std::isfinite(static_cast<float>(value)))
      throw DataError(
          fmt::format("{} {} of added sample {} (the first is 0) is {}; it must be finite as float", what,
                      i % per_sample, i / per_sample, shortest(static_cast<double>(value))));
  });
}

void require_size(const Numbers& values, std::int64_t samples, std::int64_t per_sample, const char* what) {
  if (values.size() == samples * per_sample) return;
  throw ConfigError(fmt::format("{} sample numbers come with {} {}; each sample has {}", samples,
                                values.size(), what, per_sample));
}

/// Throws DataError unless `all`, sorted, is first, first + 1, ….
void require_complete(std::span<const std::int64_t> all, std::int64_t first) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::int64_t expected = first + to_signed(i);
    if (all[i] == expected) continue;
    const bool is_new = i == 0 ? all[i] >= first : all[i] > all[i - 1];
    const std::string problem =
        is_new ? fmt::format("no rank has added sample {}", expected)
               : fmt::format("sample {} was added {}", all[i], i == 0 ? "before" : "twice");
    throw DataError(fmt::format(
        "{} (the numbers of the {} of all ranks must be {} to {}, each once); number the samples of all "
        "ranks "
        "together",
        problem, counted(to_signed(all.size()), "new sample"), first, first + to_signed(all.size()) - 1));
  }
}

void copy_sample(std::span<std::byte> to, std::int64_t number, std::span<const std::byte> from,
                 std::int64_t index, std::int64_t bytes) {
  std::memcpy(to.data() + number * bytes, from.data() + index * bytes, static_cast<std::size_t>(bytes));
}

}  // namespace

std::int64_t bytes_of(NumberType type) {
  switch (type) {
    case NumberType::kUint8:
      return 1;
    case NumberType::kInt32:
    case NumberType::kFloat:
      return 4;
    default:
      return 8;
  }
}

SampleStore::SampleStore(const SampleFormat& format) : format_(format) {
  const Shape& image = format.image;
  if (image.c < 1 || image.h < 1 || image.w < 1)
    throw ConfigError("images of " + to_string(image) +
                      " are empty; channels, height and width are at least 1");
  if ((format.classes > 0) == (format.targets > 0) || format.classes < 0 || format.targets < 0)
    throw ConfigError(
        fmt::format("a data set has either classes or targets (here {} and {}); set one of them",
                    format.classes, format.targets));
  if (!format.class_names.empty() && to_signed(format.class_names.size()) != format.classes)
    throw ConfigError(fmt::format("{} {} with {}; name every class, or none",
                                  counted(to_signed(format.class_names.size()), "class name"),
                                  format.class_names.size() == 1 ? "comes" : "come",
                                  counted(format.classes, "class")));
  joined_ = {.shape = format.image,
             .is_bytes = format.is_bytes,
             .target_size = format.targets,
             .classes = format.classes,
             .class_names = format.class_names};
}

std::int64_t SampleStore::image_bytes() const {
  return format_.image.size() * (format_.is_bytes ? 1 : to_signed(sizeof(float)));
}

std::int64_t SampleStore::answer_bytes() const {
  return format_.targets > 0 ? format_.targets * to_signed(sizeof(float)) : to_signed(sizeof(std::int64_t));
}

std::vector<std::byte> SampleStore::checked_images(const Numbers& images, std::int64_t samples) const {
  require_size(images, samples, format_.image.size(), "numbers of images");
  if (format_.is_bytes ? images.type() != NumberType::kUint8 : !is_real(images.type()))
    throw ConfigError(format_.is_bytes
                          ? "images of bytes are added as numbers of another type; give uint8"
                          : "images of float numbers are added as integers; give float or double");
  if (format_.is_bytes) return copied<std::uint8_t>(images, [](std::int64_t, auto) {});
  return finite_floats(images, format_.image.size(), "number");
}

std::vector<std::byte> SampleStore::checked_answers(const Numbers& answers, std::int64_t samples) const {
  if (format_.targets > 0) {
    require_size(answers, samples, format_.targets, "targets");
    if (!is_real(answers.type())) throw ConfigError("targets are added as integers; give float or double");
    return finite_floats(answers, format_.targets, "target");
  }
  require_size(answers, samples, 1, "labels");
  if (is_real(answers.type())) throw ConfigError("labels are added as float numbers; give an integer type");
  return copied<std::int64_t>(answers, [&](std::int64_t i, auto value) {
    const auto label = static_cast<std::int64_t>(value);
    if (label < 0 || label >= format_.classes)
      throw DataError(fmt::format("the label of added sample {} (the first is 0) is {}; labels are 0 to {}",
                                  i, label, format_.classes - 1));
  });
}

void SampleStore::add(std::span<const std::int64_t> numbers, const Numbers& images, const Numbers& answers) {
  const auto negative = std::ranges::find_if(numbers, [](std::int64_t number) { return number < 0; });
  if (negative != numbers.end())
    throw DataError(fmt::format("sample number {} is negative; samples are numbered from 0", *negative));
  const std::vector<std::byte> pixels = checked_images(images, to_signed(numbers.size()));
  const std::vector<std::byte> values = checked_answers(answers, to_signed(numbers.size()));
  // Reserves first: a lack of memory must not leave a part of a sample.
  added_.images.reserve(added_.images.size() + pixels.size());
  added_.answers.reserve(added_.answers.size() + values.size());
  added_.numbers.reserve(added_.numbers.size() + numbers.size());
  added_.images.insert(added_.images.end(), pixels.begin(), pixels.end());
  added_.answers.insert(added_.answers.end(), values.begin(), values.end());
  added_.numbers.insert(added_.numbers.end(), numbers.begin(), numbers.end());
}

void SampleStore::exchange(const comm::Communicator& leaders, std::span<const std::int64_t> of_node,
                           std::int64_t bytes, std::span<std::byte> memory) {
  constexpr std::int64_t kPieceBytes = std::int64_t{64} << 20;
  const std::int64_t at_once = std::max<std::int64_t>(kPieceBytes / bytes, 1);
  std::vector<std::byte> piece;
  for (int root = 0; root < leaders.size(); ++root) {
    const bool sends = leaders.rank() == root;
    std::vector<std::int64_t> numbers(
        static_cast<std::size_t>(leaders.broadcast_value(to_signed(of_node.size()), root)));
    if (sends) std::ranges::copy(of_node, numbers.begin());
    leaders.broadcast(std::as_writable_bytes(std::span(numbers)), root);
    for (std::int64_t begin = 0; begin < to_signed(numbers.size()); begin += at_once) {
      const std::int64_t count = std::min(at_once, to_signed(numbers.size()) - begin);
      piece.resize(static_cast<std::size_t>(count * bytes));
      if (sends)
        for (std::int64_t i = 0; i < count; ++i)
          copy_sample(piece, i, memory, numbers[static_cast<std::size_t>(begin + i)], bytes);
      leaders.broadcast(piece, root);
      if (!sends)
        for (std::int64_t i = 0; i < count; ++i)
          copy_sample(memory, numbers[static_cast<std::size_t>(begin + i)], piece, i, bytes);
    }
  }
}

bool SampleStore::join(const comm::Communicator& ranks) {
  std::vector<std::int64_t> all = ranks.all_gather_values(added_.numbers);
  if (all.empty()) return false;
  std::ranges::sort(all);
  require_complete(all, joined_.samples);

  const comm::Communicator node = ranks.node();
  const std::int64_t samples = joined_.samples + to_signed(all.size());
  const std::vector<std::int64_t> of_node = node.all_gather_values(added_.numbers);
  const comm::Communicator leaders = ranks.split(node.is_root() ? 0 : 1);
  const auto grown = [&](const std::shared_ptr<comm::NodeSharedMemory>& memory, std::int64_t bytes,
                         const std::vector<std::byte>& added) {
    auto larger = std::make_shared<comm::NodeSharedMemory>(node, samples * bytes);
    if (memory != nullptr && node.is_root()) std::ranges::copy(memory->bytes(), larger->bytes().begin());
    for (std::size_t i = 0; i < added_.numbers.size(); ++i)
      copy_sample(larger->bytes(), added_.numbers[i], added, to_signed(i), bytes);
    larger->fence();
    if (node.is_root()) exchange(leaders, of_node, bytes, larger->bytes());
    larger->fence();
    return larger;
  };
  auto images = grown(joined_.images, image_bytes(), added_.images);
  joined_.answers = grown(joined_.answers, answer_bytes(), added_.answers);
  joined_.images = std::move(images);
  joined_.samples = samples;
  added_ = {};
  return true;
}

}  // namespace convoy
