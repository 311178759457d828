#include "images.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <vector>

#include "convoy/core/error.hpp"

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
template <class Read>
void for_pieces(const SplitLayout& split, const Range& rows, const Read& read) {
  // First piece that ends after the first row.
  auto piece =
      std::ranges::upper_bound(split.pieces, rows.begin, {}, [](const Piece& each) { return each.rows.end; });
  for (; piece != split.pieces.end() && piece->rows.begin < rows.end; ++piece) {
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

/// `rows` are indices within the file.
template <class Pixel>
void read_piece(const io::File& file, const SplitLayout& split, const Piece& piece, const Shape& shape,
                const Range& rows, std::span<Pixel> pixels) {
  if (split.axes != Axes::kNhwc || shape.c == 1) {
    file.read_rows<Pixel>(piece.images, rows, pixels);
  } else {
    std::vector<Pixel> as_stored;
    const std::int64_t step = rows_at_once(piece, shape);
    for (std::int64_t begin = rows.begin; begin < rows.end;) {
      const std::int64_t end = std::min((begin / step + 1) * step, rows.end);
      as_stored.resize(static_cast<std::size_t>((end - begin) * shape.size()));
      file.read_rows<Pixel>(piece.images, {begin, end}, as_stored);
      channels_first<Pixel>(as_stored, shape, pixels.data() + (begin - rows.begin) * shape.size());
      begin = end;
    }
  }
  if constexpr (std::same_as<Pixel, float>)
    require_finite(pixels, "pixel", piece.file, piece.images, rows.begin, shape.size());
}

template <class Pixel, class Sums>
Statistics statistics_of(const SplitLayout& split, const Shape& shape) {
  std::vector<Pixel> pixels;
  Sums sums(shape);
  for (const Piece& piece : split.pieces) {
    const std::int64_t step = rows_at_once(piece, shape);
    for (std::int64_t begin = piece.rows.begin; begin < piece.rows.end; begin += step) {
      const Range rows{begin, std::min(begin + step, piece.rows.end)};
      pixels.resize(static_cast<std::size_t>(rows.size() * shape.size()));
      read_images<Pixel>(split, shape, rows, pixels);
      sums.add(pixels);
    }
  }
  return sums.statistics();
}

}  // namespace

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
    return split.samples;
  };
  const Range mine = convoy::split(chunks, size, index);
  return {row_of(mine.begin), row_of(mine.end)};
}

template <class Pixel>
void read_images(const SplitLayout& split, const Shape& shape, const Range& rows, std::span<Pixel> pixels) {
  ImageReader(split, shape).read(rows, std::as_writable_bytes(pixels));
}

template void read_images<std::uint8_t>(const SplitLayout&, const Shape&, const Range&,
                                        std::span<std::uint8_t>);
template void read_images<float>(const SplitLayout&, const Shape&, const Range&, std::span<float>);

void read_targets(const SplitLayout& split, const Range& rows, std::span<float> targets) {
  const std::int64_t size = split.target_size;
  for_pieces(split, rows, [&](const Piece& piece, const Range& here, std::int64_t from) {
    const std::span<float> mine =
        targets.subspan(static_cast<std::size_t>(from * size), static_cast<std::size_t>(here.size() * size));
    io::File::open(piece.file).read_rows<float>(piece.targets, here, mine);
    require_finite(mine, "target", piece.file, piece.targets, here.begin, size);
  });
}

const io::File& ImageReader::file_of(const Piece& piece) {
  constexpr std::size_t kMostOpen = 16;
  const auto found = open_.find(piece.file);
  if (found != open_.end()) return found->second;
  if (open_.size() == kMostOpen) open_.clear();
  return open_.emplace(piece.file, io::File::open(piece.file)).first->second;
}

void ImageReader::read(const Range& rows, std::span<std::byte> images) {
  const auto read = [&]<class Pixel>(Pixel* pixels) {
    for_pieces(split_, rows, [&](const Piece& piece, const Range& here, std::int64_t from) {
      read_piece<Pixel>(
          file_of(piece), split_, piece, shape_, here,
          {pixels + from * shape_.size(), static_cast<std::size_t>(here.size() * shape_.size())});
    });
  };
  if (is_bytes(split_)) {
    read(reinterpret_cast<std::uint8_t*>(images.data()));
  } else {
    read(reinterpret_cast<float*>(images.data()));
  }
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
  return ends;
}

Statistics compute_statistics(const SplitLayout& split, const Shape& shape) {
  return is_bytes(split) ? statistics_of<std::uint8_t, ByteSums>(split, shape)
                         : statistics_of<float, FloatSums>(split, shape);
}

}  // namespace convoy::data
