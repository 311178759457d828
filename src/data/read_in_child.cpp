#include "read_in_child.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/hdf5/child_process.hpp"
#include "convoy/samples/layout.hpp"
#include "images.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;

template <class Pixel>
void read_sample(const SplitLayout& split, const Shape& shape) {
  const std::int64_t row_bytes = shape.size() * static_cast<std::int64_t>(sizeof(Pixel));
  const std::int64_t chunk_rows = split.pieces.front().chunk_rows;
  // Whole chunks, as in the later reading of a part of the split.
  const std::int64_t step =
      std::min(std::max<std::int64_t>(1, kPieceBytes / row_bytes / chunk_rows) * chunk_rows, split.samples);
  const std::int64_t steps = (split.samples + step - 1) / step;
  const std::int64_t pieces = std::min(steps, std::max<std::int64_t>(2, kMostBytes / row_bytes / step));
  std::vector<Pixel> room(static_cast<std::size_t>(step * shape.size()));
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    const std::int64_t begin = pieces == 1 ? 0 : (steps - 1) * piece / (pieces - 1) * step;
    const Range rows{begin, std::min(begin + step, split.samples)};
    const auto pixels = std::span(room).first(static_cast<std::size_t>(rows.size() * shape.size()));
    ImageReader(split, shape, 1, Reading::kFetch).read(rows, std::as_writable_bytes(pixels));
  }
}

/// Reads the first and the last targets.
void read_sample_of_targets(const SplitLayout& split) {
  const std::int64_t rows = std::min(
      split.samples, kMostBytes / 2 / (split.target_size * static_cast<std::int64_t>(sizeof(float))) + 1);
  std::vector<float> targets(static_cast<std::size_t>(rows * split.target_size));
  read_targets(split, {0, rows}, targets);
  read_targets(split, {split.samples - rows, split.samples}, targets);
}

void read_sample_of(const std::string& path, const Options& options, const FileRoles& roles) {
  const DatasetLayout layout = read_layout_of(path, options, roles);
  for (const SplitLayout& split : layout.splits) {
    if (is_bytes(split))
      read_sample<std::uint8_t>(split, layout.shape);
    else
      read_sample<float>(split, layout.shape);
    if (split.target_size > 0 && split.answers.back().rows.end >= split.samples)
      read_sample_of_targets(split);
  }
}

}  // namespace

void read_in_child(const std::vector<std::string>& files, const Options& options,
                   const std::function<void()>& meanwhile) {
  constexpr std::size_t kFew = 16;
  constexpr std::size_t kTogether = 1000;
  if (files.empty()) return;
  const FileRoles roles = file_roles(options);
  const auto read_each = [&](std::span<const std::string> some) {
    for (const std::string& file : some)
      io::run_in_child(
          file, [&] { read_sample_of(file, options, roles); }, {}, meanwhile);
  };
  if (files.size() <= kFew) return read_each(files);
  for (std::size_t begin = 0; begin < files.size(); begin += kTogether) {
    const auto some = std::span(files).subspan(begin, std::min(kTogether, files.size() - begin));
    try {
      const auto read_all = [&] {
        for (const std::string& file : some) read_sample_of(file, options, roles);
      };
      io::run_in_child(some.front(), read_all, {}, meanwhile);
    } catch (const DataError&) {
      read_each(some);  // names the file
      throw;
    }
  }
}

}  // namespace convoy::data
