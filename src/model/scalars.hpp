#pragma once
// Single numbers in a file. Private to the model room.

#include <span>
#include <string>

#include "convoy/hdf5/file.hpp"

namespace convoy::model {

template <class T>
void write_scalar(io::File& file, const std::string& path, T value) {
  file.write<T>(path, {}, std::span<const T>(&value, 1));
}

template <class T>
T read_scalar(const io::File& file, const std::string& path) {
  return file.read<T>(path, {}).front();
}

}  // namespace convoy::model
