#pragma once
// Archives of numpy arrays (numpy.savez and savez_compressed). Private to the exchange room.

#include <string>
#include <vector>

#include "convoy/exchange/exported_network.hpp"

namespace convoy::exchange {

/// The floating-point arrays of the archive in `bytes`, in its order; arrays of integers are left out. Throws
/// DataError with the cause if `bytes`, of file `path`, are no such archive.
[[nodiscard]] std::vector<ExportedTensor> npz_tensors(const std::string& bytes, const std::string& path);

}  // namespace convoy::exchange
