// PGM and PPM (netpbm): a magic word, then width, height and maximum in decimal, separated by blanks and
// comments, then samples. P2 and P3: decimal. P5 and P6: one byte, or two (big-endian) if the maximum is
// above 255.

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "decoder.hpp"

namespace convoy::images {
namespace {

constexpr std::int64_t kMostMaximum = 65535;

bool is_blank(std::uint8_t byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

class PnmDecoder final : public ImageDecoder {
 public:
  PnmDecoder(std::span<const std::uint8_t> bytes, const std::string& name) : name_(name), left_(bytes) {
    const std::uint8_t kind = bytes[1];
    is_plain_ = kind == '2' || kind == '3';
    shape_.c = kind == '2' || kind == '5' ? 1 : 3;
    left_ = left_.subspan(2);
    shape_.w = header_number("width", kMostImageSide);
    shape_.h = header_number("height", kMostImageSide);
    maximum_ = header_number("maximum", kMostMaximum);
    if (left_.empty() || !is_blank(left_.front()))
      throw_bad_image(name_, "no blank follows its maximum of " + std::to_string(maximum_));
    left_ = left_.subspan(1);
  }

  [[nodiscard]] Shape shape() const override { return shape_; }

  void decode(std::span<std::uint8_t> pixels) override {
    if (!is_plain_) require_length(static_cast<std::int64_t>(pixels.size()));
    for (std::uint8_t& pixel : pixels) {
      const std::int64_t value = is_plain_ ? number("a pixel") : word();
      if (value > maximum_)
        throw_bad_image(name_, fmt::format("a pixel of {} is above its maximum of {}", grouped(value),
                                           grouped(maximum_)));
      pixel = static_cast<std::uint8_t>((value * 255 + maximum_ / 2) / maximum_);
    }
    if (!std::ranges::all_of(left_, is_blank)) throw_bad_image(name_, "it goes on after its last pixel");
  }

 private:
  void require_length(std::int64_t samples) const {
    const std::int64_t expected = samples * (maximum_ > 255 ? 2 : 1);
    const auto found = static_cast<std::int64_t>(left_.size());
    if (found < expected)
      throw_bad_image(
          name_, fmt::format("it is cut short: {} of {} bytes of pixels", grouped(found), grouped(expected)));
  }

  void skip_blanks() {
    while (!left_.empty() && (is_blank(left_.front()) || left_.front() == '#')) {
      if (left_.front() == '#')
        left_ = left_.subspan(static_cast<std::size_t>(std::ranges::find(left_, '\n') - left_.begin()));
      else
        left_ = left_.subspan(1);
    }
  }

  std::int64_t number(const char* what) {
    skip_blanks();
    if (left_.empty()) throw_bad_image(name_, std::string("it is cut short, before ") + what);
    std::int64_t value = 0;
    constexpr std::int64_t kEnough = 1'000'000'000;
    std::size_t digits = 0;
    for (; digits < left_.size() && left_[digits] >= '0' && left_[digits] <= '9'; ++digits)
      value = std::min(value * 10 + left_[digits] - '0', kEnough);
    left_ = left_.subspan(digits);
    if (digits == 0 || !(left_.empty() || is_blank(left_.front()) || left_.front() == '#'))
      throw_bad_image(name_, std::string(what) + " is not a number");
    return value;
  }

  std::int64_t header_number(const char* what, std::int64_t most) {
    const std::int64_t value = number(what);
    if (value < 1 || value > most)
      throw_bad_image(name_,
                      fmt::format("its {} of {} is not from 1 to {}", what, grouped(value), grouped(most)));
    return value;
  }

  std::int64_t word() {
    const bool is_wide = maximum_ > 255;
    const std::int64_t value = is_wide ? left_[0] * 256 + left_[1] : left_[0];
    left_ = left_.subspan(is_wide ? 2 : 1);
    return value;
  }

  const std::string& name_;
  std::span<const std::uint8_t> left_;
  Shape shape_;
  std::int64_t maximum_ = 0;
  bool is_plain_ = false;
};

}  // namespace

std::unique_ptr<ImageDecoder> open_pnm(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<PnmDecoder>(bytes, name);
}

}  // namespace convoy::images
