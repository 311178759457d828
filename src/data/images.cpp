#include "images.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstring>
#include <optional>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/math.hpp"
#include "convoy/core/parallel.hpp"
#include "convoy/hdf5/row_reader.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kPieceElements = std::int64_t{1} << 24;

bool are_finite(std::span<const float> values, int threads) {
  constexpr std::uint32_t kExponent = 0x7F800000;
  std::atomic<bool> all = true;
  parallel_for(threads, threads, Shares::kEqual, [&](std::int64_t i) {
    const Range mine = convoy::split(static_cast<std::int64_t>(values.size()), threads, i);
    const float* const x = values.data();
    std::uint32_t wrong = 0;  // not a search, so that vectors compare
    for (std::int64_t at = mine.begin; at < mine.end; ++at)
      wrong |= (std::bit_cast<std::uint32_t>(x[at]) & kExponent) == kExponent ? 1U : 0U;
    if (wrong != 0) all = false;
  });
  return all;
}

/// Values of data set `path` of `file`, `size` numbers per sample, from sample `first` on.
void require_finite(std::span<const float> values, const std::string& what, const std::string& file,
                    const std::string& path, std::int64_t first, std::int64_t size, int threads) {
  if (are_finite(values, threads)) return;
  const auto wrong = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
  throw DataError(
      fmt::format("wrong {} in data set {} ({} holds a NaN or infinity in sample {}); {}s should be finite "
                  "float32 numbers",
                  what, file, path, first + (wrong - values.begin()) / size, what));
}

/// Calls read(piece, rows within its file, offset in `rows`) for every piece that contains some of `rows`.
template <class Pieces, class Read>
void for_pieces(const Pieces& pieces, const Range& rows, const Read& read) {
  // First piece that ends after the first row.
  auto piece =
      std::ranges::upper_bound(pieces, rows.begin, {}, [](const auto& each) { return each.rows.end; });
  for (; piece != pieces.end() && piece->rows.begin < rows.end; ++piece) {
    const Range here{std::max(rows.begin, piece->rows.begin), std::min(rows.end, piece->rows.end)};
    if (here.begin >= here.end) continue;
    const std::int64_t in_file = piece->first_row - piece->rows.begin;
    read(*piece, Range{here.begin + in_file, here.end + in_file}, here.begin - rows.begin);
  }
}

/// dst[c][i] = src[i][c]; i counts the `plane` pixels of a channel. kChannels: of an image; 0: `channels`.
template <std::int64_t kChannels, class Pixel>
void transpose(const Pixel* src, std::int64_t plane, std::int64_t channels, Pixel* dst) {
  if (kChannels != 0) channels = kChannels;  // known when compiled
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < plane; ++i) dst[c * plane + i] = src[i * channels + c];
}

/// One image, [H][W][C], to [C][H][W].
template <class Pixel>
void channels_first(const Pixel* src, const Shape& shape, Pixel* dst) {
  constexpr std::int64_t kColours = 3;
  if (shape.c == kColours)
    transpose<kColours>(src, shape.h * shape.w, shape.c, dst);
  else
    transpose<0>(src, shape.h * shape.w, shape.c, dst);
}

/// Whole chunks with about kPieceElements elements.
std::int64_t rows_at_once(const Piece& piece, const Shape& shape) {
  return std::max(piece.chunk_rows, kPieceElements / shape.size() / piece.chunk_rows * piece.chunk_rows);
}

/// The rows of a data set that hold the samples `rows` of its file.
Range stored_rows(const Range& rows, std::int64_t rows_a_sample) {
  return {rows.begin * rows_a_sample, rows.end * rows_a_sample};
}

/// Throws DataError if a pixel has no log(1 + x).
void require_logarithm(std::span<const float> pixels, const Piece& piece, std::int64_t first,
                       std::int64_t size) {
  const auto wrong = std::ranges::find_if(pixels, [](float x) { return x <= -1; });
  if (wrong == pixels.end()) return;
  throw DataError(
      fmt::format("wrong pixel in data set {} ({} holds {} in sample {}); data.transform = log1p needs "
                  "numbers above -1",
                  piece.file, piece.images, *wrong, first + (wrong - pixels.begin()) / size));
}

/// Of `rows` of `piece`, as they are stored.
template <class Pixel>
void read_stored(const io::File& file, const Piece& piece, const std::optional<io::RowReader>& reader,
                 const Range& rows, std::span<Pixel> pixels, int threads) {
  const Range stored = stored_rows(rows, piece.rows_a_sample);
  if (reader)
    reader->read(stored, std::as_writable_bytes(pixels), threads);
  else
    file.read_rows<Pixel>(piece.images, stored, pixels);
}

