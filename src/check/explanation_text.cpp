#include "explanation_text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace convoy::check {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kGap = 4;

/// Columns on a terminal: the number of bytes that are not UTF-8 continuation bytes.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::size_t width(const Block& block) {
  std::size_t widest = width(block.title);
  for (const std::string& line : block.lines) widest = std::max(widest, width(line));
  return widest;
}

std::string in_brackets_if_negative(const std::string& number) {
  return number.starts_with('-') ? "(" + number + ")" : number;
}

std::string beside(const std::vector<Block>& blocks) {
  std::size_t height = 0;
  for (const Block& block : blocks) height = std::max(height, block.lines.size());
  std::string text;
  for (std::size_t row = 0; row <= height; ++row) {
    std::string line = "  ";
    for (const Block& block : blocks) {
      const std::string part = row == 0 ? block.title : row <= block.lines.size() ? block.lines[row - 1] : "";
      line += part + std::string(width(block) - width(part) + kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace

std::string number_text(double value, int decimals) {
  return fmt::format("{:.{}f}", value + 0., decimals);  // + 0: no "-0"
}

Block image_block(std::string title, const Image& p, int decimals) {
  std::size_t widest = 0;
  for (const double value : p.values) widest = std::max(widest, number_text(value, decimals).size());
  Block block{std::move(title), {}};
  for (std::int64_t row = 0; row < p.rows; ++row) {
    std::string line;
    for (std::int64_t column = 0; column < p.columns; ++column) {
      const std::string text = number_text(p.at(row, column), decimals);
      line += std::string((column > 0 ? 2 : 0) + widest - text.size(), ' ') + text;
    }
    block.lines.push_back(line);
  }
  return block;
}

std::string side_by_side(const std::vector<Block>& blocks) {
  std::size_t total = 2;
  for (const Block& block : blocks) total += width(block) + kGap;
  if (total - kGap <= kColumns) return beside(blocks);
  std::string text;
  for (const Block& block : blocks) text += beside({block});
  return text;
}

std::string sum_text(const std::string& name, const std::vector<std::pair<std::string, std::string>>& terms,
                     const std::string& last, const std::string& result) {
  std::vector<std::string> parts;
  for (const auto& [first, second] : terms)
    parts.push_back(fmt::format("{}{}·{}", parts.empty() ? "= " : "+ ", in_brackets_if_negative(first),
                                in_brackets_if_negative(second)));
  if (!last.empty()) parts.push_back("+ " + in_brackets_if_negative(last));
  if (!result.empty()) parts.push_back("= " + result);
  std::string text;
  std::string line = "  " + name;
  for (const std::string& part : parts) {
    if (width(line) + 1 + width(part) > kColumns) {
      text += line + '\n';
      line = "  " + std::string(width(name), ' ');
    }
    line += ' ' + part;
  }
  return text + line + '\n';
}

}  // namespace convoy::check
