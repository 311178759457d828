#include "array_import.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::importers {
namespace {

constexpr std::int64_t kMostExtent = 65535;

/// Extents of an array, and the steps from one number to the next along each.
struct Placed {
  std::int64_t samples = 0;
  Shape shape{1, 1, 1};
  std::int64_t sample_step = 0;
  Shape steps{0, 0, 0};
};

Placed placed(const arrays::ArrayReader& array, const std::string& layout) {
  const Dims& dims = array.dims();
  if (dims.size() != layout.size())
    throw DataError(
        fmt::format("{} is {}, no {}; --layout names its extents (N images, C channels, H rows, W columns)",
                    array.name(), to_string(dims), layout));
  Placed found;
  std::int64_t step = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    const std::int64_t extent = dims[i];
    const std::int64_t most = layout[i] == 'N' ? std::int64_t{1} << 40 : kMostExtent;
    if (extent < 1 || extent > most)
      throw DataError(fmt::format("{} is {}; {} of {} is from 1 to {}", array.name(), to_string(dims), extent,
                                  layout[i], grouped(most)));
    switch (layout[i]) {
      case 'N':
        found.samples = extent;
        found.sample_step = step;
        break;
      case 'C':
        found.shape.c = extent;
        found.steps.c = step;
        break;
      case 'H':
        found.shape.h = extent;
        found.steps.h = step;
        break;
      default:
        found.shape.w = extent;
        found.steps.w = step;
    }
    if (step > (std::int64_t{1} << 48) / extent)
      throw DataError(fmt::format("{} is {}, more numbers than a file holds", array.name(), to_string(dims)));
    step *= extent;
  }
  return found;
}

std::vector<std::int64_t> read_labels(arrays::ArrayReader& array, std::int64_t samples) {
  const Dims& dims = array.dims();
  std::int64_t total = 1;
  for (const std::int64_t extent : dims)
    total = extent != 0 && total > (std::int64_t{1} << 40) / extent ? std::int64_t{1} << 41 : total * extent;
  const std::int64_t columns = samples == 0 ? 0 : total / samples;
  const bool is_list = total == samples;
  const bool is_table = dims.size() == 2 && dims.front() == samples && columns > 1 && columns <= kMostExtent;
  if (!is_list && !is_table)
    throw DataError(fmt::format("{} is {}; there should be one label for each of the {} images", array.name(),
                                to_string(dims), grouped(samples)));
  std::vector<std::int64_t> labels;
  const std::int64_t row_size = dims.empty() || dims.front() == 0 ? total : total / dims.front();
  std::vector<double> row(static_cast<std::size_t>(row_size));
  const auto add = [&](double value) {
    constexpr double kMost = 9e15;
    if (!(std::abs(value) < kMost) || value != std::floor(value))
      throw DataError(fmt::format("wrong label in {} (number {} is {}); labels are whole numbers",
                                  array.name(), labels.size(), shortest(value)));
    labels.push_back(static_cast<std::int64_t>(value));
  };
  for (std::int64_t at = 0; at < total; at += row_size) {
    array.read(row);
    if (is_list) {
      std::ranges::for_each(row, add);
      continue;
    }
    const auto one = std::ranges::find(row, 1.0);
    if (one == row.end() || std::ranges::count(row, 0.0) != columns - 1)
      throw DataError(
          fmt::format("row {} of {} has not one 1 among {} zeros; labels are a column, or one-hot rows",
                      labels.size(), array.name(), columns - 1));
    labels.push_back(one - row.begin());
  }
  array.require_end();
  return labels;
}

template <class Pixel>
void gather(const Placed& from, std::span<const Pixel> numbers, std::int64_t sample, std::span<Pixel> image) {
  std::size_t next = 0;
  for (std::int64_t c = 0; c < from.shape.c; ++c)
    for (std::int64_t y = 0; y < from.shape.h; ++y)
      for (std::int64_t x = 0; x < from.shape.w; ++x)
        image[next++] = numbers[static_cast<std::size_t>(sample * from.sample_step + c * from.steps.c +
                                                         y * from.steps.h + x * from.steps.w)];
}

