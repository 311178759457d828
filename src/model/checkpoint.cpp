#include "convoy/model/checkpoint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/hdf5/commit.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"
#include "scalars.hpp"

namespace convoy::model {
namespace {

constexpr std::string_view kFormat = "convoy-checkpoint";
constexpr std::int64_t kFormatVersion = 1;
constexpr const char* kLog1p = "log1p";  // of /input/function

/// The elements of a tensor that this writer writes: whole rows.
Range share_of(const nn::Tensor& tensor, const comm::Communicator& writers) {
  const Range rows = split(tensor.dims.front(), writers.size(), writers.rank());
  const std::int64_t row = tensor.size() / tensor.dims.front();
  return {rows.begin * row, rows.end * row};
}

/// Collective over the writers: each writes its share of the tensor from the start of `mine` and removes it
/// from `mine`.
void write_tensor(io::File& file, const comm::Communicator& writers, const std::string& path,
                  const nn::Tensor& tensor, std::span<const float>& mine, int gzip_level) {
  constexpr std::int64_t kChunkElements = std::int64_t{1} << 18;
  const auto size = static_cast<std::size_t>(share_of(tensor, writers).size());
  const std::int64_t row = tensor.size() / tensor.dims.front();
  file.create_dataset<float>(
      path, tensor.dims,
      {.chunk_rows = gzip_level > 0 ? std::max<std::int64_t>(kChunkElements / row, 1) : 0,
       .gzip_level = gzip_level});
  file.write_rows<float>(path, split(tensor.dims.front(), writers.size(), writers.rank()), mine.first(size));
  mine = mine.subspan(size);
}

/// A writer's shares of `tensors`, as ranges of a flat vector.
std::vector<Range> shares_of(const std::vector<nn::Tensor>& tensors, const comm::Communicator& writers) {
  std::vector<Range> ranges;
  for (const nn::Tensor& tensor : tensors) {
    const Range share = share_of(tensor, writers);
    ranges.push_back({tensor.offset + share.begin, tensor.offset + share.end});
  }
  return ranges;
}

/// Copies the elements of `ranges`, one range after the other, into `values`; reuses its memory.
void copy_ranges(std::span<const float> flat, const std::vector<Range>& ranges, std::vector<float>& values) {
  values.clear();
  for (const Range& range : ranges)
    values.insert(values.end(), flat.begin() + range.begin, flat.begin() + range.end);
}

void write_header(io::File& file, const CheckpointHeader& header) {
  file.set_attribute("/", "format", kFormat);
  file.set_attribute("/", "format_version", kFormatVersion);
  file.set_attribute("/", "isa", std::string_view(header.isa));
  file.set_attribute("/", "seed", static_cast<std::int64_t>(header.seed));
  file.set_attribute("/", "config", std::string_view(header.config));
  write_progress(file, header.progress);
  if (header.fit_begin != Position()) {
    write_scalar(file, "/progress/fit_step", header.fit_begin.step);
    write_scalar(file, "/progress/fit_epoch", header.fit_begin.epoch);
    write_scalar(file, "/progress/optimizer_step", header.fit_begin.optimizer_step);
  }

  const Shape& shape = header.input.shape;
  const std::array<std::int64_t, 3> extents{shape.c, shape.h, shape.w};
  file.write<std::int64_t>("/input/shape", {3}, extents);
  write_scalar(file, "/input/scale", header.input.scale);
  file.write<double>("/input/mean", {shape.c}, std::span<const double>(header.input.mean));
  file.write<double>("/input/std", {shape.c}, std::span<const double>(header.input.std));
  file.write_strings("/input/class_names", header.class_names);
  if (header.input.function == data::PixelFunction::kLog1p) file.write_strings("/input/function", {kLog1p});
  if (!header.label_values.empty())
    file.write<std::int64_t>("/input/label_values", {static_cast<std::int64_t>(header.label_values.size())},
                             std::span<const std::int64_t>(header.label_values));
  file.write_strings("/input/data_digest", {header.data_digest});
}

}  // namespace

std::string model_path(const nn::Tensor& tensor) {
  return "/model/" + tensor.layer + '/' + tensor.name;
}
std::string state_path(const std::string& state, const nn::Tensor& tensor) {
  return "/optimizer/" + state + '/' + tensor.layer + '/' + tensor.name;
}

WriterGroup::WriterGroup(const comm::Communicator& world, Writers writers, const nn::Network& network,
                         const State& state)
    : world_(world) {
  const bool is_first_of_node = world.node().is_root();  // collective
  const bool writes =
      writers == Writers::kAll || world.is_root() || (writers == Writers::kNode && is_first_of_node);
  const comm::Communicator part = world.split(writes ? 0 : 1);
  if (writes) mine_ = part;
  if (!state.optimizer.empty() && world.size() > 1)
    redistribution_.emplace(world, state.owned,
                            mine_ ? shares_of(network.parameters(), *mine_) : std::vector<Range>{});
  // With several writers, HDF5 calls MPI's blocking collectives.
  may_write_beside_ = world.broadcast_value(mine_ ? mine_->size() : 0) == 1;  // rank 0 writes
}

Snapshot take_snapshot(const WriterGroup& group, const nn::Network& network, const State& state,
                       Snapshot memory) {
  Snapshot snapshot = std::move(memory);
  std::vector<Range> parameters;
  std::vector<Range> statistics;
  if (group.mine()) {
    parameters = shares_of(network.parameters(), *group.mine());
    statistics = shares_of(network.statistics(), *group.mine());
  }
  copy_ranges(state.parameters, parameters, snapshot.parameters);
  copy_ranges(state.statistics, statistics, snapshot.statistics);
  snapshot.optimizer.resize(state.optimizer.size());
  for (std::size_t i = 0; i < state.optimizer.size(); ++i) {
    snapshot.optimizer[i].name = state.optimizer[i].name;
    std::vector<float>& copy = snapshot.optimizer[i].values;
    copy.clear();
    for (const Range& range : state.owned) {
      const float* values = state.optimizer[i].values.at(range.begin);
      copy.insert(copy.end(), values, values + range.size());
    }
  }
  return snapshot;
}

namespace {

/// Collective over the writers. `states`: this writer's part of the optimizer's states, in order.
void write_together(const std::string& path, const comm::Communicator& writers, const nn::Network& network,
                    const CheckpointHeader& header, const Snapshot& snapshot,
                    std::vector<std::span<const float>> states, const Provenance& provenance, int gzip_level,
                    const std::function<void()>& before_rename) {
  const std::int64_t elements =
      network.gradient_size() + static_cast<std::int64_t>(states.size()) * network.parameter_count();
  io::PendingFile pending(path, writers, elements * static_cast<std::int64_t>(sizeof(float)));
  io::File file = io::File::create(pending.path(), writers);
  write_header(file, header);
  file.create_group("/model");
  file.create_group("/optimizer");
  std::span<const float> parameters(snapshot.parameters);
  std::span<const float> statistics(snapshot.statistics);
  for (const nn::Tensor& tensor : network.parameters()) {
    write_tensor(file, writers, model_path(tensor), tensor, parameters, gzip_level);
    for (std::size_t i = 0; i < states.size(); ++i)
      write_tensor(file, writers, state_path(snapshot.optimizer[i].name, tensor), tensor, states[i],
                   gzip_level);
  }
  for (const nn::Tensor& tensor : network.statistics())
    write_tensor(file, writers, model_path(tensor), tensor, statistics, gzip_level);
  file.create_group("/provenance");
  for (const auto& [name, value] : provenance)
    file.set_attribute("/provenance", name, std::string_view(value));
  file.close();
  pending.commit(before_rename);
}

}  // namespace

void write_checkpoint(const std::string& path, const WriterGroup& group, const nn::Network& network,
                      const CheckpointHeader& header, const Snapshot& snapshot, const Provenance& provenance,
                      int gzip_level, const std::function<void()>& before_rename) {
  std::vector<std::vector<float>> moved;
  std::vector<std::span<const float>> states;
  moved.reserve(snapshot.optimizer.size());
  for (const Snapshot::OptimizerState& each : snapshot.optimizer) {
    if (group.redistribution()) moved.push_back(group.redistribution()->move(each.values));
    states.emplace_back(group.redistribution() ? moved.back() : each.values);
  }
  // All writers fail together; otherwise some would wait in a collective.
  io::agreed(group.world(), [&] {
    if (group.mine())
      write_together(path, *group.mine(), network, header, snapshot, states, provenance, gzip_level,
                     before_rename);
  });
}

void require_sound_checkpoint(const std::string& path) {
  if (!io::exists(path))
    throw ConfigError("there is no checkpoint " + path +
                      " (run.dir/checkpoints holds them; --resume takes never, auto or a file)");
  if (io::is_folder(path))
    throw ConfigError(path + " is a folder; name a checkpoint in it (run.dir/checkpoints/step-….h5)");
  const io::ChecksumResult check = io::verify_checksum(path);
  if (check.state != io::ChecksumState::kGood) {
    const std::string kind =
        check.state == io::ChecksumState::kAbsent ? io::kind_of_file(path) : std::string();
    throw DataError(path + " is no sound checkpoint (" + (kind.empty() ? check.detail : kind) +
                    "; a good one begins with its checksum and matches it)");
  }
}

bool is_checkpoint(const std::string& path) {
  const io::File file = io::File::open(path);
  return file.has_attribute("/", "format") && file.attribute<std::string>("/", "format") == kFormat;
}

CheckpointHeader read_checkpoint_header(const std::string& path) {
  if (!is_checkpoint(path)) {
    throw DataError(path + " is not a checkpoint (its root attribute 'format' is not '" +
                    std::string(kFormat) + "'); name a file of run.dir/checkpoints");
  }
  const io::File file = io::File::open(path);
  const auto version = file.attribute<std::int64_t>("/", "format_version");
  if (version != kFormatVersion) {
    throw DataError(
        fmt::format("{} has format_version {} (this Convoy reads {}); use the version that wrote it", path,
                    version, kFormatVersion));
  }
  CheckpointHeader header;
  header.isa = file.attribute<std::string>("/", "isa");
  header.seed = static_cast<std::uint64_t>(file.attribute<std::int64_t>("/", "seed"));
  header.config = file.attribute<std::string>("/", "config");
  header.progress = read_progress(file);
  if (file.exists("/progress/fit_step"))
    header.fit_begin = {.step = read_scalar<std::int64_t>(file, "/progress/fit_step"),
                        .epoch = read_scalar<std::int64_t>(file, "/progress/fit_epoch")};
  if (file.exists("/progress/optimizer_step"))
    header.fit_begin.optimizer_step = read_scalar<std::int64_t>(file, "/progress/optimizer_step");
  const std::vector<std::int64_t> shape = file.read<std::int64_t>("/input/shape", {3});
  header.input.shape = {shape[0], shape[1], shape[2]};
  header.input.scale = read_scalar<double>(file, "/input/scale");
  header.input.mean = file.read<double>("/input/mean", {shape[0]});
  header.input.std = file.read<double>("/input/std", {shape[0]});
  header.class_names = file.read_strings("/input/class_names");
  if (file.exists("/input/function")) {
    if (file.read_strings("/input/function") != std::vector<std::string>{kLog1p})
      throw DataError("unknown function of pixels in checkpoint " + path +
                      " (/input/function); this program knows log1p");
    header.input.function = data::PixelFunction::kLog1p;
  }
  if (file.exists("/input/label_values"))
    header.label_values =
        file.read<std::int64_t>("/input/label_values", file.info("/input/label_values").dims);
  const std::vector<std::string> digest = file.read_strings("/input/data_digest");
  if (!digest.empty()) header.data_digest = digest.front();
  return header;
}

void for_each_tensor(
    const std::string& path, const nn::Network& network, State& state,
    const std::function<void(const StoredTensor& stored, const Range& elements, float* values)>& f) {
  const io::File file = io::File::open(path);
  const auto read = [&](const std::string& name, const nn::Tensor& tensor) {
    return file.read<float>(name, tensor.dims);
  };
  const auto give = [&](const nn::Tensor& tensor, std::span<float> flat) {
    const std::string name = model_path(tensor);
    const std::vector<float> values = read(name, tensor);
    f({name, tensor, values}, {0, tensor.size()}, flat.data() + tensor.offset);
  };
  for (const nn::Tensor& tensor : network.parameters()) {
    give(tensor, state.parameters);
    for (OptimizerState& each : state.optimizer) {
      const std::string name = state_path(each.name, tensor);
      const std::vector<float> values = read(name, tensor);
      for (const Range& range : each.values.ranges()) {
        const Range kept{std::max(range.begin, tensor.offset),
                         std::min(range.end, tensor.offset + tensor.size())};
        if (kept.begin < kept.end)
          f({name, tensor, values}, {kept.begin - tensor.offset, kept.end - tensor.offset},
            each.values.at(kept.begin));
      }
    }
  }
  for (const nn::Tensor& tensor : network.statistics()) give(tensor, state.statistics);
}

void read_checkpoint_state(const std::string& path, const nn::Network& network, State& state) {
  for_each_tensor(path, network, state, [](const StoredTensor& stored, const Range& elements, float* values) {
    std::copy(stored.values.begin() + elements.begin, stored.values.begin() + elements.end, values);
  });
}

Digest hash_of_checkpoint(const std::string& path) {
  const io::File file = io::File::open(path);
  Hasher hasher;
  for (const std::string root : {"/model", "/optimizer"}) {
    if (!file.exists(root)) continue;
    for (const io::Object& object : file.list(root)) {
      if (object.is_group) continue;
      const io::DatasetInfo info = file.info(object.path);
      const std::vector<float> values = file.read<float>(object.path, info.dims);
      hasher.update(object.path + ' ' + to_string(info.dims) + '\n');
      hasher.update(values.data(), values.size() * sizeof(float));
    }
  }
  return hasher.digest();
}

std::string describe_checkpoint(const std::string& path) {
  const CheckpointHeader header = read_checkpoint_header(path);
  const io::File file = io::File::open(path);
  std::ostringstream text;
  text << "checkpoint " << path << '\n'
       << "  step " << header.progress.step << ", " << counted(header.progress.epoch, "whole epoch") << ", "
       << counted(header.progress.samples, "sample") << " seen\n"
       << "  instruction set " << header.isa << ", seed " << header.seed << '\n'
       << "  input " << to_string(header.input.shape) << ", data set " << header.data_digest << '\n';
  for (const io::Object& object : file.list("/")) {
    const bool is_tensor = object.path.starts_with("/model") || object.path.starts_with("/optimizer");
    if (is_tensor && !object.is_group)
      text << "  " << object.path << "  float32 " << to_string(file.info(object.path).dims) << '\n';
  }
  text << "  hash of /model and /optimizer: " << to_hex(hash_of_checkpoint(path)) << '\n';
  if (file.exists("/provenance")) {
    text << "  provenance\n";
    for (const std::string& name : file.attribute_names("/provenance"))
      text << "    " << name << "  " << file.attribute<std::string>("/provenance", name) << '\n';
  }
  return text.str();
}

std::string checkpoint_name(std::int64_t step) {
  return fmt::format("step-{:08}.h5", step);
}

std::vector<std::string> list_checkpoints(const std::string& folder) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  if (!io::exists(folder)) return {};
  for (const std::string& name : io::list_folder(folder)) {
    if (!name.starts_with("step-") || !name.ends_with(".h5")) continue;
    const auto step = parse_integer(std::string_view(name).substr(5, name.size() - 8));
    if (step && checkpoint_name(*step) == name) found.emplace_back(*step, name);
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<std::string> names;
  names.reserve(found.size());
  for (auto& [step, name] : found) names.push_back(std::move(name));
  return names;
}

}  // namespace convoy::model
