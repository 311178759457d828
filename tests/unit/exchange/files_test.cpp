// Files of other tools: what is written is read back, and damage is told.

#include <gtest/gtest.h>

#include <string>

#include "convoy/core/error.hpp"
#include "convoy/exchange/onnx.hpp"
#include "convoy/exchange/safetensors.hpp"
#include "exchange/npz.hpp"
#include "trained.hpp"

namespace convoy::exchange {
namespace {

ExportedNetwork network() {
  return exported(test::trained_network({"conv 3 3x3", "batchnorm", "relu", "dense 2"}), "F.h5");
}

/// All tensors of the layers, in order.
std::vector<ExportedTensor> tensors_of(const ExportedNetwork& of) {
  std::vector<ExportedTensor> all;
  for (const ExportedLayer& layer : of.layers)
    for (const auto* tensors : {&layer.parameters, &layer.statistics})
      all.insert(all.end(), tensors->begin(), tensors->end());
  return all;
}

void expect_equal(const std::vector<ExportedTensor>& found, const std::vector<ExportedTensor>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_EQ(found[i].dims, expected[i].dims);
    EXPECT_EQ(found[i].values, expected[i].values);
  }
}

TEST(Safetensors, AreReadAsWritten) {
  expect_equal(safetensors_tensors(safetensors_of(network()), "x"), tensors_of(network()));
}

TEST(Safetensors, OfTwoBytesAreReadToo) {
  const std::string header = R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},)"
                             R"("n":{"dtype":"I64","shape":[],"data_offsets":[6,14]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  bytes += header + std::string("\x00\x3e\x01\x80\xc0\x3f", 6) + std::string(8, '\0');
  const std::vector<ExportedTensor> tensors = safetensors_tensors(bytes, "x");
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[0].values, (std::vector<float>{1.5F, -0x1p-24F}));
  EXPECT_EQ(tensors[1].values, (std::vector<float>{1.5F}));
}

/// Every cut and every flipped byte of `bytes`: an error or tensors, nothing else.
template <class Read>
void expect_result_or_error(const std::string& bytes, const Read& read) {
  for (std::size_t at = 0; at < bytes.size(); at += at < 400 ? 1 : 97) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
    for (const std::string& damaged : {bytes.substr(0, at), flipped}) {
      try {
        (void)read(damaged, "x");
      } catch (const DataError&) {
      }
    }
  }
}

TEST(Safetensors, DamageIsAnErrorOrOtherContent) {
  expect_result_or_error(safetensors_of(network()), safetensors_tensors);
  EXPECT_THROW((void)safetensors_tensors("", "x"), DataError);
  EXPECT_THROW((void)safetensors_tensors(std::string(20, '\x7f'), "x"), DataError);
}

TEST(Onnx, TensorsAreReadAsWritten) {
  std::vector<ExportedTensor> found = onnx_tensors(onnx_model(network(), {}), "x");
  std::erase_if(found, [](const ExportedTensor& tensor) { return tensor.name.starts_with("input."); });
  expect_equal(found, tensors_of(network()));
  EXPECT_EQ(onnx_tensors(onnx_model(network(), {.normalizes = false}), "x").size(),
            tensors_of(network()).size());
}

TEST(Onnx, DamageIsAnErrorOrOtherContent) {
  expect_result_or_error(onnx_model(network(), {}), onnx_tensors);
}

TEST(Npz, WhatIsNoArchiveIsAnError) {
  for (const std::string& bytes : {std::string(), std::string("PK\x03\x04"), std::string(100, 'x')})
    EXPECT_THROW((void)npz_tensors(bytes, "x"), DataError);
}

}  // namespace
}  // namespace convoy::exchange
