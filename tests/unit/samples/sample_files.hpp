#pragma once
// Small HDF5 files with images and labels, for the tests of the samples room.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/hdf5/file.hpp"

namespace convoy::test {

/// A file with images [samples][1][1][1] at /x, to which `add` adds more.
template <class Add>
void write_samples(const std::string& path, std::int64_t samples, const Add& add) {
  io::File file = io::File::create(path, comm::Communicator::self());
  const std::vector<std::uint8_t> images(static_cast<std::size_t>(samples), 1);
  file.write<std::uint8_t>("/x", {samples, 1, 1, 1}, images);
  add(file);
  file.close();
}

template <io::Element T>
void write_values(io::File& file, const std::string& path, const std::vector<T>& values, Dims dims = {}) {
  if (dims.empty()) dims = {static_cast<std::int64_t>(values.size())};
  file.write<T>(path, dims, std::span<const T>(values));
}

}  // namespace convoy::test
