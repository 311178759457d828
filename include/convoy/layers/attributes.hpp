#pragma once
// The attributes of a layer: named, typed values in the order of its configuration line.
//
// A layer passes them to a visitor (Layer::visit). Its description is made from them. Code outside the layer
// (a summary, an export, a check) reads the attributes, not the description.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace convoy::nn {

class Layer;

/// A pair of numbers of a window: a size, a stride or a padding.
struct HeightWidth {
  std::int64_t h = 0;
  std::int64_t w = 0;
  friend bool operator==(const HeightWidth&, const HeightWidth&) = default;
};

using AttributeValue = std::variant<bool, std::int64_t, double, HeightWidth, std::string>;

/// Receives the attributes of a layer.
class AttributeVisitor {
 public:
  virtual ~AttributeVisitor() = default;
  /// A value without a name in the line; values stand in the order of the calls.
  virtual void positional(std::string_view name, const AttributeValue& value) = 0;
  /// A value written as name=value in the line; left out if it equals the default `otherwise`.
  virtual void option(std::string_view name, const AttributeValue& value,
                      const AttributeValue& otherwise) = 0;
};

/// A stored attribute.
struct Attribute {
  std::string name;  ///< "kernel", "stride"
  AttributeValue value;
  std::optional<AttributeValue> otherwise;  ///< the default of an option; nullopt for a positional value
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

/// All attributes of `layer`, in the order of its line.
[[nodiscard]] std::vector<Attribute> attributes_of(const Layer& layer);

}  // namespace convoy::nn
