// convoy export: writes a checkpoint's network for other tools.

#include <fmt/core.h>

#include <iostream>
#include <utility>

#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/exchange/onnx.hpp"
#include "convoy/exchange/safetensors.hpp"
#include "convoy/exchange/torch_module.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/predict/folded_network.hpp"

namespace convoy::apps {
namespace {

void write(const CommandLine& line, const std::string& option, const std::string& bytes) {
  const std::string file = line.required_text(option);
  io::write_text_file(file, bytes);
  std::cout << fmt::format("Made {}: {} bytes.\n", file, grouped(static_cast<std::int64_t>(bytes.size())));
}

}  // namespace

ExitStatus run_export(const Arguments& arguments) {
  CommandLine line(
      "export",
      "convoy export --checkpoint F.h5 [--onnx OUT.onnx] [--safetensors OUT.safetensors] [--torch OUT.py]",
      "Writes a checkpoint's network for other tools. It takes the images' numbers as the data set holds\n"
      "them, [N][C][H][W], normalises them itself, and gives what 'convoy predict' calls outputs.");
  line.add_value("checkpoint", "F.h5", "a file of run.dir/checkpoints");
  line.add_value(
      "onnx", "OUT.onnx",
      "an ONNX file (opset 13): ONNX Runtime, OpenCV, OpenVINO and others read it; classes and the "
      "input's description are in its metadata");
  line.add_value("safetensors", "OUT.safetensors", "the tensors with PyTorch's names");
  line.add_value("torch", "OUT.py", "a PyTorch module whose state dict the safetensors file is");
  line.add_flag("fold-batchnorm",
                "multiply batch normalisations into the convolutions and dense layers before them");
  line.add_flag(
      "without-normalization",
      "of ONNX: the graph takes normalised numbers; mean and standard deviation are in its metadata");
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const std::string checkpoint = line.required_text("checkpoint");
  if (!line.has("onnx") && !line.has("safetensors") && !line.has("torch"))
    throw ConfigError("nothing is to be written; name a file with --onnx, --safetensors or --torch");
  predict::TrainedNetwork trained = predict::read_trained_network(checkpoint, comm::Communicator::self());
  if (line.has("fold-batchnorm")) {
    predict::FoldedNetwork folded = predict::fold_batch_normalization(trained.network, trained.state);
    trained.network = std::move(folded.network);
    trained.state = std::move(folded.state);
  }
  const exchange::ExportedNetwork network = exchange::exported(trained, checkpoint);
  const exchange::OnnxOptions options{.normalizes = !line.has("without-normalization")};
  if (line.has("onnx")) write(line, "onnx", exchange::onnx_model(network, options));
  if (line.has("safetensors")) write(line, "safetensors", exchange::safetensors_of(network));
  if (line.has("torch")) write(line, "torch", exchange::torch_module(network));
  return ExitStatus::kDone;
}

}  // namespace convoy::apps
