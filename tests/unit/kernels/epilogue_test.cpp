// Operations fused into convolution and batch normalisation: sums, activations, added and masked diffs.

#include <algorithm>
#include <cstring>
#include <set>
#include <type_traits>

#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

using reference::Convolution;
using test::IdleLanes;

class Epilogues : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Epilogues);

/// Direct, minimal filtering, dense.
std::vector<Convolution> epilogue_shapes() {
  return {
      {.n = 17, .ic = 3, .ih = 9, .iw = 7, .oc = 10, .kh = 3, .kw = 2, .sh = 2, .sw = 1, .ph = 1, .pw = 1},
      {.n = 16, .ic = 16, .ih = 9, .iw = 10, .oc = 18, .kh = 3, .kw = 3, .ph = 1, .pw = 1},
      {.n = 5, .ic = 24, .ih = 7, .iw = 8, .oc = 20, .kh = 5, .kw = 5, .ph = 2, .pw = 2},
      {.n = 16, .ic = 40, .ih = 1, .iw = 1, .oc = 13}};
}

TEST_P(Epilogues, OfAConvolutionAreTheSumAndActivationOfItsResult) {
  with_table([](const auto& table) {
    using Real = std::remove_cvref_t<decltype(*run_conv(table, ConvCase{}, 1).dst.data())>;
    for (const Convolution& r : epilogue_shapes()) {
      const ConvCase c = make_conv_case(r, true, 11);
      const Conv2dShape shape = to_shape(r);
      const auto src = test::to_lanes<Real>(c.src, r.n, r.ic * r.ih * r.iw, IdleLanes::kFirstSample);
      const auto addend =
          test::to_lanes<Real>(c.diff_dst, r.n, r.oc * r.oh() * r.ow(), IdleLanes::kFirstSample);
      const std::vector<Real> weights = to_real<Real>(c.weights);
      const std::vector<Real> bias = to_real<Real>(c.bias);
      const std::vector<Real> plain = run_conv(table, c, 1).dst;
      test::Guarded<Real> scratch(table.planner.conv2d_scratch_size(shape, 2));
      for (const bool with_addend : {false, true}) {
        for (const ActivationKind activation : {ActivationKind::kNone, ActivationKind::kRelu,
                                                ActivationKind::kSigmoid, ActivationKind::kTanh}) {
          test::Guarded<Real> dst(addend.size());
          test::run_team(2, [&](const Team& team) {
            table.conv2d_forward(
                shape, src.data(), weights.data(), bias.data(),
                {.addend = with_addend ? addend.data() : nullptr, .activation = {activation}}, dst.data(),
                scratch.data(), team);
          });
          EXPECT_TRUE(dst.guards_untouched() && scratch.guards_untouched());
          AlignedBuffer<Real> want(addend.size());
          for (std::int64_t i = 0; i < addend.size(); ++i) {
            const Real sum = plain[static_cast<std::size_t>(i)];
            want[i] = with_addend ? sum + addend[i] : sum;
          }
          table.activation_forward({activation}, want.size(), want.data(), want.data(), Team());
          for (std::int64_t i = 0; i < want.size(); ++i)
            ASSERT_EQ(dst.data()[i], want[i])
                << describe(r) << ", element " << i << ", activation " << static_cast<int>(activation);
        }
      }
    }
  });
}

// The direct sum starts from the old value, so it has one more term; minimal filtering adds at the end.
TEST_P(Epilogues, BackwardDataAddsToWhatIsThere) {
  with_table([](const auto& table) {
    using Real = std::remove_cvref_t<decltype(*run_conv(table, ConvCase{}, 1).dst.data())>;
    for (const Convolution& r : epilogue_shapes()) {
      const ConvCase c = make_conv_case(r, false, 12);
      const Conv2dShape shape = to_shape(r);
      const auto diff_dst = test::to_lanes<Real>(c.diff_dst, r.n, r.oc * r.oh() * r.ow(), IdleLanes::kZero);
      auto diff_src = test::to_lanes<Real>(c.src, r.n, r.ic * r.ih * r.iw, IdleLanes::kZero);
      const std::vector<Real> weights = to_real<Real>(c.weights);
      test::Guarded<Real> scratch(table.planner.conv2d_scratch_size(shape, 2));
      test::run_team(2, [&](const Team& team) {
        table.conv2d_backward_data(shape, diff_dst.data(), weights.data(), Update::kAdd, diff_src.data(),
                                   scratch.data(), team);
      });
      std::vector<double> want = reference::convolution_backward_data(r, c.diff_dst, c.weights);
      ErrorScale scale = diff_src_error_scale(c);
      for (std::size_t i = 0; i < want.size(); ++i) {
        want[i] += c.src[i];
        scale.magnitudes[i] += std::fabs(c.src[i]);
      }
      expect_within<Real>(test::from_lanes(diff_src.data(), r.n, r.ic * r.ih * r.iw), want, scale.magnitudes,
                          scale.roundings + 1, "diff_src of " + describe(r));
    }
  });
}

