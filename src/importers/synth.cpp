#include "convoy/importers/synth.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/math.hpp"
#include "convoy/core/random.hpp"
#include "convoy/core/text.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

struct Point {
  double x = 0;
  double y = 0;
};

Point operator-(const Point& a, const Point& b) {
  return {a.x - b.x, a.y - b.y};
}
double dot(const Point& a, const Point& b) {
  return a.x * b.x + a.y * b.y;
}
double length(const Point& a) {
  return std::sqrt(dot(a, a));
}

/// A kind of drawing, in its own coordinates; inside the unit circle.
struct Kind {
  std::string_view name;
  std::vector<std::array<Point, 2>> strokes;
  double ring_radius = 0;  ///< > 0: also a circle
  double disc_radius = 0;  ///< > 0: also a disc
};

const std::array<Kind, 10>& kinds() {
  static const std::array<Kind, 10> all{{
      {"bar", {{{{-0.9, 0}, {0.9, 0}}}}},
      {"cross", {{{{-0.8, 0}, {0.8, 0}}}, {{{0, -0.8}, {0, 0.8}}}}},
      {"L", {{{{-0.4, -0.8}, {-0.4, 0.7}}}, {{{-0.4, 0.7}, {0.6, 0.7}}}}},
      {"T", {{{{-0.7, -0.6}, {0.7, -0.6}}}, {{{0, -0.6}, {0, 0.8}}}}},
      {"triangle", {{{{0, -0.9}, {0.8, 0.5}}}, {{{0.8, 0.5}, {-0.8, 0.5}}}, {{{-0.8, 0.5}, {0, -0.9}}}}},
      {"square",
       {{{{-0.6, -0.6}, {0.6, -0.6}}},
        {{{0.6, -0.6}, {0.6, 0.6}}},
        {{{0.6, 0.6}, {-0.6, 0.6}}},
        {{{-0.6, 0.6}, {-0.6, -0.6}}}}},
      {"disc", {}, 0, 0.6},
      {"ring", {}, 0.75, 0},
      {"arrow", {{{{-0.9, 0}, {0.8, 0}}}, {{{0.8, 0}, {0.25, -0.55}}}, {{{0.8, 0}, {0.25, 0.55}}}}},
      {"zigzag", {{{{-0.7, -0.6}, {0.6, -0.6}}}, {{{0.6, -0.6}, {-0.6, 0.6}}}, {{{-0.6, 0.6}, {0.7, 0.6}}}}},
  }};
  return all;
}

/// Distance from `p` to the stroke: |p − (a + t·(b − a))| with t = clamp((p − a)·(b − a)/|b − a|², 0, 1).
double distance(const Point& p, const std::array<Point, 2>& stroke) {
  const Point along = stroke[1] - stroke[0];
  const Point from = p - stroke[0];
  const double t = std::clamp(dot(from, along) / dot(along, along), 0.0, 1.0);
  return length({from.x - t * along.x, from.y - t * along.y});
}

/// Signed distance from `p` to the edge of the drawing; negative inside.
double distance(const Point& p, const Kind& kind, double half_width) {
  double nearest = 4;  // more than any distance in the unit circle
  for (const auto& stroke : kind.strokes) nearest = std::min(nearest, distance(p, stroke) - half_width);
  if (kind.ring_radius > 0) nearest = std::min(nearest, std::abs(length(p) - kind.ring_radius) - half_width);
  if (kind.disc_radius > 0) nearest = std::min(nearest, length(p) - kind.disc_radius);
  return nearest;
}

void check_range(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    throw ConfigError(fmt::format("wrong value of --{} (it is {}); it should lie between {} and {}", name,
                                  value, grouped(least), grouped(most)));
}

}  // namespace