void read_pixels(arrays::ArrayReader& array, std::span<std::uint8_t> to) {
  array.read(to);
}
void read_pixels(arrays::ArrayReader& array, std::span<float> to) {
  std::vector<double> numbers(to.size());
  array.read(numbers);
  std::ranges::transform(numbers, to.begin(), [](double number) { return static_cast<float>(number); });
}

template <class Pixel>
void require_finite(std::span<const Pixel> image, const std::string& name, std::int64_t sample) {
  if constexpr (std::is_floating_point_v<Pixel>)
    for (const Pixel pixel : image)
      if (!std::isfinite(pixel))
        throw DataError(fmt::format("image {} of {} holds {}; pixels are finite numbers", sample, name,
                                    shortest(static_cast<double>(pixel))));
}

template <class Pixel>
void copy_images(arrays::ArrayReader& array, const Placed& from, std::span<const std::int64_t> labels,
                 DatasetWriter& writer) {
  const auto size = static_cast<std::size_t>(from.shape.size());
  std::vector<Pixel> image(size);
  std::vector<Pixel> stored;
  const bool is_by_sample = from.sample_step == from.shape.size();
  // Grows with what is read, not with what the header promises.
  const auto row = static_cast<std::size_t>(
      is_by_sample ? from.shape.size() : from.samples * from.shape.size() / array.dims().front());
  if (!is_by_sample) {
    for (std::int64_t i = 0; i < array.dims().front(); ++i) {
      stored.resize(stored.size() + row);
      read_pixels(array, std::span(stored).last(row));
    }
  } else {
    stored.resize(row);
  }
  for (std::int64_t i = 0; i < from.samples; ++i) {
    if (is_by_sample) read_pixels(array, std::span(stored));
    gather<Pixel>(from, stored, is_by_sample ? 0 : i, image);
    require_finite<Pixel>(image, array.name(), i);
    writer.append(std::span<const Pixel>(image), labels.subspan(static_cast<std::size_t>(i), 1));
  }
  array.require_end();
}

}  // namespace

ImportReport import_arrays(std::vector<ArrayPair>& arrays, const std::string& layout, const LabelRules& rules,
                           const std::string& out, std::string source, Observer* observer) {
  std::vector<Placed> places;
  std::vector<SplitLabels> labels;
  bool is_bytes = true;
  for (const ArrayPair& pair : arrays) {
    places.push_back(placed(*pair.images, layout));
    is_bytes = is_bytes && pair.images->is_bytes();
    if (places.back().shape != places.front().shape)
      throw DataError(fmt::format("image sizes differ ({} in {}, {} in {}); they should be the same",
                                  to_string(places.front().shape), arrays.front().images->name(),
                                  to_string(places.back().shape), pair.images->name()));
    labels.push_back({pair.labels->name(), read_labels(*pair.labels, places.back().samples)});
  }
  const std::vector<std::int64_t> values = number_classes(labels, rules);
  ImportReport report{.shape = places.front().shape, .classes = static_cast<std::int64_t>(values.size())};
  DatasetWriter writer(out,
                       {.shape = report.shape,
                        .source = std::move(source),
                        .class_names = names_of(values),
                        .pixels = is_bytes ? Pixels::kBytes : Pixels::kFloats},
                       observer);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    writer.begin_split(arrays[i].split, places[i].samples);
    if (is_bytes)
      copy_images<std::uint8_t>(*arrays[i].images, places[i], labels[i].labels, writer);
    else
      copy_images<float>(*arrays[i].images, places[i], labels[i].labels, writer);
    report.splits.push_back({arrays[i].split, places[i].samples});
  }
  writer.finish();
  if (values.front() != 0 || values.back() + 1 != report.classes)
    report.notes.push_back(
        fmt::format("Classes are the labels {} to {}, numbered from 0.", values.front(), values.back()));
  if (!is_bytes) report.notes.emplace_back("Images are float32, as no unsigned bytes.");
  return report;
}

}  // namespace convoy::importers