// Complete sums are added, so the result is bit for bit the old value plus the result of kAssign.
TEST_P(Epilogues, BackwardWeightsAddsToWhatIsThere) {
  with_table([](const auto& table) {
    using Real = std::remove_cvref_t<decltype(*run_conv(table, ConvCase{}, 1).dst.data())>;
    std::set<ConvAlgorithm> covered;
    for (const Convolution& r : epilogue_shapes()) {
      const ConvCase c = make_conv_case(r, true, 12);
      const Conv2dShape shape = to_shape(r);
      covered.insert(table.planner.conv2d_algorithms(shape).backward_weights);
      const auto src = test::to_lanes<Real>(c.src, r.n, r.ic * r.ih * r.iw, IdleLanes::kFirstSample);
      const auto diff_dst = test::to_lanes<Real>(c.diff_dst, r.n, r.oc * r.oh() * r.ow(), IdleLanes::kZero);
      const auto run = [&](Update update, Real start) {
        test::Guarded<Real> diff_weights(r.weights_size());
        test::Guarded<Real> diff_bias(r.oc);
        test::Guarded<Real> scratch(table.planner.conv2d_scratch_size(shape, 2));
        std::fill_n(diff_weights.data(), diff_weights.size(), start);
        std::fill_n(diff_bias.data(), diff_bias.size(), start);
        test::run_team(2, [&](const Team& team) {
          table.conv2d_backward_weights(shape, src.data(), diff_dst.data(), update, diff_weights.data(),
                                        diff_bias.data(), scratch.data(), team);
        });
        EXPECT_TRUE(diff_weights.guards_untouched()) << describe(r);
        std::vector<Real> all = diff_weights.values();
        const std::vector<Real> of_bias = diff_bias.values();
        all.insert(all.end(), of_bias.begin(), of_bias.end());
        return all;
      };
      std::vector<Real> want = run(Update::kAssign, 5);
      for (Real& each : want) each = Real(3) + each;
      EXPECT_EQ(run(Update::kAdd, 3), want) << describe(r);
    }
    EXPECT_EQ(covered.size(), 3U) << "direct, minimal filtering, matrix product";
  });
}

TEST_P(Epilogues, OfBatchNormalisationAreThoseOfThePassesTheyReplace) {
  with_table([](const auto& table) {
    using Real = std::remove_cvref_t<decltype(*run_conv(table, ConvCase{}, 1).dst.data())>;
    const std::int64_t samples = 19, channels = 3, spatial = 21;
    const std::int64_t size = channels * spatial;
    const BatchNormShape shape = {
        .blocks = lane_blocks(samples), .samples = samples, .c = channels, .spatial = spatial};
    Numbers numbers(8);
    const auto src =
        test::to_lanes<Real>(numbers.uniform(samples * size), samples, size, IdleLanes::kFirstSample);
    const auto addend =
        test::to_lanes<Real>(numbers.uniform(samples * size), samples, size, IdleLanes::kFirstSample);
    const auto diff = test::to_lanes<Real>(numbers.uniform(samples * size), samples, size, IdleLanes::kZero);
    const auto weight = to_real<Real>(numbers.uniform(channels, 0.5, 2));
    const auto bias = to_real<Real>(numbers.uniform(channels));
    struct Buffers {
      std::vector<Real> dst, diff_dst, diff_src, mean, variance, diff_weight, diff_bias;
    };
    const auto run = [&](bool fused, ActivationKind activation) {
      const auto elements = static_cast<std::size_t>(src.size());
      AlignedBuffer<Real> dst(src.size()), inference(src.size()), diff_dst(src.size()), diff_src(src.size());
      std::copy(diff.span().begin(), diff.span().end(), diff_dst.data());
      std::vector<Real> of_channel[4];
      for (auto& each : of_channel) each.resize(static_cast<std::size_t>(channels));
      std::vector<Real>& mean = of_channel[0];  // named one by one: clang 14 captures no structured bindings
      std::vector<Real>& variance = of_channel[1];
      std::vector<Real>& diff_weight = of_channel[2];
      std::vector<Real>& diff_bias = of_channel[3];
      test::run_team(2, [&](const Team& team) {
        const Epilogue<Real> epilogue =
            fused ? Epilogue<Real>{.addend = addend.data(), .activation = {activation}} : Epilogue<Real>{};
        table.batchnorm_forward(shape, src.data(), weight.data(), bias.data(), epilogue, dst.data(),
                                mean.data(), variance.data(), team);
        table.batchnorm_inference(shape, src.data(), weight.data(), bias.data(), mean.data(), variance.data(),
                                  epilogue, inference.data(), team);
        if (!fused) {
          for (Real* each : {dst.data(), inference.data()}) {
            table.add(src.size(), each, addend.data(), each, team);
            table.activation_forward({activation}, src.size(), each, each, team);
          }
        }
        if (!fused)
          table.activation_backward({activation}, src.size(), dst.data(), diff_dst.data(), diff_dst.data(),
                                    team);
        table.batchnorm_backward(shape, src.data(), epilogue.activation, dst.data(), diff_dst.data(),
                                 weight.data(), mean.data(), variance.data(), diff_src.data(),
                                 diff_weight.data(), diff_bias.data(), team);
      });
      std::vector<Real> all;
      for (const AlignedBuffer<Real>* each : {&dst, &inference, &diff_dst, &diff_src})
        all.insert(all.end(), each->data(), each->data() + elements);
      for (const auto& each : of_channel) all.insert(all.end(), each.begin(), each.end());
      return all;
    };
    for (const ActivationKind activation :
         {ActivationKind::kNone, ActivationKind::kRelu, ActivationKind::kSigmoid, ActivationKind::kTanh})
      EXPECT_EQ(run(true, activation), run(false, activation)) << static_cast<int>(activation);
  });
}

}  // namespace
}  // namespace convoy::kernels
