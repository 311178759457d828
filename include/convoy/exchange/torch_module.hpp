#pragma once
// A network as a Python file for PyTorch.

#include <string>

#include "convoy/exchange/exported_network.hpp"

namespace convoy::exchange {

/// The text of a Python file with the class Network, whose state dict safetensors_of() is, and the function
/// load(FILE.safetensors). Network takes the numbers of the data set as they are.
[[nodiscard]] std::string torch_module(const ExportedNetwork& network);

}  // namespace convoy::exchange
