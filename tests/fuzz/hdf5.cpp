// What is read out of HDF5 files: data sets, checkpoints and files of others. An input is an HDF5 file as it
// stands behind our user block. Its sum is made good, so that the damage reaches libhdf5, which crashes on
// some of it: everything is read in a child process first, as the product does with files that carry no sum,
// and here too only where the child lived. Inputs that killed the child are kept in CONVOY_FUZZ_DIED;
// CONVOY_FUZZ_DIRECTLY=1 reads one without a child, to see in whose code it ends (tests/fuzz/whose).

#include <sanitizer/common_interface_defs.h>

#include <random>

#include "convoy/config/config.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/describe.hpp"
#include "convoy/hdf5/child_process.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/hdf5/row_reader.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/network.hpp"
#include "fuzz/harness.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace convoy;

constexpr io::ChildLimits kLimits{.seconds = 1, .bytes = std::int64_t{256} << 20};

void read_checkpoint(const std::string& path) {
  (void)model::describe_checkpoint(path);
  const model::CheckpointHeader header = model::read_checkpoint_header(path);
  const config::Options options = config::from_checkpoint(header.config, path);
  const nn::Network network(header.input.shape, options.layers, options.loss, std::nullopt);
  model::State state = model::make_state(network, optim::make_optimizer(options.optimizer).get());
  model::read_checkpoint_state(path, network, state);
}

void read_dataset(const data::Options& options) {
  const data::Dataset dataset(options, comm::Communicator::self(), {"train", "test"});
  const data::InputTransform transform = dataset.transform(data::Normalize::kDataset);
  const std::int64_t size = dataset.shape().size();
  for (const char* name : {"train", "test"}) {
    const data::Split* split = dataset.split(name);
    if (split == nullptr || size > 1 << 16) continue;
    std::vector<float> dst(static_cast<std::size_t>(16 * size));
    split->read(std::vector<std::int64_t>{0, split->samples() - 1}, transform, dst.data());
  }
}

void read_all(const std::string& path) {
  fuzz::expect_result_or_error(path, [&] {
    if (model::is_checkpoint(path)) return read_checkpoint(path);
    const data::Description described = data::describe(path);
    if (described.text.find("that Convoy did not make") == std::string::npos)
      return read_dataset({.file = path});
    read_dataset({.file = path, .train = {.images = "/x", .labels = "/y"}, .axes = data::Axes::kNhwc});
  });
  fuzz::expect_result_or_error(path, [&] {
    // Few rows are read by libhdf5 alone otherwise.
    const io::File file = io::File::open(path);
    for (const io::ElementType type : {io::ElementType::kUint8, io::ElementType::kFloat32}) {
      if (!file.exists("/x")) continue;
      const io::DatasetInfo info = file.info("/x");
      const auto reader = io::RowReader::open(file, "/x", type);
      if (!reader || count(info.dims) > 1 << 16) continue;
      std::vector<std::byte> all(static_cast<std::size_t>(count(info.dims) * info.element_bytes));
      reader->read({0, info.dims.front()}, all, 1);
    }
  });
  fuzz::expect_result_or_error(path, [&] {
    if (io::File::open(path).exists("/t"))
      read_dataset({.file = path, .train = {.images = "/x", .targets = "/t"}, .axes = data::Axes::kNchw});
  });
}

void keep(fuzz::Bytes input) {
  const char* folder = std::getenv("CONVOY_FUZZ_DIED");
  if (folder == nullptr) return;
  const std::string_view bytes(reinterpret_cast<const char*>(input.data()), input.size());
  fuzz::write_file(std::string(folder) + '/' + to_hex(hash(bytes)), input);
}

bool died(const std::string& path) {
  try {
    const auto read_in_child = [&] {
      __sanitizer_set_death_callback(nullptr);  // libFuzzer would write the input down as a finding
      read_all(path);
    };
    io::run_in_child(path, read_in_child, kLimits);
  } catch (const DataError&) {
    return true;
  }
  return false;
}

}  // namespace

// Changes of fields where they stand: an inserted byte would only move everything behind it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  if (size < 16 || random() % 50 == 0) return LLVMFuzzerMutate(data, size, most);
  // Near bytes that are not zero, which is where structures stand.
  const auto somewhere = [&] {
    std::size_t at = random() % (size - 8);
    for (int tries = 0; tries < 20 && data[at] == 0 && data[at + 1] == 0; ++tries) at = random() % (size - 8);
    return at;
  };
  for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
    const std::size_t at = somewhere();
    const std::size_t width = std::size_t{1} << random() % 4;
    switch (random() % 4) {
      case 0:
        data[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
        break;
      case 1:
        data[at] = static_cast<std::uint8_t>(random());
        break;
      case 2:
        std::fill_n(data + at, width, static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : 255));
        break;
      default:
        std::copy_n(data + somewhere(), width, data + at);
    }
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string path = fuzz::scratch() + "/a.h5";
  std::vector<std::uint8_t> whole(static_cast<std::size_t>(io::kUserBlockBytes));
  whole.insert(whole.end(), data, data + size);
  fuzz::write_file(path, whole);
  io::write_checksum(path);
  if (std::getenv("CONVOY_FUZZ_DIRECTLY") == nullptr && died(path)) {
    keep({data, size});
    return 0;
  }
  read_all(path);
  return 0;
}
