// The attribute functions of File.

#include <fmt/core.h>

#include <algorithm>

#include "call.hpp"
#include "convoy/core/error.hpp"
#include "convoy/hdf5/file.hpp"

namespace convoy::io {
namespace {

// An attribute opened for reading, with its properties.
struct Reading {
  Place place;
  AttributeHandle handle;
  TypeHandle type;
  SpaceHandle space;
  ElementType element = ElementType::kOther;
  Dims dims;
};

Reading open_attribute(hid_t file, const Place& object, const std::string& name) {
  if (checked(H5Aexists_by_name(file, object.object.c_str(), name.c_str(), H5P_DEFAULT), "look up", object) ==
      0)
    throw DataError(fmt::format("missing attribute in {} (it has no '{}')", describe(object), name));
  Reading reading;
  reading.place = object;
  reading.place.object += ", attribute '" + name + "'";
  reading.handle =
      AttributeHandle(H5Aopen_by_name(file, object.object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                      "open", reading.place);
  reading.type = TypeHandle(H5Aget_type(reading.handle.get()), "read the type of", reading.place);
  reading.space = SpaceHandle(H5Aget_space(reading.handle.get()), "read the shape of", reading.place);
  reading.element = classify(reading.type.get());
  reading.dims = extents(reading.space.get(), reading.place);
  if (reading.dims.size() > 1)
    throw DataError(fmt::format("wrong shape in {} (it is [{}]); it should have one dimension",
                                describe(reading.place), to_string(reading.dims)));
  return reading;
}

[[noreturn]] void throw_wrong_type(const Reading& reading, const char* right) {
  throw DataError(fmt::format("wrong type in {} (it is {}); it should be {}", describe(reading.place),
                              element_name(reading.element), right));
}

template <class T>
std::vector<T> read_numbers(const Reading& reading, hid_t memory) {
  // Bound the allocation: HDF5 keeps attributes small, but a damaged count may be huge.
  constexpr std::int64_t kMostValues = 1 << 20;
  if (count(reading.dims) > kMostValues)
    throw DataError("wrong shape in " + describe(reading.place) + " (it holds over a million values)");
  std::vector<T> values(static_cast<std::size_t>(count(reading.dims)));
  if (!values.empty()) checked(H5Aread(reading.handle.get(), memory, values.data()), "read", reading.place);
  return values;
}

template <class T>
std::vector<T> read_values(const Reading& reading);

template <>
std::vector<std::int64_t> read_values(const Reading& reading) {
  if (!is_integer(reading.element)) throw_wrong_type(reading, "an integer");
  return read_numbers<std::int64_t>(reading, H5T_NATIVE_INT64);
}

template <>
std::vector<double> read_values(const Reading& reading) {
  if (!is_integer(reading.element) && !is_real(reading.element)) throw_wrong_type(reading, "a number");
  return read_numbers<double>(reading, H5T_NATIVE_DOUBLE);
}

template <>
std::vector<std::string> read_values(const Reading& reading) {
  if (reading.element != ElementType::kString) throw_wrong_type(reading, "text");
  return read_texts(reading.type.get(), reading.space.get(), reading.place, [&](hid_t memory, void* buffer) {
    return H5Aread(reading.handle.get(), memory, buffer);
  });
}

template <class T>
T read_single(const Reading& reading) {
  std::vector<T> values = read_values<T>(reading);
  if (values.size() != 1)
    throw DataError(fmt::format("wrong shape in {} (it holds {} values); it should hold one",
                                describe(reading.place), values.size()));
  return std::move(values.front());
}

enum class Rank { kScalar, kVector };

void write_attribute(hid_t file, const Place& object, const std::string& name, hid_t type, Rank rank,
                     std::size_t values, const void* data) {
  const auto extent = static_cast<hsize_t>(values);
  const SpaceHandle space(
      rank == Rank::kScalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, nullptr),
      "write an attribute of", object);
  const AttributeHandle handle(H5Acreate_by_name(file, object.object.c_str(), name.c_str(), type, space.get(),
                                                 H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                               "create an attribute of", object);
  if (values > 0) checked(H5Awrite(handle.get(), type, data), "write an attribute of", object);
}

}  // namespace

std::vector<std::string> File::attribute_names(const std::string& object) const {
  const Place place = impl_->place(object);
  std::vector<std::string> names;
  const auto keep = [](hid_t, const char* name, const H5A_info_t*, void* data) -> herr_t {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  };
  checked(H5Aiterate_by_name(impl_->file.get(), object.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep,
                             &names, H5P_DEFAULT),
          "list the attributes of", place);
  std::ranges::sort(names);
  return names;
}

bool File::has_attribute(const std::string& object, const std::string& name) const {
  const Place place = impl_->place(object);
  return checked(H5Aexists_by_name(impl_->file.get(), object.c_str(), name.c_str(), H5P_DEFAULT), "look up",
                 place) > 0;
}

template <>
std::int64_t File::attribute(const std::string& object, const std::string& name) const {
  return read_single<std::int64_t>(open_attribute(impl_->file.get(), impl_->place(object), name));
}
template <>
double File::attribute(const std::string& object, const std::string& name) const {
  return read_single<double>(open_attribute(impl_->file.get(), impl_->place(object), name));
}
template <>
std::string File::attribute(const std::string& object, const std::string& name) const {
  return read_single<std::string>(open_attribute(impl_->file.get(), impl_->place(object), name));
}
template <>
std::vector<std::int64_t> File::attribute(const std::string& object, const std::string& name) const {
  return read_values<std::int64_t>(open_attribute(impl_->file.get(), impl_->place(object), name));
}
template <>
std::vector<double> File::attribute(const std::string& object, const std::string& name) const {
  return read_values<double>(open_attribute(impl_->file.get(), impl_->place(object), name));
}
template <>
std::vector<std::string> File::attribute(const std::string& object, const std::string& name) const {
  return read_values<std::string>(open_attribute(impl_->file.get(), impl_->place(object), name));
}

void File::set_attribute(const std::string& object, const std::string& name, std::int64_t value) {
  impl_->together([&] {
    write_attribute(impl_->file.get(), impl_->place(object), name, H5T_NATIVE_INT64, Rank::kScalar, 1,
                    &value);
  });
}

void File::set_attribute(const std::string& object, const std::string& name, double value) {
  impl_->together([&] {
    write_attribute(impl_->file.get(), impl_->place(object), name, H5T_NATIVE_DOUBLE, Rank::kScalar, 1,
                    &value);
  });
}

void File::set_attribute(const std::string& object, const std::string& name, std::string_view value) {
  impl_->together([&] {
    const std::string text(value);
    const char* pointer = text.c_str();
    const Place place = impl_->place(object);
    write_attribute(impl_->file.get(), place, name, text_type(place).get(), Rank::kScalar, 1,
                    static_cast<const void*>(&pointer));
  });
}

void File::set_attribute(const std::string& object, const std::string& name,
                         const std::vector<std::int64_t>& values) {
  impl_->together([&] {
    write_attribute(impl_->file.get(), impl_->place(object), name, H5T_NATIVE_INT64, Rank::kVector,
                    values.size(), values.data());
  });
}

void File::set_attribute(const std::string& object, const std::string& name,
                         const std::vector<double>& values) {
  impl_->together([&] {
    write_attribute(impl_->file.get(), impl_->place(object), name, H5T_NATIVE_DOUBLE, Rank::kVector,
                    values.size(), values.data());
  });
}

void File::set_attribute(const std::string& object, const std::string& name,
                         const std::vector<std::string>& values) {
  impl_->together([&] {
    std::vector<const char*> pointers(values.size());
    std::ranges::transform(values, pointers.begin(), [](const std::string& text) { return text.c_str(); });
    const Place place = impl_->place(object);
    write_attribute(impl_->file.get(), place, name, text_type(place).get(), Rank::kVector, values.size(),
                    static_cast<const void*>(pointers.data()));
  });
}

}  // namespace convoy::io