void check(const SynthOptions& options) {
  constexpr std::int64_t kMostSamples = 100'000'000;
  constexpr std::int64_t kLeastSide = 12;  // smaller images make the kinds indistinguishable
  constexpr std::int64_t kMostSide = 512;
  check_range("train", options.train, 1, kMostSamples);
  check_range("test", options.test, 1, kMostSamples);
  check_range("classes", options.classes, 2, static_cast<std::int64_t>(kinds().size()));
  check_range("height", options.height, kLeastSide, kMostSide);
  check_range("width", options.width, kLeastSide, kMostSide);
}

std::int64_t synth_label(const SynthOptions& options, std::int64_t index) {
  return index % options.classes;
}

void draw_synth(const SynthOptions& options, SynthSplit split, std::int64_t index,
                std::span<std::uint8_t> image) {
  const Kind& kind = kinds()[static_cast<std::size_t>(synth_label(options, index))];
  RandomStream random(random_key(options.seed, RandomPurpose::kSynthetic, static_cast<std::uint64_t>(split),
                                 static_cast<std::uint64_t>(index)));
  const auto height = static_cast<double>(options.height);
  const auto width = static_cast<double>(options.width);
  // Radians: an L remains an L, and a square does not become a diamond.
  constexpr double kMostAngle = 0.5;

  // The order of these draws is part of the data set: add new draws at the end.
  const double radius = random.uniform(0.3, 0.45) * std::min(height, width);  // pixels per unit
  const double half_width = random.uniform(0.11, 0.2);
  const double angle = random.uniform(-kMostAngle, kMostAngle);
  const Point centre{random.uniform(radius, width - radius), random.uniform(radius, height - radius)};
  const double contrast = random.uniform(0.4, 0.8);
  const double darker = random.uniform(0.05, 0.95 - contrast);
  const bool light_on_dark = random.uniform() < 0.5;
  const double noise = random.uniform(0.02, 0.06);

  const double ground = light_on_dark ? darker : darker + contrast;
  const double ink = light_on_dark ? darker + contrast : darker;
  const double cosine = math::cos(angle);
  const double sine = math::sin(angle);
  for (std::int64_t y = 0; y < options.height; ++y) {
    for (std::int64_t x = 0; x < options.width; ++x) {
      const double dx = (static_cast<double>(x) + 0.5 - centre.x) / radius;
      const double dy = (static_cast<double>(y) + 0.5 - centre.y) / radius;
      const Point p{cosine * dx + sine * dy, cosine * dy - sine * dx};
      // Covered fraction of the pixel, to first order in the distance from the edge.
      const double cover = std::clamp(0.5 - distance(p, kind, half_width) * radius, 0.0, 1.0);
      const double value = ground + cover * (ink - ground) + noise * random.normal();
      image[static_cast<std::size_t>(y * options.width + x)] =
          static_cast<std::uint8_t>(std::floor(std::clamp(value, 0.0, 1.0) * 255 + 0.5));
    }
  }
}

std::vector<std::string> synth_class_names(std::int64_t classes) {
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < classes; ++k) names.emplace_back(kinds()[static_cast<std::size_t>(k)].name);
  return names;
}

void synth(const SynthOptions& options, const std::string& out, Observer* observer) {
  check(options);
  DatasetWriter writer(out,
                       {.shape = {1, options.height, options.width},
                        .source = "convoy synth, seed " + std::to_string(options.seed),
                        .class_names = synth_class_names(options.classes)},
                       observer);
  std::vector<std::uint8_t> image(static_cast<std::size_t>(options.height * options.width));
  const auto draw = [&](SynthSplit split, const char* name, std::int64_t samples) {
    writer.begin_split(name, samples);
    for (std::int64_t index = 0; index < samples; ++index) {
      draw_synth(options, split, index, image);
      const std::int64_t label = synth_label(options, index);
      writer.append(image, {&label, 1});
    }
  };
  draw(SynthSplit::kTrain, data::names::kTrain, options.train);
  draw(SynthSplit::kTest, data::names::kTest, options.test);
  writer.finish();
}

}  // namespace convoy::importers
