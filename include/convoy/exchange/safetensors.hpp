#pragma once
// Safetensors files: a table of tensors in JSON, then their numbers.

#include <string>
#include <vector>

#include "convoy/exchange/exported_network.hpp"

namespace convoy::exchange {

/// The bytes of a file with all tensors of `network` under PyTorch's names, in the order of its layers; for
/// each batch normalisation also num_batches_tracked, which PyTorch expects.
[[nodiscard]] std::string safetensors_of(const ExportedNetwork& network);

/// The floating-point tensors (F64, F32, F16, BF16) of a file's `bytes`, in the file's order; tensors of
/// integers are left out. Throws DataError with the cause if `bytes`, of file `path`, are no safetensors
/// file, or a tensor has another type or lies outside the file.
[[nodiscard]] std::vector<ExportedTensor> safetensors_tensors(const std::string& bytes,
                                                              const std::string& path);

}  // namespace convoy::exchange