/// Nothing for few bytes, which cost less by libhdf5 alone than opening costs.
template <class Pixel>
std::optional<io::RowReader> reader_of(const io::File& file, const Piece& piece, std::size_t pixels) {
  constexpr std::size_t kFewBytes = std::size_t{1} << 16;
  if (pixels * sizeof(Pixel) < kFewBytes) return std::nullopt;
  return io::RowReader::open(file, piece.images, io::kElementType<Pixel>);
}

/// `rows` are indices within the file.
template <class Pixel>
void read_piece(const io::File& file, const SplitLayout& split, const Piece& piece, const Shape& shape,
                const Range& rows, std::span<Pixel> pixels, int threads, Reading reading) {
  const auto reader = reader_of<Pixel>(file, piece, pixels.size());
  if (reader && reading == Reading::kFetch) return reader->fetch(stored_rows(rows, piece.rows_a_sample));
  if (split.axes != Axes::kNhwc || shape.c == 1) {
    read_stored(file, piece, reader, rows, pixels, threads);
  } else {
    std::vector<Pixel> as_stored;
    const std::int64_t step = rows_at_once(piece, shape);
    for (std::int64_t begin = rows.begin; begin < rows.end;) {
      const std::int64_t end = std::min((begin / step + 1) * step, rows.end);
      as_stored.resize(static_cast<std::size_t>((end - begin) * shape.size()));
      read_stored<Pixel>(file, piece, reader, {begin, end}, as_stored, threads);
      Pixel* const to = pixels.data() + (begin - rows.begin) * shape.size();
      parallel_for(threads, end - begin, Shares::kEqual, [&](std::int64_t i) {
        channels_first(as_stored.data() + i * shape.size(), shape, to + i * shape.size());
      });
      begin = end;
    }
  }
  if constexpr (std::same_as<Pixel, float>) {
    require_finite(pixels, "pixel", piece.file, piece.images, rows.begin, shape.size(), threads);
    if (split.function == PixelFunction::kLog1p) require_logarithm(pixels, piece, rows.begin, shape.size());
  }
}

/// Calls use(images) for all images of the split, some at a time, in order.
template <class Pixel, class Use>
void for_images(const SplitLayout& split, const Shape& shape, const ImagesOfSplit& from, const Use& use) {
  const std::string what = "mean and deviation of the " + split.name + " images";
  const auto image_bytes = shape.size() * static_cast<std::int64_t>(sizeof(Pixel));
  LoadProgress progress(from.observer, what, split.samples * image_bytes);
  std::vector<Pixel> pixels;
  ImageReader reader(split, shape, from.threads);
  const std::int64_t step = rows_at_once(split.pieces.front(), shape);
  for (std::int64_t begin = 0; begin < split.samples; begin += step) {
    const Range samples{begin, std::min(begin + step, split.samples)};
    const auto size = static_cast<std::size_t>(samples.size() * shape.size());
    if (from.kept.empty()) {
      pixels.resize(size);
      reader.read(samples, std::as_writable_bytes(std::span(pixels)));
      use(std::span<const Pixel>(pixels));
    } else {
      use(std::span(reinterpret_cast<const Pixel*>(from.kept.data()) + begin * shape.size(), size));
    }
    progress.add(samples.size() * image_bytes);
  }
}

/// Sums are exact: threads may share them.
void add(ByteSums& sums, const Shape& shape, std::span<const std::uint8_t> pixels, int threads) {
  const auto images = static_cast<std::int64_t>(pixels.size()) / shape.size();
  std::vector<ByteSums> parts(static_cast<std::size_t>(threads), ByteSums(shape));
  parallel_for(threads, threads, Shares::kEqual, [&](std::int64_t i) {
    const Range mine = convoy::split(images, threads, i);
    parts[static_cast<std::size_t>(i)].add(
        pixels.subspan(static_cast<std::size_t>(mine.begin * shape.size()),
                       static_cast<std::size_t>(mine.size() * shape.size())));
  });
  for (const ByteSums& part : parts) sums.add_numbers(part.numbers());
}

void add(FloatSums& sums, const Shape& /*shape*/, std::span<const float> pixels, int threads) {
  sums.add(pixels, threads);
}

