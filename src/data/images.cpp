#include "images.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <concepts>
#include <cstring>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/math.hpp"
#include "convoy/hdf5/chunk_reader.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kPieceElements = std::int64_t{1} << 22;

/// Values of data set `path` of `file`, `size` numbers per sample, from sample `first` on.
void require_finite(std::span<const float> values, const std::string& what, const std::string& file,
                    const std::string& path, std::int64_t first, std::int64_t size) {
  const auto wrong = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
  if (wrong == values.end()) return;
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

/// dst[n][c][i] = src[n][i][c]; i counts the pixels of a channel.
template <class Pixel>
void channels_first(std::span<const Pixel> src, const Shape& shape, Pixel* dst) {
  const std::int64_t plane = shape.h * shape.w;
  const auto images = static_cast<std::int64_t>(src.size()) / shape.size();
  for (std::int64_t n = 0; n < images; ++n) {
    const Pixel* from = src.data() + n * shape.size();
    Pixel* to = dst + n * shape.size();
    for (std::int64_t i = 0; i < plane; ++i)
      for (std::int64_t c = 0; c < shape.c; ++c) to[c * plane + i] = from[i * shape.c + c];
  }
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

/// As read_piece(), by whole chunks that `threads` threads decompress. False, with any content of `pixels`,
/// if the data set is not stored so, or a chunk is damaged or missing.
template <class Pixel>
bool read_chunks(const io::File& file, const SplitLayout& split, const Piece& piece, const Shape& shape,
                 const Range& rows, std::span<Pixel> pixels, int threads) {
  constexpr std::int64_t kBytesAtOnce = std::int64_t{4} << 20;  // so that memory is used again
  if (piece.rows_a_sample > 1 || rows.size() < 2 * piece.chunk_rows) return false;
  const auto chunks = io::ChunkReader::open(file, piece.images, io::kElementType<Pixel>);
  if (!chunks) return false;
  const std::int64_t chunk_rows = chunks->rows_per_chunk();
  const std::int64_t size = shape.size();
  const auto chunk_pixels = static_cast<std::size_t>(chunk_rows * size);
  const std::int64_t at_once =
      std::max<std::int64_t>(kBytesAtOnce / static_cast<std::int64_t>(chunk_pixels * sizeof(Pixel)), threads);
  const bool is_stored_so = split.axes != Axes::kNhwc || shape.c == 1;
  const std::int64_t end = (rows.end + chunk_rows - 1) / chunk_rows;
  std::atomic<bool> is_whole{true};
  for (std::int64_t begin = rows.begin / chunk_rows; begin < end && is_whole; begin += at_once) {
    std::vector<io::ChunkReader::Stored> stored;
    for (std::int64_t chunk = begin; chunk < std::min(begin + at_once, end); ++chunk) {
      auto each = chunks->read(chunk);
      if (!each) return false;
      stored.push_back(std::move(*each));
    }
    const auto decode = [&](std::int64_t i) {
      const Range all{(begin + i) * chunk_rows, (begin + i + 1) * chunk_rows};
      const Range here{std::max(all.begin, rows.begin), std::min(all.end, rows.end)};
      const std::span<Pixel> to = pixels.subspan(static_cast<std::size_t>((here.begin - rows.begin) * size),
                                                 static_cast<std::size_t>(here.size() * size));
      const auto& chunk = stored[static_cast<std::size_t>(i)];
      if (is_stored_so && here == all) return chunks->decode(chunk, std::as_writable_bytes(to));
      std::vector<Pixel> whole(chunk_pixels);
      if (!chunks->decode(chunk, std::as_writable_bytes(std::span(whole)))) return false;
      const auto wanted = std::span<const Pixel>(whole).subspan(
          static_cast<std::size_t>((here.begin - all.begin) * size), to.size());
      if (is_stored_so)
        std::ranges::copy(wanted, to.begin());
      else
        channels_first<Pixel>(wanted, shape, to.data());
      return true;
    };
    const auto count = static_cast<std::int64_t>(stored.size());
#pragma omp parallel for schedule(dynamic) num_threads(threads) default(none) shared(count, decode, is_whole)
    for (std::int64_t i = 0; i < count; ++i)
      if (!decode(i)) is_whole = false;
  }
  return is_whole;
}

/// `rows` are indices within the file.
template <class Pixel>
void read_piece(const io::File& file, const SplitLayout& split, const Piece& piece, const Shape& shape,
                const Range& rows, std::span<Pixel> pixels, int threads) {
  if (read_chunks(file, split, piece, shape, rows, pixels, threads)) {
    // all of them
  } else if (split.axes != Axes::kNhwc || shape.c == 1) {
    file.read_rows<Pixel>(piece.images, stored_rows(rows, piece.rows_a_sample), pixels);
  } else {
    std::vector<Pixel> as_stored;
    const std::int64_t step = rows_at_once(piece, shape);
    for (std::int64_t begin = rows.begin; begin < rows.end;) {
      const std::int64_t end = std::min((begin / step + 1) * step, rows.end);
      as_stored.resize(static_cast<std::size_t>((end - begin) * shape.size()));
      file.read_rows<Pixel>(piece.images, stored_rows({begin, end}, piece.rows_a_sample), as_stored);
      channels_first<Pixel>(as_stored, shape, pixels.data() + (begin - rows.begin) * shape.size());
      begin = end;
    }
  }
  if constexpr (std::same_as<Pixel, float>) {
    require_finite(pixels, "pixel", piece.file, piece.images, rows.begin, shape.size());
    if (split.function == PixelFunction::kLog1p) require_logarithm(pixels, piece, rows.begin, shape.size());
  }
}

/// Calls use(images) for all images of the split, some at a time, in order.
template <class Pixel, class Use>
void for_images(const SplitLayout& split, const Shape& shape, LoadObserver* observer, const Use& use) {
  const std::string what = "mean and deviation of the " + split.name + " images";
  const auto image_bytes = shape.size() * static_cast<std::int64_t>(sizeof(Pixel));
  LoadProgress progress(observer, what, split.samples * image_bytes);
  std::vector<Pixel> pixels;
  ImageReader reader(split, shape);
  const std::int64_t step = rows_at_once(split.pieces.front(), shape);
  for (std::int64_t begin = 0; begin < split.samples; begin += step) {
    const Range samples{begin, std::min(begin + step, split.samples)};
    pixels.resize(static_cast<std::size_t>(samples.size() * shape.size()));
    reader.read(samples, std::as_writable_bytes(std::span(pixels)));
    use(std::span(pixels));
    progress.add(samples.size() * image_bytes);
  }
}

template <class Pixel>
Statistics statistics_of_logarithms(const SplitLayout& split, const Shape& shape, LoadObserver* observer) {
  FloatSums sums(shape);
  std::vector<float> logarithms;
  for_images<Pixel>(split, shape, observer, [&](std::span<const Pixel> pixels) {
    logarithms.resize(pixels.size());
    std::ranges::transform(pixels, logarithms.begin(),
                           [](Pixel x) { return static_cast<float>(math::log1p(static_cast<double>(x))); });
    sums.add(logarithms);
  });
  return sums.statistics();
}

template <class Pixel, class Sums>
Statistics statistics_of(const SplitLayout& split, const Shape& shape, LoadObserver* observer) {
  if (split.function == PixelFunction::kLog1p) return statistics_of_logarithms<Pixel>(split, shape, observer);
  Sums sums(shape);
  for_images<Pixel>(split, shape, observer, [&](std::span<const Pixel> pixels) { sums.add(pixels); });
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
    require_finite(mine, "target", piece.file, text_of(piece.part), here.begin, size);
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
  const auto found = open_.find(piece.file);
  if (found != open_.end()) return found->second;
  if (open_.size() == kMostOpen) open_.clear();
  return open_.emplace(piece.file, io::File::open(piece.file)).first->second;
}

void ImageReader::read_rows(const Range& rows, std::span<std::byte> images) {
  const auto read = [&]<class Pixel>(Pixel* pixels) {
    for_pieces(split_.pieces, rows, [&](const Piece& piece, const Range& here, std::int64_t from) {
      read_piece<Pixel>(
          file_of(piece), split_, piece, shape_, here,
          {pixels + from * shape_.size(), static_cast<std::size_t>(here.size() * shape_.size())}, threads_);
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

Statistics compute_statistics(const SplitLayout& split, const Shape& shape, LoadObserver* observer) {
  return is_bytes(split) ? statistics_of<std::uint8_t, ByteSums>(split, shape, observer)
                         : statistics_of<float, FloatSums>(split, shape, observer);
}

}  // namespace convoy::data
