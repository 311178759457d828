#include "call.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "filters.hpp"

namespace convoy::io {
namespace {

struct InnermostError {
  std::string text;
  bool is_memory = false;
};

herr_t keep_first(unsigned /*depth*/, const H5E_error2_t* error, void* data) {
  auto& innermost = *static_cast<InnermostError*>(data);
  if (innermost.text.empty() && error->desc != nullptr) {
    innermost.text = error->desc;
    innermost.is_memory =
        error->maj_num == H5E_RESOURCE && (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC);
  }
  return 0;
}

}  // namespace

namespace {

// HDF5 1.10 to 1.14: "truncated file: eof = 60000, sblock->base_addr = 0, stored_eof = 102152".
std::string truncation_in_words(const std::string& text) {
  const auto number_after = [&](std::string_view word) -> std::optional<std::int64_t> {
    const auto at = text.find(word);
    if (at == std::string::npos) return std::nullopt;
    const std::size_t begin = at + word.size();
    return parse_integer(text.substr(begin, text.find_first_not_of("0123456789", begin) - begin));
  };
  const auto have = number_after(": eof = ");
  const auto user_block = number_after("base_addr = ");
  const auto wanted = number_after("stored_eof = ");
  if (!text.starts_with("truncated file") || !have || !wanted) return {};
  return fmt::format("truncated: {} of {} bytes; copy or download it again",
                     grouped(*have + user_block.value_or(0)), grouped(*wanted));
}

}  // namespace

std::string describe(const Place& place) {
  return place.object.empty() ? place.file : place.file + ", object " + place.object;
}

void start_hdf5() {
  // close() flushes all data. HDF5's exit handler would only try again to flush files that could not be
  // written.
  H5dont_atexit();
  H5open();
  register_filters();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

void throw_hdf5(const char* doing, const Place& place) {
  InnermostError innermost;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &innermost);
  H5Eclear2(H5E_DEFAULT);
  const std::string& text = innermost.text;
  std::string message =
      fmt::format("cannot {} {} (HDF5: {})", doing, describe(place), text.empty() ? "no reason given" : text);
  if (const std::string words = truncation_in_words(text); !words.empty())
    throw DataError(fmt::format("cannot {} {} ({})", doing, describe(place), words));
  if (place.object.empty() && place.access != Access::kWrite)
    message += "; the file is damaged, or the program that wrote it did not end";
  if (text.find("lock file") != std::string::npos)
    message += "; unset HDF5_USE_FILE_LOCKING or set it to FALSE: this file system has no file locks";
  const bool by_system = text.find("errno = ") != std::string::npos;
  if (by_system || place.access == Access::kWrite) throw IoError(message);
  if (innermost.is_memory) throw OutOfMemory(message);
  throw DataError(message);
}

hid_t memory_type(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return H5T_NATIVE_UINT8;
    case ElementType::kInt64:
      return H5T_NATIVE_INT64;
    case ElementType::kFloat32:
      return H5T_NATIVE_FLOAT;
    default:
      return H5T_NATIVE_DOUBLE;
  }
}

namespace {

ElementType classify_integer(hid_t type) {
  using enum ElementType;
  constexpr std::array kSigned{kInt8, kInt16, kInt32, kInt64};
  constexpr std::array kUnsigned{kUint8, kUint16, kUint32, kUint64};
  const std::size_t bytes = H5Tget_size(type);
  if (bytes > sizeof(std::int64_t) || !std::has_single_bit(bytes)) return kOther;
  const auto place = static_cast<std::size_t>(std::countr_zero(bytes));
  return H5Tget_sign(type) == H5T_SGN_2 ? kSigned.at(place) : kUnsigned.at(place);
}

ElementType classify_float(hid_t type) {
  switch (H5Tget_size(type)) {
    case 2:
      return ElementType::kFloat16;
    case 4:
      return ElementType::kFloat32;
    case 8:
      return ElementType::kFloat64;
    default:
      return ElementType::kOtherFloat;
  }
}

ElementType classify_enumeration(hid_t type) {
  constexpr int kTruthValues = 2;
  if (H5Tget_nmembers(type) != kTruthValues) return ElementType::kEnum;
  char* first = H5Tget_member_name(type, 0);
  const bool is_bool =
      first != nullptr && (std::strcmp(first, "FALSE") == 0 || std::strcmp(first, "TRUE") == 0);
  H5free_memory(first);
  return is_bool ? ElementType::kBool : ElementType::kEnum;
}

}  // namespace

