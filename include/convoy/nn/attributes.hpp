#pragma once
// What a layer was made with: named, typed values in the order in which its line in a configuration has them.
//
// A layer tells them to a visitor (Layer::visit). Its description is made of them, and whatever must know a
// layer from outside (a summary, an export, a check) reads them instead of the description.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace convoy::nn {

class Layer;

/// Two numbers of a window: its size, its stride, its padding.
struct HeightWidth {
  std::int64_t h = 0;
  std::int64_t w = 0;
  friend bool operator==(const HeightWidth&, const HeightWidth&) = default;
};

using AttributeValue = std::variant<bool, std::int64_t, double, HeightWidth>;

/// Receives the attributes of a layer.
class AttributeVisitor {
 public:
  virtual ~AttributeVisitor() = default;
  /// A value that a line gives without its name, in the order of the calls.
  virtual void positional(std::string_view name, const AttributeValue& value) = 0;
  /// A value that a line gives as name=value, or leaves out if it is `otherwise`.
  virtual void option(std::string_view name, const AttributeValue& value,
                      const AttributeValue& otherwise) = 0;
};

/// An attribute as a value.
struct Attribute {
  std::string name;  ///< "kernel", "stride"
  AttributeValue value;
  std::optional<AttributeValue> otherwise;  ///< the default of an option; nothing: positional
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

/// All attributes of `layer`, in the order of its line.
[[nodiscard]] std::vector<Attribute> attributes_of(const Layer& layer);

}  // namespace convoy::nn
