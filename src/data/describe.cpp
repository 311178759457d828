#include "convoy/data/describe.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "convoy/core/text.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/hdf5/child_process.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/layout.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::data {
namespace {

std::string line(const std::string& name, const std::string& content) {
  constexpr std::size_t kNameWidth = 12;
  return fmt::format("  {:{}} {}\n", name, kNameWidth - 1, content);
}

std::string numbers(const std::vector<double>& values) {
  std::vector<std::string> words;
  for (const double value : values) words.push_back(fmt::format("{:.6g}", value));
  return join(words, ", ");
}

std::string split_line(const SplitLayout& split, const DatasetLayout& layout) {
  const std::string images = fmt::format("{} of {}, {}, ", counted(split.samples, "image"),
                                         to_string(layout.shape), io::element_name(split.type));
  if (split.target_size > 0)
    return line(split.name, images + counted(split.target_size, "number") + " a target");
  std::vector<std::int64_t> of_class(static_cast<std::size_t>(layout.classes));
  for (const std::int64_t label : split.labels) ++of_class[static_cast<std::size_t>(label)];
  const auto [fewest, most] = std::ranges::minmax(of_class);
  return line(split.name, fmt::format("{}{}{} of each class", images, grouped(fewest),
                                      fewest == most ? "" : " to " + grouped(most)));
}

/// "shuffle + gzip, "; empty without filters.
std::string filters_text(const io::DatasetInfo& info) {
  std::vector<std::string> names;
  for (const io::Filter& filter : info.filters)
    names.push_back(filter.name.empty() ? fmt::format("filter {}", filter.id) : filter.name);
  return names.empty() ? "" : join(names, " + ") + ", ";
}

// A third-party file: lists what a configuration could select.
Description describe_other(const io::File& file) {
  Description description;
  description.text += line("content", "an HDF5 file that Convoy did not make; its data sets:");
  std::vector<std::pair<std::string, io::DatasetInfo>> found;
  for (const io::Object& object : file.list())
    if (!object.is_group) found.emplace_back(object.path, file.info(object.path));
  for (const io::ExternalLink& link : file.external_links()) {
    const std::string target = link.object + " of " + link.file;
    if (!file.exists(link.path)) {
      description.text += fmt::format("    {}  a link to {}, which is not there\n", link.path, target);
    } else if (!file.is_group(link.path)) {
      found.emplace_back(link.path, file.info(link.path));
    } else {
      description.text += fmt::format("    {}  a link to the group {}\n", link.path, target);
    }
  }
  for (const auto& [path, info] : found) {
    description.text += fmt::format("    {}  {} {}{}, {}{} stored\n", path, io::element_name(info.type),
                                    info.dims.empty() ? "scalar" : to_string(info.dims),
                                    info.is_elsewhere    ? ", content in other files"
                                    : info.chunk.empty() ? ", contiguous"
                                                         : ", chunks " + to_string(info.chunk),
                                    filters_text(info), in_bytes(info.stored_bytes));
    for (const io::Filter& filter : info.filters)
      if (!filter.lacking.empty())
        description.text +=
            fmt::format("      cannot be read: it is stored with filter {}{}, and {}\n", filter.id,
                        filter.name.empty() ? "" : ", " + filter.name, filter.lacking);
    constexpr std::size_t kImageDims = 3;
    if (info.dims.size() < kImageDims) continue;
    if (const std::string warning = warning_of_chunks(path, info); !warning.empty())
      description.text += "      warning: " + warning + '\n';
  }
  description.text +=
      "  To train on it: data.images = /PATH of the images, data.labels or data.targets, data.layout\n";
  description.sound = true;
  return description;
}

}  // namespace

Description describe(const std::string& file) {
  const io::ChecksumResult check = io::verify_checksum(file);
  Description description;
  description.text = "data set " + file + '\n';
  description.text += line("file", grouped(io::file_size(file)) + " bytes, " + check.detail);
  if (check.damaged()) return description;

  if (check.state == io::ChecksumState::kAbsent) {
    io::run_in_child(file, [&] {
      const io::File opened = io::File::open(file);
      if (opened.has_attribute("/", names::kFormat))
        (void)read_layout({.file = file});
      else
        (void)describe_other(opened);
    });
  }
  {
    const io::File opened = io::File::open(file);
    if (!opened.has_attribute("/", names::kFormat)) {
      Description other = describe_other(opened);
      other.text.insert(0, description.text);
      return other;
    }
  }
  const DatasetLayout layout = read_layout({.file = file});
  std::vector<std::string> all;
  for (const SplitLayout& split : layout.splits) all.push_back(split.name);
  // Reading all images makes HDF5 verify every chunk.
  const Dataset read(file, comm::Communicator::self(), all);
  description.text += line("digest", read.digest());
  if (!layout.source.empty()) description.text += line("source", layout.source);
  if (!read.has_targets())
    description.text +=
        line("classes", grouped(layout.classes) +
                            (layout.class_names.empty() ? "" : ": " + join(layout.class_names, ", ")));
  for (const SplitLayout& split : layout.splits) description.text += split_line(split, layout);
  const InputTransform transform = read.transform(Normalize::kDataset);
  const char* origin = layout.statistics ? "" : " (computed now: the file has none)";
  description.text += line("mean", numbers(transform.mean) + origin);
  description.text += line("std", numbers(transform.std) + origin);
  for (const std::string& warning : layout.warnings) description.text += "  warning: " + warning + '\n';
  description.sound = true;
  return description;
}

}  // namespace convoy::data