ElementType classify(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return classify_integer(type);
    case H5T_FLOAT:
      return classify_float(type);
    case H5T_ENUM:
      return classify_enumeration(type);
    case H5T_STRING:
      return ElementType::kString;
    case H5T_COMPOUND:
      return ElementType::kCompound;
    case H5T_VLEN:
      return ElementType::kVlen;
    case H5T_OPAQUE:
      return ElementType::kOpaque;
    case H5T_REFERENCE:
      return ElementType::kReference;
    default:
      return ElementType::kOther;
  }
}

bool is_integer(ElementType type) {
  return type <= ElementType::kEnum;
}

bool is_real(ElementType type) {
  return type >= ElementType::kFloat16 && type <= ElementType::kOtherFloat;
}

std::string_view element_name(ElementType type) {
  constexpr std::array<std::string_view, 20> kNames{"uint8",
                                                    "int8",
                                                    "int16",
                                                    "uint16",
                                                    "int32",
                                                    "uint32",
                                                    "int64",
                                                    "uint64",
                                                    "bool",
                                                    "an enumeration",
                                                    "float16",
                                                    "float32",
                                                    "float64",
                                                    "another float type",
                                                    "string",
                                                    "a compound type",
                                                    "variable-length",
                                                    "opaque",
                                                    "a reference",
                                                    "no plain type"};
  return kNames.at(static_cast<std::size_t>(type));
}

Dims extents(hid_t space, const Place& place) {
  const int rank = checked(H5Sget_simple_extent_ndims(space), "read the shape of", place);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  checked(H5Sget_simple_extent_dims(space, sizes.data(), nullptr), "read the shape of", place);
  Dims dims(sizes.size());
  std::int64_t elements = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > static_cast<hsize_t>(INT64_MAX) ||
        __builtin_mul_overflow(std::max<std::int64_t>(1, static_cast<std::int64_t>(sizes[i])), elements,
                               &elements))
      throw DataError("wrong shape in " + describe(place) + " (it has more elements than fit in 64 bits)");
    dims[i] = static_cast<std::int64_t>(sizes[i]);
  }
  return dims;
}

std::vector<hsize_t> to_hsize(const Dims& dims) {
  return {dims.begin(), dims.end()};
}

TypeHandle text_type(const Place& place) {
  TypeHandle type(H5Tcopy(H5T_C_S1), "make a text type for", place);
  checked(H5Tset_size(type.get(), H5T_VARIABLE), "make a text type for", place);
  checked(H5Tset_cset(type.get(), H5T_CSET_UTF8), "make a text type for", place);
  return type;
}

std::vector<std::string> read_texts(hid_t type, hid_t space, const Place& place,
                                    const std::function<herr_t(hid_t, void*)>& read) {
  // For attributes and lists of names. Bound the allocation: a damaged count may be huge.
  constexpr hssize_t kMostTexts = 1 << 20;
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  const hssize_t texts = checked(H5Sget_simple_extent_npoints(space), "read the shape of", place);
  if (H5Tget_class(type) != H5T_STRING)
    throw DataError("wrong type in " + describe(place) + " (it is no text); it should hold UTF-8 strings");
  if (texts > kMostTexts)
    throw DataError("wrong shape in " + describe(place) + " (it holds over a million strings)");
  std::vector<std::string> values(static_cast<std::size_t>(texts));
  if (values.empty()) return values;
  if (checked(H5Tis_variable_str(type), "read the type of", place) > 0) {
    std::vector<char*> pointers(values.size(), nullptr);
    const TypeHandle memory(H5Tcopy(type), "read", place);
    checked(read(memory.get(), static_cast<void*>(pointers.data())), "read", place);
    std::ranges::transform(pointers, values.begin(),
                           [](const char* text) { return text == nullptr ? "" : text; });
    checked(H5Dvlen_reclaim(memory.get(), space, H5P_DEFAULT, static_cast<void*>(pointers.data())), "read",
            place);
    return values;
  }
  const std::size_t width = H5Tget_size(type);
  if (width == 0 || width > kMostBytes / values.size())
    throw DataError(
        fmt::format("wrong shape in {} (its strings take {} bytes each)", describe(place), width));
  const bool space_padded = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  std::vector<char> characters(width * values.size());
  checked(read(type, characters.data()), "read", place);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char* text = characters.data() + i * width;
    values[i].assign(text, ::strnlen(text, width));
    if (space_padded) values[i].erase(values[i].find_last_not_of(' ') + 1);
  }
  return values;
}

std::string hdf5_version() {
  // Cached: the call enters the library, and later the I/O thread may be inside it.
  static const std::string version = [] {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    H5get_libversion(&major, &minor, &release);
    return fmt::format("{}.{}.{}", major, minor, release);
  }();
  return version;
}

}  // namespace convoy::io
