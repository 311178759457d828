// `import-weights`: safetensors, npz and ONNX files. An input: a byte that names the format, then the file.

#include <string>

#include "convoy/core/error.hpp"
#include "convoy/exchange/onnx.hpp"
#include "convoy/exchange/safetensors.hpp"
#include "exchange/npz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto read = data[0] % 3 == 0   ? exchange::safetensors_tensors
                    : data[0] % 3 == 1 ? exchange::npz_tensors
                                       : exchange::onnx_tensors;
  try {
    (void)read(bytes, "input");
  } catch (const DataError&) {  // what is no such file
  }
  return 0;
}
