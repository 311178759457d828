#include "convoy/arrays/mat_array.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/hdf5/child_process.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::arrays {
namespace {

class MatArray final : public ArrayReader {
 public:
  MatArray(std::shared_ptr<const io::File> file, const std::string& variable)
      : file_(std::move(file)), path_("/" + variable), name_(variable + " of " + file_->path()) {
    const io::DatasetInfo info = file_->info(path_);
    dims_ = info.dims;
    is_bytes_ = info.type == io::ElementType::kUint8;
    if (!is_integer(info.type) && !is_real(info.type))
      throw DataError(
          fmt::format("{} holds {}; images and labels are numbers", name_, element_name(info.type)));
    if (info.promises_too_much())
      throw DataError(
          fmt::format("{} is {}, more than the file can hold; copy it again", name_, to_string(dims_)));
    if (dims_.empty() || std::ranges::find(dims_, 0) != dims_.end())
      throw DataError(fmt::format("{} is {}; there is nothing in it", name_, to_string(dims_)));
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const Dims& dims() const override { return dims_; }
  [[nodiscard]] bool is_bytes() const override { return is_bytes_; }
  void read(std::span<std::uint8_t> to) override { read_rows(to); }
  void read(std::span<double> to) override { read_rows(to); }
  void require_end() override {}  // HDF5 knows the size of what it stores

 private:
  template <class T>
  void read_rows(std::span<T> to) {
    const std::int64_t rows = static_cast<std::int64_t>(to.size()) / (count(dims_) / dims_.front());
    file_->read_rows<T>(path_, {next_, next_ + rows}, to);
    next_ += rows;
  }

  std::shared_ptr<const io::File> file_;
  std::string path_;
  std::string name_;
  Dims dims_;
  bool is_bytes_ = false;
  std::int64_t next_ = 0;
};

void require_mat(const std::string& path) {
  if (!io::exists(path)) throw ConfigError("no such file: " + path);
  io::require_regular_file(path);
  std::array<char, 128> bytes{};
  const io::Descriptor file(path, O_RDONLY, "open");
  const std::string_view head(bytes.data(),
                              static_cast<std::size_t>(file.read(bytes.data(), bytes.size(), 0)));
  const std::string stem = path.substr(0, path.ends_with(".mat") ? path.size() - 4 : path.size());
  if (head.starts_with("MATLAB 5.0 MAT-file"))
    throw DataError(
        fmt::format("{} is a file of MATLAB 5 to 7; type in MATLAB: s = load('{}'); save('{}_v73.mat', "
                    "'-struct', 's', '-v7.3')",
                    path, path, stem));
  const std::string kind = io::kind_of_file(path);
  if (!head.starts_with("MATLAB 7.3") && !head.starts_with("\x89HDF\r\n\x1a\n"))
    throw DataError(fmt::format("{} is no file of MATLAB 7.3{}; save(…, '-v7.3') makes one", path,
                                kind.empty() ? "" : " (" + kind + ")"));
}

/// Reads the first and the last rows, as a later reading will: libhdf5 crashes on some damaged
/// files.
void read_sample(const std::string& path, const std::vector<std::string>& names) {
  const auto file = std::make_shared<io::File>(io::File::open(path));
  constexpr std::int64_t kMostNumbers = std::int64_t{16} << 20;
  for (const std::string& variable : names) {
    const MatArray array(file, variable);
    const std::int64_t row = count(array.dims()) / array.dims().front();
    const std::int64_t rows = std::min(array.dims().front(), kMostNumbers / row + 1);
    std::vector<double> numbers(static_cast<std::size_t>(rows * row));
    file->read_rows<double>("/" + variable, {0, rows}, numbers);
    file->read_rows<double>("/" + variable, {array.dims().front() - rows, array.dims().front()}, numbers);
  }
}

}  // namespace

std::vector<std::unique_ptr<ArrayReader>> open_mat(const std::string& path,
                                                   const std::vector<std::string>& names) {
  require_mat(path);
  io::run_in_child(path, [&] { read_sample(path, names); });
  const auto file = std::make_shared<io::File>(io::File::open(path));
  std::vector<std::unique_ptr<ArrayReader>> opened;
  for (const std::string& name : names) opened.push_back(std::make_unique<MatArray>(file, name));
  return opened;
}

}  // namespace convoy::arrays
