// The functions of File that list objects; they read no data.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "call.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/file_system.hpp"
#include "filters.hpp"

namespace convoy::io {
namespace {

// Calls an HDF5 function that returns a length if given no buffer and else fills the buffer, e.g.
// H5Fget_name.
template <class Get>
std::string text_from(const Get& get, const char* what, const Place& place) {
  const ssize_t length = get(nullptr, 0);
  checked(static_cast<herr_t>(length < 0 ? -1 : 0), what, place);
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  get(text.data(), text.size());
  text.pop_back();
  return text;
}

// Where libhdf5 searches for a file named in another file: first in that file's folder.
std::string found_from(const Place& place, const std::string& name) {
  const std::string beside = name.starts_with('/') ? name : folder_of(place.file) + '/' + name;
  return exists(beside) ? beside : name;
}

// Source files of a virtual data set. A name with a number (%b) is expanded to the files that exist.
std::vector<std::string> virtual_sources(hid_t creation, const Place& place) {
  std::size_t count = 0;
  checked(H5Pget_virtual_count(creation, &count), "read the layout of", place);
  std::vector<std::string> sources;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = text_from(
        [&](char* text, std::size_t size) { return H5Pget_virtual_filename(creation, i, text, size); },
        "read the layout of", place);
    if (name == ".") continue;
    const auto number = name.find("%b");
    if (number != std::string::npos) {
      for (int block = 0;; ++block) {
        const std::string each =
            found_from(place, std::string(name).replace(number, 2, std::to_string(block)));
        if (!exists(each)) break;
        sources.push_back(each);
      }
    } else if (const std::string each = found_from(place, name); exists(each)) {
      sources.push_back(each);
    } else {
      throw DataError(
          fmt::format("missing file of virtual data set {} (there is no {}, here or beside it); its images "
                      "would read as zeros",
                      describe(place), name));
    }
  }
  return sources;
}

// Other files that contain bytes of the data set, which was looked up in the file of `place`.
std::vector<std::string> other_files(hid_t dataset, hid_t creation, const Place& place) {
  std::vector<std::string> files;
  // An external link leads to another file.
  const FileHandle home(H5Iget_file_id(dataset), "look at", place);
  const std::string name = text_from(
      [&](char* text, std::size_t size) { return H5Fget_name(home.get(), text, size); }, "look at", place);
  if (name != place.file) files.push_back(name);
  const Place at{name, place.object};
  if (H5Pget_layout(creation) == H5D_VIRTUAL) {
    const std::vector<std::string> sources = virtual_sources(creation, at);
    files.insert(files.end(), sources.begin(), sources.end());
  }
  for (int i = 0; i < H5Pget_external_count(creation); ++i) {
    constexpr std::size_t kMostPath = 4096;
    std::array<char, kMostPath> path{};
    checked(
        H5Pget_external(creation, static_cast<unsigned>(i), path.size() - 1, path.data(), nullptr, nullptr),
        "read the layout of", place);
    files.emplace_back(path.data());
  }
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

Dims chunk_of(hid_t creation, const Dims& dims, const Place& place) {
  // HDF5's own limit; it also keeps the product of extents from overflowing.
  constexpr std::int64_t kMostElements = std::int64_t{1} << 32;
  std::vector<hsize_t> extents(dims.size());
  const int rank = checked(H5Pget_chunk(creation, static_cast<int>(extents.size()), extents.data()),
                           "read the layout of", place);
  std::int64_t elements = 1;
  bool is_sound = rank == static_cast<int>(dims.size());
  for (const hsize_t extent : extents) {
    is_sound = is_sound && extent > 0 && extent <= static_cast<hsize_t>(kMostElements / elements);
    if (is_sound) elements *= static_cast<std::int64_t>(extent);
  }
  if (!is_sound)
    throw DataError(fmt::format(
        "wrong chunks in {} (of {} dimensions, where the data set has {}, or of no or too many elements)",
        describe(place), rank, dims.size()));
  return {extents.begin(), extents.end()};
}

}  // namespace

bool DatasetInfo::promises_too_much() const {
  // Deflate stores at most 258 bytes in 2 bits; bzip2 45 MB in 45 bytes.
  constexpr std::int64_t kDeflateRatio = 1032;
  constexpr std::int64_t kOtherRatio = std::int64_t{1} << 20;
  const bool has_others =
      std::ranges::any_of(filters, [](const Filter& each) { return each.id > H5Z_FILTER_FLETCHER32; });
  const std::int64_t most_ratio = has_others ? kOtherRatio : kDeflateRatio;
  constexpr std::int64_t kMostElsewhere = std::int64_t{1} << 40;
  if (is_elsewhere) return count(dims) > kMostElsewhere;
  return count(dims) / most_ratio > stored_bytes / std::max<std::int64_t>(1, element_bytes) + most_ratio;
}

std::int64_t File::user_block_bytes() const {
  const Place place = impl_->place("");
  const PropertiesHandle creation(H5Fget_create_plist(impl_->file.get()), "look at", place);
  hsize_t bytes = 0;
  checked(H5Pget_userblock(creation.get(), &bytes), "look at", place);
  return static_cast<std::int64_t>(bytes);
}

bool File::exists(const std::string& object) const {
  // H5Lexists requires all parents to exist, so check the path step by step.
  const Place place = impl_->place(object);
  for (std::size_t end = 1; end < object.size();) {
    end = std::min(object.find('/', end + 1), object.size());
    const std::string prefix = object.substr(0, end);
    if (checked(H5Lexists(impl_->file.get(), prefix.c_str(), H5P_DEFAULT), "look up", place) == 0)
      return false;
    if (checked(H5Oexists_by_name(impl_->file.get(), prefix.c_str(), H5P_DEFAULT), "look up", place) == 0)
      return false;
    if (end < object.size() && !is_group(prefix)) return false;
  }
  return true;
}

bool File::is_group(const std::string& object) const {
  const Place place = impl_->place(object);
  const ObjectHandle handle(H5Oopen(impl_->file.get(), object.c_str(), H5P_DEFAULT), "open", place);
  return H5Iget_type(handle.get()) == H5I_GROUP;
}

std::vector<Object> File::list(const std::string& group) const {
  struct Found {
    std::string prefix;
    std::vector<Object> objects;
  } found{group == "/" ? "/" : group + "/", {}};
  const auto keep = [](hid_t, const char* name, const H5O_info_t* info, void* data) -> herr_t {
    auto& out = *static_cast<Found*>(data);
    const bool is_group = info->type == H5O_TYPE_GROUP;
    if (std::strcmp(name, ".") != 0 && (is_group || info->type == H5O_TYPE_DATASET))
      out.objects.push_back({out.prefix + name, is_group});
    return 0;
  };
  const Place place = impl_->place(group);
  const ObjectHandle handle(H5Oopen(impl_->file.get(), group.c_str(), H5P_DEFAULT), "list", place);
  checked(H5Ovisit2(handle.get(), H5_INDEX_NAME, H5_ITER_INC, keep, &found, H5O_INFO_BASIC), "list", place);
  std::ranges::sort(found.objects, {}, &Object::path);
  return found.objects;
}

std::vector<ExternalLink> File::external_links() const {
  const Place place = impl_->place("/");
  std::vector<ExternalLink> links;
  // H5Lvisit does not follow links to other files.
  const auto keep = [](hid_t group, const char* name, const H5L_info_t* info, void* data) -> herr_t {
    if (info->type != H5L_TYPE_EXTERNAL) return 0;
    std::vector<char> value(info->u.val_size);
    const char* file = nullptr;
    const char* object = nullptr;
    if (H5Lget_val(group, name, value.data(), value.size(), H5P_DEFAULT) < 0 ||
        H5Lunpack_elink_val(value.data(), value.size(), nullptr, &file, &object) < 0)
      return -1;
    static_cast<std::vector<ExternalLink>*>(data)->push_back({std::string("/") + name, file, object});
    return 0;
  };
  checked(H5Lvisit(impl_->file.get(), H5_INDEX_NAME, H5_ITER_INC, keep, &links), "list", place);
  std::ranges::sort(links, {}, &ExternalLink::path);
  return links;
}

std::string text_of(const Part& part) {
  if (!part.field.empty()) return part.dataset + '.' + part.field;
  if (!part.columns) return part.dataset;
  const Range& columns = *part.columns;
  return columns.size() == 1 ? fmt::format("{}[{}]", part.dataset, columns.begin)
                             : fmt::format("{}[{}:{}]", part.dataset, columns.begin, columns.end);
}

Part File::part(const std::string& text) const {
  Part part(text);
  if (exists(text)) return part;
  const auto bracket = text.rfind('[');
  if (text.ends_with(']') && bracket != std::string::npos) {
    const std::string inside = text.substr(bracket + 1, text.size() - bracket - 2);
    const auto colon = inside.find(':');
    const auto begin = parse_integer(inside.substr(0, colon));
    const auto end = colon == std::string::npos ? begin : parse_integer(inside.substr(colon + 1));
    if (!begin || !end) return part;
    part.dataset = text.substr(0, bracket);
    part.columns = Range{*begin, colon == std::string::npos ? *end + 1 : *end};
    return part;
  }
  const auto dot = text.rfind('.');
  if (dot == std::string::npos || dot < text.rfind('/') || !exists(text.substr(0, dot))) return part;
  part.dataset = text.substr(0, dot);
  part.field = text.substr(dot + 1);
  return part;
}

std::string File::soft_link(const std::string& path) const {
  H5L_info_t info{};
  std::string target;
  if (H5Lget_info(impl_->file.get(), path.c_str(), &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_SOFT) {
    target.resize(info.u.val_size);
    if (H5Lget_val(impl_->file.get(), path.c_str(), target.data(), target.size(), H5P_DEFAULT) < 0)
      target.clear();
    target.resize(std::min(target.find('\0'), target.size()));
  }
  H5Eclear2(H5E_DEFAULT);  // no link at all
  return target;
}

void File::throw_missing(const std::string& dataset) const {
  for (const ExternalLink& link : external_links())
    if (dataset == link.path || dataset.starts_with(link.path + '/'))
      throw DataError(fmt::format("missing data set in {} ({} is a link to {} of {}, which is not there)",
                                  impl_->path, link.path, link.object, link.file));
  if (const std::string target = soft_link(dataset); !target.empty())
    throw DataError(fmt::format("missing data set in {} ({} is a link to {}, which is not there)",
                                impl_->path, dataset, target));
  constexpr std::size_t kMostNamed = 12;
  std::vector<std::string> found;
  for (const Object& object : list())
    if (!object.is_group) found.push_back(object.path);
  for (const ExternalLink& link : external_links()) found.push_back(link.path);
  const std::size_t all = found.size();
  found.resize(std::min(all, kMostNamed));
  throw DataError(fmt::format("missing data set in {} (there is no {}); there {}{}", impl_->path, dataset,
                              all == 0   ? "is none"
                              : all == 1 ? "is " + found.front()
                                         : "are " + join(found, ", "),
                              all > kMostNamed ? fmt::format(" and {} more", all - kMostNamed) : ""));
}

namespace {

// Applies the field or the columns of `part` to `info`, the properties of its whole data set.
void narrow(DatasetInfo& info, const Part& part, hid_t type, const Place& place) {
  if (info.type == ElementType::kCompound) {
    for (int i = 0; i < H5Tget_nmembers(type); ++i) {
      char* name = H5Tget_member_name(type, static_cast<unsigned>(i));
      if (name == nullptr) continue;
      info.fields.emplace_back(name);
      H5free_memory(name);
    }
  }
  if (!part.field.empty()) {
    const auto found = std::ranges::find(info.fields, part.field);
    if (found == info.fields.end())
      throw DataError(fmt::format(
          "missing field in {} (there is no {}); {}", describe(place), part.field,
          info.fields.empty() ? "its elements have no fields" : "its fields are " + join(info.fields, ", ")));
    const TypeHandle field(H5Tget_member_type(type, static_cast<unsigned>(found - info.fields.begin())),
                           "read the type of", place);
    info.type = classify(field.get());
    info.fields = {};
  }
  if (!part.columns) return;
  const bool has_columns = info.dims.size() > 1;
  if (!has_columns || part.columns->begin < 0 || part.columns->begin >= part.columns->end ||
      part.columns->end > info.dims.back())
    throw DataError(fmt::format(
        "no such columns in {} ({} of [{}]); {}", describe(place), text_of(part), to_string(info.dims),
        has_columns ? fmt::format("columns lie between 0 and {}, without the end", info.dims.back())
                    : "it has no columns"));
  info.dims.back() = part.columns->size();
}

}  // namespace

DatasetInfo File::info(const Part& part) const {
  const std::string& dataset = part.dataset;
  const Place place = impl_->place(dataset);
  if (!exists(dataset)) throw_missing(dataset);
  if (is_group(dataset))
    throw DataError(
        fmt::format("wrong object in {} ({} is a group); it should be a data set", impl_->path, dataset));
  const DatasetHandle handle = impl_->open_dataset(dataset);
  const SpaceHandle space(H5Dget_space(handle.get()), "read the shape of", place);
  const TypeHandle type(H5Dget_type(handle.get()), "read the type of", place);
  const PropertiesHandle creation(H5Dget_create_plist(handle.get()), "read the layout of", place);
  DatasetInfo info;
  info.type = classify(type.get());
  info.dims = extents(space.get(), place);
  info.element_bytes = static_cast<std::int64_t>(H5Tget_size(type.get()));
  // A damaged layout can state more than the file's size.
  info.stored_bytes = static_cast<std::int64_t>(
      std::min<hsize_t>(H5Dget_storage_size(handle.get()), static_cast<hsize_t>(file_size(impl_->path))));
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED) info.chunk = chunk_of(creation.get(), info.dims, place);
  info.is_elsewhere =
      H5Pget_layout(creation.get()) == H5D_VIRTUAL || H5Pget_external_count(creation.get()) > 0;
  info.filters = filters_of(creation.get(), place);
  info.other_files = other_files(handle.get(), creation.get(), place);
  narrow(info, part, type.get(), place);
  return info;
}

void File::require_shape(const std::string& dataset, const Dims& dims) const {
  const DatasetInfo found = info(dataset);
  if (found.dims != dims)
    throw DataError(fmt::format("wrong shape in {} ({} is [{}]); it should be [{}]", impl_->path, dataset,
                                to_string(found.dims), to_string(dims)));
  if (found.promises_too_much())
    throw DataError(fmt::format(
        "missing content in {} (it promises {} elements but stores {} bytes); it was not written to the end",
        describe(impl_->place(dataset)), grouped(count(dims)), grouped(found.stored_bytes)));
}

}  // namespace convoy::io
