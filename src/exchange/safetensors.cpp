#include "convoy/exchange/safetensors.hpp"

#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "convoy/core/error.hpp"
#include "numbers.hpp"

namespace convoy::exchange {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // as the reference implementation

float from_half(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  const float sign = (half & 0x8000) != 0 ? -1.F : 1.F;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return exponent == 0 ? sign * std::ldexp(static_cast<float>(fraction), -24)
                       : sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

/// Bytes of a number of a type, 0 for types of integers.
std::size_t bytes_of(const std::string& type) {
  if (type == "F64") return 8;
  if (type == "F32") return 4;
  return type == "F16" || type == "BF16" ? 2 : 0;
}

float read_number(const std::string& type, const char* bytes, std::size_t i) {
  if (type == "F64") return static_cast<float>(number_at<double>(bytes, i));
  if (type == "F32") return number_at<float>(bytes, i);
  const auto half = number_at<std::uint16_t>(bytes, i);
  return type == "F16" ? from_half(half) : std::bit_cast<float>(std::uint32_t{half} << 16);
}

bool is_of_integers(const std::string& type) {
  constexpr std::string_view kIntegers[] = {"BOOL", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64"};
  for (const std::string_view each : kIntegers)
    if (type == each) return true;
  return false;
}

/// Reads one entry of the table; `numbers`: the file's part after the table.
ExportedTensor read_tensor(const std::string& name, const Json& entry, std::string_view numbers,
                           const std::string& path) {
  const auto type = entry.at("dtype").get<std::string>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
  ExportedTensor tensor{.name = name, .dims = entry.at("shape").get<Dims>(), .values = {}};
  const double elements = elements_of(tensor.dims);
  if (bytes_of(type) == 0)
    throw DataError(
        fmt::format("tensor {} of {} has the type {}; F64, F32, F16 and BF16 are read", name, path, type));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > numbers.size() ||
      static_cast<double>(offsets[1] - offsets[0]) != elements * static_cast<double>(bytes_of(type)))
    throw DataError(
        fmt::format("tensor {} of {} lies outside the file or has another size than {}; it is damaged, copy "
                    "it again",
                    name, path, to_string(tensor.dims)));
  tensor.values.resize(static_cast<std::size_t>(elements));
  for (std::size_t i = 0; i < tensor.values.size(); ++i)
    tensor.values[i] = read_number(type, numbers.data() + offsets[0], i);
  return tensor;
}

}  // namespace

std::string safetensors_of(const ExportedNetwork& network) {
  Json table;
  table["__metadata__"] = {{"format", "pt"}, {"producer", "convoy"}, {"step", std::to_string(network.step)}};
  std::string numbers;
  const auto add = [&](const std::string& name, const char* type, const Dims& dims, const void* data,
                       std::size_t bytes) {
    table[name] = {
        {"dtype", type}, {"shape", dims}, {"data_offsets", {numbers.size(), numbers.size() + bytes}}};
    numbers.append(static_cast<const char*>(data), bytes);
  };
  for (const ExportedLayer& layer : network.layers) {
    for (const auto* tensors : {&layer.parameters, &layer.statistics})
      for (const ExportedTensor& tensor : *tensors)
        add(tensor.name, "F32", tensor.dims, tensor.values.data(), tensor.values.size() * sizeof(float));
  }
  // Behind all float tensors, so that these stay aligned.
  for (const ExportedLayer& layer : network.layers) {
    if (layer.kind != Operator::kBatchNormalization) continue;
    const std::int64_t steps = network.step;
    add(layer.name + ".num_batches_tracked", "I64", {}, &steps, sizeof steps);
  }
  std::string header = table.dump();
  header.resize((header.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const std::uint64_t length = header.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + numbers;
}

std::vector<ExportedTensor> safetensors_tensors(const std::string& bytes, const std::string& path) {
  const auto damaged = [&](const std::string& why) {
    return DataError(fmt::format("{} is no safetensors file ({}); export it again", path, why));
  };
  if (bytes.size() < kLengthBytes) throw damaged("it has fewer than 8 bytes");
  const auto length = number_at<std::uint64_t>(bytes.data(), 0);
  if (length > kMostHeaderBytes || length > bytes.size() - kLengthBytes)
    throw damaged(fmt::format("its table would have {} bytes", length));
  const std::string_view all(bytes);
  std::vector<ExportedTensor> tensors;
  try {
    const Json table = Json::parse(all.substr(kLengthBytes, length));
    if (!table.is_object()) throw damaged("its table is no JSON object");
    for (const auto& [name, entry] : table.items()) {
      if (name == "__metadata__" || is_of_integers(entry.at("dtype").get<std::string>())) continue;
      tensors.push_back(read_tensor(name, entry, all.substr(kLengthBytes + length), path));
    }
  } catch (const Json::exception& error) {
    throw damaged(error.what());
  }
  return tensors;
}

}  // namespace convoy::exchange
