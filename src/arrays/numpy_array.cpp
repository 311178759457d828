#include "convoy/arrays/numpy_array.hpp"

#include <fmt/core.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "convoy/arrays/numpy_header.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/byte_stream.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::arrays {
namespace {

/// The bytes of an .npy file, wherever it is.
class Bytes {
 public:
  virtual ~Bytes() = default;
  /// Fills `to`; returns fewer only at the end.
  virtual std::size_t read(std::span<std::uint8_t> to) = 0;
};

class BytesOfFile final : public Bytes {
 public:
  explicit BytesOfFile(const std::string& path) : stream_(path) {}
  std::size_t read(std::span<std::uint8_t> to) override { return stream_.read(to); }

 private:
  io::ByteStream stream_;
};

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;

Archive open_archive(const std::string& path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive != nullptr) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  const std::string kind = io::kind_of_file(path);
  throw DataError(fmt::format("{} is no archive of numpy arrays ({}); numpy.savez makes one", path,
                              kind.empty() || kind.find("ZIP") != std::string::npos ? why : kind));
}

class BytesOfEntry final : public Bytes {
 public:
  BytesOfEntry(const std::string& path, const std::string& array)
      : name_(array + " of " + path), archive_(open_archive(path)) {
    entry_.reset(zip_fopen(archive_.get(), (array + ".npy").c_str(), 0));
    if (entry_ == nullptr) entry_.reset(zip_fopen(archive_.get(), array.c_str(), 0));
    if (entry_ == nullptr) fail();
  }
  std::size_t read(std::span<std::uint8_t> to) override {
    std::size_t done = 0;
    while (done < to.size()) {
      constexpr std::size_t kMostBytes = std::size_t{1} << 30;
      // Also checks the checksum, at the entry's end.
      const zip_int64_t got =
          zip_fread(entry_.get(), to.data() + done, std::min(to.size() - done, kMostBytes));
      if (got < 0) fail();
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  [[noreturn]] void fail() const {
    throw DataError(fmt::format("array {} is damaged (it cannot be unpacked); copy the file again", name_));
  }
  std::string name_;
  Archive archive_;
  std::unique_ptr<zip_file_t, CloseEntry> entry_;
};

double half(std::uint16_t bits) {
  constexpr int kFraction = 10;
  const unsigned exponent = bits >> kFraction & 0x1FU;
  const unsigned fraction = bits & 0x3FFU;
  const double size = exponent == 31  ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(fraction + 1024U, static_cast<int>(exponent) - 25);
  return (bits & 0x8000U) != 0 ? -size : size;
}

/// A number of `size` bytes in this machine's order.
double number_of(const std::uint8_t* bytes, char kind, std::size_t size) {
  std::uint64_t raw = 0;
  std::memcpy(&raw, bytes, size);  // little-endian machines alone
  static_assert(std::endian::native == std::endian::little);
  if (kind == 'f' && size == 8) return std::bit_cast<double>(raw);
  if (kind == 'f' && size == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(raw));
  if (kind == 'f') return half(static_cast<std::uint16_t>(raw));
  if (kind == 'b') return raw == 0 ? 0 : 1;
  if (kind == 'u') return static_cast<double>(raw);
  const unsigned shift = static_cast<unsigned>(64 - 8 * size);
  return static_cast<double>(static_cast<std::int64_t>(raw << shift) >> shift);
}

class NumpyArray final : public ArrayReader {
 public:
  NumpyArray(std::string name, std::unique_ptr<Bytes> bytes)
      : name_(std::move(name)), bytes_(std::move(bytes)) {
    head_.resize(kMostNumpyHeaderBytes);
    head_.resize(bytes_->read(head_));
    const std::string_view text(reinterpret_cast<const char*>(head_.data()), head_.size());
    const auto header = parse_numpy_header(text);
    if (!header) {
      const std::string kind = io::kind_of_content(text.substr(0, 512));
      throw DataError(fmt::format("{} is no numpy array{}; numpy.save and savez make them", name_,
                                  kind.empty() ? "" : " (" + kind + ")"));
    }
    head_.erase(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(header->bytes));
    is_fortran_ = header->is_fortran && header->dims.size() > 1;
    dims_ = header->dims;
    if (is_fortran_) std::ranges::reverse(dims_);
    require_numbers(header->type);
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const Dims& dims() const override { return dims_; }
  [[nodiscard]] bool is_bytes() const override { return kind_ == 'u' && size_ == 1; }
  [[nodiscard]] bool is_fortran() const { return is_fortran_; }

  void read(std::span<std::uint8_t> to) override { take(to); }

  void read(std::span<double> to) override {
    constexpr std::size_t kPiece = 1 << 16;
    for (std::size_t done = 0; done < to.size();) {
      const std::size_t count = std::min(kPiece, to.size() - done);
      piece_.resize(count * size_);
      take(piece_);
      for (std::size_t i = 0; i < count; ++i) {
        std::uint8_t* number = piece_.data() + i * size_;
        if (is_big_endian_) std::reverse(number, number + size_);
        to[done + i] = number_of(number, kind_, size_);
      }
      done += count;
    }
  }

  void require_end() override {
    std::uint8_t one = 0;
    if (!head_.empty() || bytes_->read({&one, 1}) > 0)
      throw DataError(fmt::format("{} goes on after its last number; save it again", name_));
  }

 private:
  void require_numbers(const std::string& type) {
    const char order = type.empty() ? '|' : type.front();
    kind_ = type.size() > 1 ? type[1] : 'V';
    const std::string digits = type.size() > 2 ? type.substr(2) : "";
    size_ = digits.size() == 1 ? static_cast<std::size_t>(digits[0] - '0') : 0;
    is_big_endian_ = order == '>';
    if (kind_ == 'O')
      throw DataError(
          fmt::format("{} holds Python objects (pickled), which may run programs and are not read; save "
                      "numbers, as np.stack(array) or array.astype('float32')",
                      name_));
    const bool is_whole = kind_ == 'u' || kind_ == 'i';
    const bool is_known = (is_whole && (size_ == 1 || size_ == 2 || size_ == 4 || size_ == 8)) ||
                          (kind_ == 'f' && (size_ == 2 || size_ == 4 || size_ == 8)) ||
                          (kind_ == 'b' && size_ == 1);
    if (!is_known || std::string_view("<>|=").find(order) == std::string_view::npos)
      throw DataError(
          fmt::format("{} has the type {}; integers, bool, and floating-point numbers of 16, 32 and 64 bits "
                      "are read",
                      name_, type.empty() ? "of a structure" : type));
  }

  void take(std::span<std::uint8_t> to) {
    const std::size_t from_head = std::min(to.size(), head_.size());
    std::copy_n(head_.begin(), from_head, to.begin());
    head_.erase(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(from_head));
    if (bytes_->read(to.subspan(from_head)) < to.size() - from_head)
      throw DataError(fmt::format("{} is cut short (it is {}); copy it again", name_, to_string(dims_)));
  }

  std::string name_;
  std::unique_ptr<Bytes> bytes_;
  std::vector<std::uint8_t> head_;  ///< numbers that were read with the header
  std::vector<std::uint8_t> piece_;
  Dims dims_;
  bool is_fortran_ = false;
  bool is_big_endian_ = false;
  char kind_ = 'u';
  std::size_t size_ = 1;
};

void require_file(const std::string& path) {
  if (!io::exists(path)) throw ConfigError("no such file: " + path);
  io::require_regular_file(path);
}

}  // namespace

std::unique_ptr<ArrayReader> open_npy(const std::string& path) {
  require_file(path);
  return std::make_unique<NumpyArray>(path, std::make_unique<BytesOfFile>(path));
}

NumpyArchive::NumpyArchive(const std::string& path) : path_(path) {
  require_file(path);
  const Archive archive = open_archive(path);
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    const char* text = zip_get_name(archive.get(), static_cast<zip_uint64_t>(i), 0);
    std::string name = text == nullptr ? "" : text;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    names_.push_back(std::move(name));
  }
}

bool NumpyArchive::has(const std::string& array) const {
  return std::ranges::find(names_, array) != names_.end();
}

std::unique_ptr<ArrayReader> NumpyArchive::open(const std::string& array) const {
  return std::make_unique<NumpyArray>(array + " of " + path_, std::make_unique<BytesOfEntry>(path_, array));
}

bool is_fortran(const ArrayReader& array) {
  const auto* numpy = dynamic_cast<const NumpyArray*>(&array);
  return numpy != nullptr && numpy->is_fortran();
}

}  // namespace convoy::arrays
