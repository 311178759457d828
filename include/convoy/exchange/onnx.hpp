#pragma once
// ONNX files (onnx.ai): opset 13, IR version 7, as ONNX Runtime, OpenCV, OpenVINO and others read them.

#include <string>
#include <vector>

#include "convoy/exchange/exported_network.hpp"

namespace convoy::exchange {

struct OnnxOptions {
  /// The graph takes the numbers of the data set as they are and normalises them; false: it takes the
  /// normalised ones.
  bool normalizes = true;
};

/// The bytes of an ONNX file. Input "input", float32 [N][C][H][W] with N symbolic; output "output", float32
/// [N][outputs], as `convoy predict` gives outputs: before any softmax of the loss. Metadata: classes, shape
/// and transform of the input, loss. The tensors have the names of ExportedTensor.
[[nodiscard]] std::string onnx_model(const ExportedNetwork& network, const OnnxOptions& options);

/// The initialisers of an ONNX file, in order. Throws DataError with the cause if `bytes`, of file `path`,
/// are no ONNX model, or a tensor is inconsistent or lies in another file.
[[nodiscard]] std::vector<ExportedTensor> onnx_tensors(const std::string& bytes, const std::string& path);

}  // namespace convoy::exchange
