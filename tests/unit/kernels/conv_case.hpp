#pragma once
// Runs the three convolution kernels on one shape, and compares the results with the textbook.

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "reference/convolution.hpp"
#include "reference/minimal_filtering.hpp"
#include "support/guarded.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"
#include "unit/kernels/kernel_sets.hpp"

namespace convoy::kernels {

inline Conv2dShape to_shape(const reference::Convolution& c, Precision precision = Precision::kFloat32) {
  return {.blocks = lane_blocks(c.n),
          .ic = c.ic,
          .ih = c.ih,
          .iw = c.iw,
          .oc = c.oc,
          .oh = c.oh(),
          .ow = c.ow(),
          .kh = c.kh,
          .kw = c.kw,
          .sh = c.sh,
          .sw = c.sw,
          .ph = c.ph,
          .pw = c.pw,
          .dh = c.dh,
          .dw = c.dw,
          .groups = c.groups,
          .precision = precision};
}

inline std::string describe(const reference::Convolution& c) {
  std::ostringstream text;
  text << "n" << c.n << " ic" << c.ic << " " << c.ih << "x" << c.iw << " oc" << c.oc << " kernel " << c.kh
       << "x" << c.kw << " stride " << c.sh << "x" << c.sw << " pad " << c.ph << "x" << c.pw << " dilation "
       << c.dh << "x" << c.dw << " groups " << c.groups;
  return text.str();
}

/// A shape with input numbers.
struct ConvCase {
  reference::Convolution shape;
  bool with_bias = true;
  std::vector<double> src, weights, bias, diff_dst;
};

inline ConvCase make_conv_case(const reference::Convolution& shape, bool with_bias, unsigned seed) {
  Numbers numbers(seed);
  return {shape,
          with_bias,
          numbers.uniform(shape.src_size()),
          numbers.uniform(shape.weights_size()),
          with_bias ? numbers.uniform(shape.oc) : std::vector<double>(),
          numbers.uniform(shape.dst_size())};
}

/// All results of the kernels, including idle lanes.
template <class Real>
struct ConvResults {
  std::vector<Real> dst, diff_src, diff_weights, diff_bias;
};

template <class Real>
ConvResults<Real> run_conv(const KernelTable<Real>& table, const ConvCase& c, int threads,
                           Precision precision = Precision::kFloat32) {
  using test::IdleLanes;
  const reference::Convolution& r = c.shape;
  const Conv2dShape shape = to_shape(r, precision);
  const auto src = test::to_lanes<Real>(c.src, r.n, r.ic * r.ih * r.iw, IdleLanes::kFirstSample);
  const auto diff_dst = test::to_lanes<Real>(c.diff_dst, r.n, r.oc * r.oh() * r.ow(), IdleLanes::kZero);
  const std::vector<Real> weights = to_real<Real>(c.weights);
  const std::vector<Real> bias = to_real<Real>(c.bias);
  test::Guarded<Real> dst(diff_dst.size());
  test::Guarded<Real> diff_src(src.size());
  test::Guarded<Real> diff_weights(r.weights_size(), 1);
  test::Guarded<Real> diff_bias(r.oc, 3);
  test::Guarded<Real> scratch(table.planner.conv2d_scratch_size(shape, threads));
  test::run_team(threads, [&](const Team& team) {
    table.conv2d_forward(shape, src.data(), weights.data(), c.with_bias ? bias.data() : nullptr, {},
                         dst.data(), scratch.data(), team);
    table.conv2d_backward_data(shape, diff_dst.data(), weights.data(), Update::kAssign, diff_src.data(),
                               scratch.data(), team);
    table.conv2d_backward_weights(shape, src.data(), diff_dst.data(), Update::kAssign, diff_weights.data(),
                                  c.with_bias ? diff_bias.data() : nullptr, scratch.data(), team);
  });
  EXPECT_TRUE(dst.guards_untouched()) << "dst, " << describe(r);
  EXPECT_TRUE(diff_src.guards_untouched()) << "diff_src, " << describe(r);
  EXPECT_TRUE(diff_weights.guards_untouched()) << "diff_weights, " << describe(r);
  EXPECT_TRUE(diff_bias.guards_untouched()) << "diff_bias, " << describe(r);
  EXPECT_TRUE(scratch.guards_untouched()) << "scratch, " << describe(r);
  return {dst.values(), diff_src.values(), diff_weights.values(),
          c.with_bias ? diff_bias.values() : std::vector<Real>()};
}

template <class Real>
std::vector<double> to_double(const std::vector<Real>& values) {
  return std::vector<double>(values.begin(), values.end());
}

/// Magnitudes that rounding errors are relative to, and the number of roundings on a path: for the direct sum
/// or, if possible for the shape, for minimal filtering, whichever allows larger errors.
struct ErrorScale {
  std::vector<double> magnitudes;
  std::int64_t roundings;
};

inline ErrorScale error_scale(const reference::Convolution& shape, std::vector<double> direct,
                              std::int64_t roundings, const std::function<std::vector<double>()>& filtered) {
  if (!reference::has_minimal_filtering(shape)) return {std::move(direct), roundings};
  const std::vector<double> other = filtered();
  for (std::size_t i = 0; i < direct.size(); ++i) direct[i] = std::max(direct[i], other[i]);
  return {std::move(direct), roundings + reference::kTransformRoundings};
}

inline ErrorScale diff_src_error_scale(const ConvCase& c) {
  const auto weights = magnitudes(c.weights);
  const auto diff_dst = magnitudes(c.diff_dst);
  return error_scale(c.shape, reference::convolution_backward_data(c.shape, diff_dst, weights),
                     c.shape.oc / c.shape.groups * c.shape.kh * c.shape.kw, [&] {
                       return reference::minimal_filtering_backward_data(c.shape, diff_dst, weights,
                                                                         reference::Arithmetic::kMagnitudes);
                     });
}

/// Compares with the reference. The tolerance of an element is γ_k·Σ|a·b|, k being the number of terms (plus
/// one for the bias). Operands rounded to bfloat16 have an error of half a unit of 2⁻⁷ each.
template <class Real>
void expect_conv_matches(const ConvCase& c, const ConvResults<Real>& got,
                         Precision precision = Precision::kFloat32) {
  using reference::Arithmetic;
  const reference::Convolution& r = c.shape;
  const std::string name = describe(r);
  const double half_unit = precision == Precision::kBfloat16 ? 1. / 256 : 0;
  const double of_factors = (1 + half_unit) * (1 + half_unit) - 1;
  const auto src = magnitudes(c.src);
  const auto weights = magnitudes(c.weights);
  const auto bias = magnitudes(c.bias);
  const auto diff_dst = magnitudes(c.diff_dst);
  const std::int64_t kernel = r.kh * r.kw;
  const std::int64_t pixels = lane_blocks(r.n) * kLanes * r.oh() * r.ow();

  const ErrorScale of_dst = error_scale(
      r, reference::convolution_forward(r, src, weights, bias), r.ic / r.groups * kernel + 1,
      [&] { return reference::minimal_filtering_forward(r, src, weights, bias, Arithmetic::kMagnitudes); });
  expect_within<Real>(test::from_lanes(got.dst.data(), r.n, r.oc * r.oh() * r.ow()),
                      reference::convolution_forward(r, c.src, c.weights, c.bias), of_dst.magnitudes,
                      of_dst.roundings, "dst of " + name, of_factors);

  const ErrorScale of_src = diff_src_error_scale(c);
  expect_within<Real>(test::from_lanes(got.diff_src.data(), r.n, r.ic * r.ih * r.iw),
                      reference::convolution_backward_data(r, c.diff_dst, c.weights), of_src.magnitudes,
                      of_src.roundings, "diff_src of " + name, of_factors);

  const ErrorScale of_weights =
      error_scale(r, reference::convolution_backward_weights(r, src, diff_dst), pixels, [&] {
        return reference::minimal_filtering_backward_weights(r, src, diff_dst, Arithmetic::kMagnitudes);
      });
  expect_within<Real>(to_double(got.diff_weights),
                      reference::convolution_backward_weights(r, c.src, c.diff_dst), of_weights.magnitudes,
                      of_weights.roundings, "diff_weights of " + name, of_factors);
  if (c.with_bias) {
    expect_within<Real>(to_double(got.diff_bias), reference::convolution_backward_bias(r, c.diff_dst),
                        reference::convolution_backward_bias(r, diff_dst), pixels, "diff_bias of " + name);
  }
}

}  // namespace convoy::kernels