template <class Pixel>
Statistics statistics_of_logarithms(const SplitLayout& split, const Shape& shape, const ImagesOfSplit& from) {
  FloatSums sums(shape);
  std::vector<float> logarithms;
  for_images<Pixel>(split, shape, from, [&](std::span<const Pixel> pixels) {
    logarithms.resize(pixels.size());
    std::ranges::transform(pixels, logarithms.begin(),
                           [](Pixel x) { return static_cast<float>(math::log1p(static_cast<double>(x))); });
    sums.add(logarithms, from.threads);
  });
  return sums.statistics();
}

template <class Pixel, class Sums>
Statistics statistics_of(const SplitLayout& split, const Shape& shape, const ImagesOfSplit& from) {
  if (split.function == PixelFunction::kLog1p) return statistics_of_logarithms<Pixel>(split, shape, from);
  Sums sums(shape);
  for_images<Pixel>(split, shape, from,
                    [&](std::span<const Pixel> pixels) { add(sums, shape, pixels, from.threads); });
  return sums.statistics();
}

}  // namespace

const Piece& piece_of(const SplitLayout& split, std::int64_t row) {
  return *std::ranges::upper_bound(split.pieces, row, {}, [](const Piece& each) { return each.rows.end; });
}

Range share_of_rows(const SplitLayout& split, int size, int index) {
  std::int64_t chunks = 0;
  const auto chunks_of = [](const Piece& piece) {
    return (piece.rows.size() + piece.chunk_rows - 1) / piece.chunk_rows;
  };
  for (const Piece& piece : split.pieces) chunks += chunks_of(piece);
  const auto row_of = [&](std::int64_t chunk) {
    for (const Piece& piece : split.pieces) {
      if (chunk < chunks_of(piece)) return piece.rows.begin + chunk * piece.chunk_rows;
      chunk -= chunks_of(piece);
    }
    return split.pieces.back().rows.end;
  };
  const Range mine = convoy::split(chunks, size, index);
  const Range rows{row_of(mine.begin), row_of(mine.end)};
  if (split.rows.empty()) return rows;
  const auto sample_of = [&](std::int64_t row) {
    return std::ranges::lower_bound(split.rows, row) - split.rows.begin();
  };
  return {sample_of(rows.begin), sample_of(rows.end)};
}

template <class Pixel>
void read_images(const SplitLayout& split, const Shape& shape, const Range& samples,
                 std::span<Pixel> pixels) {
  ImageReader(split, shape).read(samples, std::as_writable_bytes(pixels));
}

template void read_images<std::uint8_t>(const SplitLayout&, const Shape&, const Range&,
                                        std::span<std::uint8_t>);
template void read_images<float>(const SplitLayout&, const Shape&, const Range&, std::span<float>);

namespace {

void read_target_rows(const SplitLayout& split, const Range& rows, std::span<float> targets) {
  const std::int64_t size = split.target_size;
  for_pieces(split.answers, rows, [&](const AnswerPiece& piece, const Range& here, std::int64_t from) {
    const std::span<float> mine =
        targets.subspan(static_cast<std::size_t>(from * size), static_cast<std::size_t>(here.size() * size));
    io::File::open(piece.file).read_rows<float>(piece.part, stored_rows(here, piece.rows_a_sample), mine);
    require_finite(mine, "target", piece.file, text_of(piece.part), here.begin, size, 1);
  });
}

}  // namespace

void read_targets(const SplitLayout& split, const Range& samples, std::span<float> targets) {
  if (split.rows.empty()) return read_target_rows(split, samples, targets);
  if (samples.size() == 0) return;
  // Targets are small: read all rows between the first and the last.
  const auto size = static_cast<std::size_t>(split.target_size);
  const Range rows{split.row(samples.begin), split.row(samples.end - 1) + 1};
  std::vector<float> all(static_cast<std::size_t>(rows.size()) * size);
  read_target_rows(split, rows, all);
  for (std::int64_t i = samples.begin; i < samples.end; ++i)
    std::ranges::copy(
        std::span(all).subspan(static_cast<std::size_t>(split.row(i) - rows.begin) * size, size),
        targets.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i - samples.begin) * size));
}

const io::File& ImageReader::file_of(const Piece& piece) {
  constexpr std::size_t kMostOpen = 16;
  const auto found = std::ranges::find(open_, piece.file, &OpenFile::path);
  if (found != open_.end()) return found->file;
  // One by one: libhdf5 keeps the memory of one closed file for the next, and returns that of more to the
  // system.
  if (open_.size() == kMostOpen) open_.pop_front();
  return open_.emplace_back(OpenFile{piece.file, io::File::open(piece.file)}).file;
}

