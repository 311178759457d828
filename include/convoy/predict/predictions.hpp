#pragma once
// The outputs of a network for one input, as `convoy predict` writes them: a line of text, of JSON, of CSV,
// or a row of an HDF5 file. Rank 0 alone.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/nn/loss.hpp"

namespace convoy::predict {

/// What the outputs of a network mean.
struct OutputMeaning {
  nn::LossKind loss = nn::LossKind::kSoftmaxCrossEntropy;
  std::vector<std::string> class_names;  ///< may be empty
  std::int64_t outputs = 1;

  /// False for a network that was trained on targets: its outputs are numbers.
  [[nodiscard]] bool has_classes() const { return !nn::takes_targets(loss) || !class_names.empty(); }
  [[nodiscard]] std::string name_of(std::int64_t k) const;
};

/// One class among the best of an input.
struct Candidate {
  std::int64_t class_number = 0;
  double output = 0;
  double probability = 0;  ///< NaN if the loss takes targets
};

/// The `most` classes with the largest outputs, the largest first; among equals the first class.
[[nodiscard]] std::vector<Candidate> best_classes(const OutputMeaning& meaning,
                                                  std::span<const float> outputs, std::int64_t most);

/// Each function makes what is written for one input, with the end of the line.
[[nodiscard]] std::string text_line(const OutputMeaning& meaning, const std::string& input,
                                    std::span<const float> outputs, std::int64_t most);
[[nodiscard]] std::string json_line(const OutputMeaning& meaning, const std::string& input,
                                    std::span<const float> outputs, std::int64_t most);
[[nodiscard]] std::string csv_header(const OutputMeaning& meaning);
[[nodiscard]] std::string csv_line(const OutputMeaning& meaning, const std::string& input,
                                   std::span<const float> outputs);

/// An HDF5 file of predictions: /outputs float32 [N][outputs], and for classes /class int64 [N] and
/// /probability float64 [N] (NaN if the loss takes targets); class_names, checkpoint and inputs as attributes
/// of the root. Complete or absent.
class PredictionsFile {
 public:
  /// For `samples` inputs. `inputs`: what was named on the command line. Throws IoError (no room, no
  /// permission).
  PredictionsFile(const std::string& path, const OutputMeaning& meaning, std::int64_t samples,
                  const std::string& checkpoint, const std::vector<std::string>& inputs);
  ~PredictionsFile();
  PredictionsFile(const PredictionsFile&) = delete;
  PredictionsFile& operator=(const PredictionsFile&) = delete;

  /// Writes the next inputs, [n][outputs].
  void add(std::span<const float> outputs);
  /// Completes the file. Throws IoError; then none is left.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::predict
