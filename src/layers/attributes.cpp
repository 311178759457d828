#include "convoy/layers/attributes.hpp"

#include <utility>

#include "convoy/core/text.hpp"
#include "convoy/layers/layer.hpp"

namespace convoy::nn {
namespace {

/// Prints a value in the text form (nn/layer_line.hpp); options print a pair of equal numbers as one number.
struct Written {
  bool is_option;
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return shortest(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const HeightWidth& value) const {
    const std::string h = std::to_string(value.h);
    return is_option && value.h == value.w ? h : h + 'x' + std::to_string(value.w);
  }
};

class Collector final : public AttributeVisitor {
 public:
  void positional(std::string_view name, const AttributeValue& value) override {
    attributes.push_back({.name = std::string(name), .value = value, .otherwise = std::nullopt});
  }
  void option(std::string_view name, const AttributeValue& value, const AttributeValue& otherwise) override {
    attributes.push_back({.name = std::string(name), .value = value, .otherwise = otherwise});
  }

  std::vector<Attribute> attributes;
};

}  // namespace

std::vector<Attribute> attributes_of(const Layer& layer) {
  Collector collector;
  layer.visit(collector);
  return std::move(collector.attributes);
}

std::string Layer::description() const {
  std::string text(keyword());
  for (const Attribute& attribute : attributes_of(*this)) {
    if (attribute.value == attribute.otherwise) continue;
    const bool is_option = attribute.otherwise.has_value();
    text += ' ' + (is_option ? attribute.name + '=' : std::string()) +
            std::visit(Written{is_option}, attribute.value);
  }
  return text;
}

}  // namespace convoy::nn