void ImageReader::read_rows(const Range& rows, std::span<std::byte> images) {
  const auto read = [&]<class Pixel>(Pixel* pixels) {
    for_pieces(split_.pieces, rows, [&](const Piece& piece, const Range& here, std::int64_t from) {
      read_piece<Pixel>(
          file_of(piece), split_, piece, shape_, here,
          {pixels + from * shape_.size(), static_cast<std::size_t>(here.size() * shape_.size())}, threads_,
          reading_);
    });
  };
  if (is_bytes(split_)) {
    read(reinterpret_cast<std::uint8_t*>(images.data()));
  } else {
    read(reinterpret_cast<float*>(images.data()));
  }
}

void ImageReader::read_listed(std::span<const std::int64_t> rows, std::span<std::byte> images) {
  constexpr std::int64_t kSmallGapBytes = std::int64_t{64} << 10;
  constexpr std::int64_t kMostTogether = std::int64_t{32} << 20;
  const auto size = static_cast<std::int64_t>(images.size() / rows.size());
  for (std::size_t begin = 0; begin < rows.size();) {
    const Piece& piece = piece_of(split_, rows[begin]);
    const auto chunk_of = [&](std::int64_t row) { return (row - piece.rows.begin) / piece.chunk_rows; };
    const auto is_near = [&](std::size_t i) {
      const std::int64_t chunks = chunk_of(rows[i]) - chunk_of(rows[i - 1]);
      if (chunks == 0) return true;
      return (rows[i] - rows[begin]) * size <= kMostTogether &&
             (chunks == 1 || (rows[i] - rows[i - 1]) * size <= kSmallGapBytes);
    };
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end] < piece.rows.end && is_near(end)) ++end;
    const Range together{rows[begin], rows[end - 1] + 1};
    const auto at = [&](std::size_t i) { return images.subspan(i * static_cast<std::size_t>(size)); };
    const auto bytes = static_cast<std::size_t>(together.size() * size);
    if (together.size() == static_cast<std::int64_t>(end - begin)) {
      read_rows(together, at(begin).first(bytes));
    } else {
      scratch_.resize(bytes);
      read_rows(together, scratch_);
      for (std::size_t i = begin; i < end; ++i)
        std::memcpy(at(i).data(), scratch_.data() + (rows[i] - together.begin) * size,
                    static_cast<std::size_t>(size));
    }
    begin = end;
  }
}

void ImageReader::read(const Range& samples, std::span<std::byte> images) {
  if (split_.rows.empty()) return read_rows(samples, images);
  if (samples.size() == 0) return;
  read_listed(std::span(split_.rows)
                  .subspan(static_cast<std::size_t>(samples.begin), static_cast<std::size_t>(samples.size())),
              images);
}

void ImageReader::read(std::span<const std::int64_t> samples, std::span<std::byte> images) {
  if (samples.empty()) return;
  if (split_.rows.empty()) return read_listed(samples, images);
  std::vector<std::int64_t> rows;
  for (const std::int64_t sample : samples) rows.push_back(split_.row(sample));
  read_listed(rows, images);
}

std::vector<std::int64_t> unit_ends(const SplitLayout& split, std::int64_t image_bytes) {
  constexpr std::int64_t kUnitBytes = std::int64_t{1} << 20;
  std::vector<std::int64_t> ends;
  for (const Piece& piece : split.pieces) {
    const std::int64_t chunk_bytes = piece.chunk_rows * image_bytes;
    const std::int64_t unit = piece.chunk_rows * std::max<std::int64_t>(kUnitBytes / chunk_bytes, 1);
    for (std::int64_t end = piece.rows.begin + unit; end < piece.rows.end; end += unit) ends.push_back(end);
    ends.push_back(piece.rows.end);
  }
  if (split.rows.empty()) return ends;
  // From rows to samples; units without any fall away.
  for (std::int64_t& end : ends) end = std::ranges::lower_bound(split.rows, end) - split.rows.begin();
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  if (!ends.empty() && ends.front() == 0) ends.erase(ends.begin());
  return ends;
}

Statistics compute_statistics(const SplitLayout& split, const Shape& shape, const ImagesOfSplit& from) {
  return is_bytes(split) ? statistics_of<std::uint8_t, ByteSums>(split, shape, from)
                         : statistics_of<float, FloatSums>(split, shape, from);
}

}  // namespace convoy::data
