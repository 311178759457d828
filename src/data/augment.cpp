#include "convoy/data/augment.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/random.hpp"
#include "convoy/core/text.hpp"

namespace convoy::data {
namespace {

enum class Kind : std::uint64_t { kCrop, kFlip, kBrightness, kContrast, kCutout };

constexpr std::int64_t kMostPixels = 4096;
constexpr double kStrongest = 10;

bool read(std::string_view text, std::int64_t& pixels) {
  const auto value = parse_integer(text);
  if (!value || *value < 1 || *value > kMostPixels) return false;
  pixels = *value;
  return true;
}

bool read(std::string_view text, double& strength) {
  const auto value = parse_number(text);
  if (!value || *value <= 0 || *value > kStrongest) return false;
  strength = *value;
  return true;
}

bool read_word(std::string_view name, std::string_view value, Augmentation& found) {
  if (name == "crop") return found.crop == 0 && read(value, found.crop);
  if (name == "brightness") return found.brightness == 0 && read(value, found.brightness);
  if (name == "contrast") return found.contrast == 0 && read(value, found.contrast);
  if (name == "cutout") return found.cutout == 0 && read(value, found.cutout);
  if (name != "flip" || value != "horizontal" || found.flips) return false;
  found.flips = true;
  return true;
}

}  // namespace

std::optional<Augmentation> parse_augmentation(std::string_view text) {
  Augmentation found;
  const std::vector<std::string> words = split_words(std::string(text));
  if (words == std::vector<std::string>{"none"}) return found;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) return std::nullopt;
    const std::string_view all = word;
    if (!read_word(all.substr(0, equals), all.substr(equals + 1), found)) return std::nullopt;
  }
  if (words.empty()) return std::nullopt;
  return found;
}

std::string text_of(const Augmentation& augmentation) {
  std::vector<std::string> words;
  if (augmentation.crop > 0) words.push_back("crop=" + std::to_string(augmentation.crop));
  if (augmentation.flips) words.emplace_back("flip=horizontal");
  if (augmentation.brightness > 0) words.push_back("brightness=" + shortest(augmentation.brightness));
  if (augmentation.contrast > 0) words.push_back("contrast=" + shortest(augmentation.contrast));
  if (augmentation.cutout > 0) words.push_back("cutout=" + std::to_string(augmentation.cutout));
  return words.empty() ? "none" : join(words, " ");
}

void require_fits(const Augmentation& augmentation, const Shape& shape) {
  const std::int64_t side = std::min(shape.h, shape.w);
  const auto require = [&](const char* name, std::int64_t pixels) {
    if (pixels >= side)
      throw ConfigError(
          fmt::format("data.augment has {}={} (images are {}x{}); it should be below their smaller side",
                      name, pixels, shape.h, shape.w));
  };
  require("crop", augmentation.crop);
  require("cutout", augmentation.cutout);
}

ImageChange draw_change(const Augmentation& augmentation, const Shape& shape, std::uint64_t seed,
                        std::int64_t epoch, std::int64_t sample) {
  const auto stream = [&](Kind kind) {
    return RandomStream(random_key(seed, RandomPurpose::kAugment, static_cast<std::uint64_t>(epoch),
                                   static_cast<std::uint64_t>(sample), static_cast<std::uint64_t>(kind)));
  };
  const auto below = [](RandomStream& random, std::int64_t bound) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound)));
  };
  ImageChange change;
  if (augmentation.crop > 0) {
    RandomStream random = stream(Kind::kCrop);
    change.down = below(random, 2 * augmentation.crop + 1) - augmentation.crop;
    change.right = below(random, 2 * augmentation.crop + 1) - augmentation.crop;
  }
  if (augmentation.flips) change.is_flipped = stream(Kind::kFlip).below(2) == 1;
  const auto factor = [&](Kind kind, double strength) {
    return strength == 0 ? 1.0 : stream(kind).uniform(std::max(0.0, 1 - strength), 1 + strength);
  };
  change.brightness = factor(Kind::kBrightness, augmentation.brightness);
  change.contrast = factor(Kind::kContrast, augmentation.contrast);
  if (augmentation.cutout > 0) {
    RandomStream random = stream(Kind::kCutout);
    const auto around = [&](std::int64_t extent) {
      const std::int64_t begin = below(random, extent) - augmentation.cutout / 2;
      return Range{std::max<std::int64_t>(begin, 0), std::min(begin + augmentation.cutout, extent)};
    };
    change.hole_rows = around(shape.h);
    change.hole_columns = around(shape.w);
  }
  return change;
}

}  // namespace convoy::data
