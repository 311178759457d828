#include "npz.hpp"

#include <fmt/core.h>
#include <zip.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "convoy/arrays/numpy_header.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "numbers.hpp"

namespace convoy::exchange {
namespace {

struct Close {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// Reads piece by piece: a damaged archive may promise any size.
std::string read_entry(zip_t* archive, zip_uint64_t index, const std::string& path) {
  constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(archive, index, 0));
  std::string bytes;
  std::vector<char> piece(kPieceBytes);
  zip_int64_t count = file == nullptr ? -1 : 1;
  while (count > 0) {
    count = zip_fread(file.get(), piece.data(), piece.size());  // checks the checksum at the end
    if (count > 0) bytes.append(piece.data(), static_cast<std::size_t>(count));
  }
  if (count < 0)
    throw DataError(fmt::format("{} is damaged (an array cannot be unpacked); copy it again", path));
  return bytes;
}

/// Nothing for arrays of integers.
std::optional<ExportedTensor> tensor_of(const std::string& name, const std::string& bytes,
                                        const std::string& path) {
  const std::optional<arrays::NumpyHeader> array = arrays::parse_numpy_header(bytes);
  if (!array)
    throw DataError(
        fmt::format("{} in {} is no numpy array; numpy.savez makes archives of them", name, path));
  if (array->type.size() > 1 && (array->type[1] == 'i' || array->type[1] == 'u' || array->type[1] == 'b'))
    return {};
  if ((array->type != "<f4" && array->type != "<f8") || (array->is_fortran && array->dims.size() > 1))
    throw DataError(fmt::format("array {} of {} has the type {}{}; save it as float32 or float64 in C order",
                                name, path, array->type, array->is_fortran ? " in Fortran order" : ""));
  ExportedTensor tensor{.name = name, .dims = array->dims, .values = {}};
  const std::string_view numbers = std::string_view(bytes).substr(array->bytes);
  tensor.values = array->type == "<f4" ? numbers_of<float>(numbers) : numbers_of<double>(numbers);
  if (static_cast<double>(tensor.values.size()) != elements_of(tensor.dims))
    throw DataError(fmt::format("array {} of {} has {} numbers, not those of {}", name, path,
                                tensor.values.size(), to_string(tensor.dims)));
  return tensor;
}

}  // namespace

std::vector<ExportedTensor> npz_tensors(const std::string& bytes, const std::string& path) {
  const auto refused = [&](const std::string& why) {
    return DataError(fmt::format("{} is no archive of numpy arrays ({}); numpy.savez makes one", path, why));
  };
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  const std::unique_ptr<zip_t, Close> archive(
      source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error));
  const std::string why = archive == nullptr ? zip_error_strerror(&error) : "";
  if (archive == nullptr && source != nullptr) zip_source_free(source);
  zip_error_fini(&error);
  if (archive == nullptr) throw refused(why);
  if (zip_get_num_entries(archive.get(), 0) == 0) throw refused("it is empty");
  std::vector<ExportedTensor> tensors;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0)); ++i) {
    zip_stat_t facts;
    if (zip_stat_index(archive.get(), i, 0, &facts) != 0 || (facts.valid & ZIP_STAT_NAME) == 0)
      throw refused("an entry has no name");
    std::string name = facts.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    if (auto tensor = tensor_of(name, read_entry(archive.get(), i, path), path))
      tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

}  // namespace convoy::exchange
