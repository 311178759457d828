// All sets with fused multiply-adds compute the same bits, on every kind of processor: the hash of the
// results of many cases is a constant. It changes only with the order of a sum, and then on all sets.

#include <span>
#include <utility>

#include "convoy/core/hash.hpp"
#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

using reference::Convolution;
using test::IdleLanes;

/// The hash of `results` on each set of this machine must be `expected`.
template <class Results>
void expect_hash(const std::string& expected, const Results& results) {
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::kPortable) continue;
    Hasher hasher;
    results(float_kernels(isa), [&](const std::vector<float>& values) {
      hasher.update(values.data(), values.size() * sizeof(float));
    });
    EXPECT_EQ(to_hex(hasher.digest()), expected) << to_string(isa);
  }
}

Convolution random_shape(Numbers& numbers) {
  Convolution s;
  s.n = numbers.integer(1, 36);
  s.ic = numbers.integer(1, 40);
  s.oc = numbers.integer(1, 40);
  s.kh = s.kw = numbers.integer(0, 3) == 0 ? numbers.integer(1, 7) : 3;
  s.ph = numbers.integer(0, s.kh - 1);
  s.pw = numbers.integer(0, s.kw - 1);
  s.ih = std::max(numbers.integer(1, 20), s.kh - 2 * s.ph);
  s.iw = std::max(numbers.integer(1, 20), s.kw - 2 * s.pw);
  s.sh = numbers.integer(1, 2);
  s.sw = numbers.integer(1, 2);
  return s;
}

void expect_convolutions(Precision precision, const std::string& expected) {
  expect_hash(expected, [&](const KernelTable<float>& table, const auto& add) {
    Numbers numbers(19);
    for (unsigned i = 0; i < 150; ++i) {
      const ConvCase c = make_conv_case(random_shape(numbers), true, i);
      const ConvResults<float> got = run_conv(table, c, 2, precision);
      for (const auto* values : {&got.dst, &got.diff_src, &got.diff_weights, &got.diff_bias}) add(*values);
    }
  });
}

TEST(OneOrder, OfConvolutions) {
  expect_convolutions(Precision::kFloat32, "3919d00807e103377799ee0508e1c3cb");
}

TEST(OneOrder, OfConvolutionsInBfloat16) {
  expect_convolutions(Precision::kBfloat16, "536aa645b3ff06acf7d2e0525f291674");
}

TEST(OneOrder, OfGroupedAndDilatedConvolutions) {
  expect_hash("e1578f94097e073c7524a768fd104556", [&](const KernelTable<float>& table, const auto& add) {
    Numbers numbers(23);
    for (unsigned i = 0; i < 120; ++i) {
      Convolution s = random_shape(numbers);
      s.groups = i % 3 == 0 ? s.ic : numbers.integer(1, 3);
      s.ic = i % 3 == 0 ? s.ic : s.ic * s.groups;
      s.oc = i % 3 == 0 ? s.ic : s.oc * s.groups;
      if (i % 2 == 0) s.dh = s.dw = numbers.integer(1, 3);
      s.ih = std::max(s.ih, s.dh * (s.kh - 1) + 1);
      s.iw = std::max(s.iw, s.dw * (s.kw - 1) + 1);
      const Precision precision = i % 4 == 0 ? Precision::kBfloat16 : Precision::kFloat32;
      const ConvResults<float> got = run_conv(table, make_conv_case(s, true, i), 2, precision);
      for (const auto* values : {&got.dst, &got.diff_src, &got.diff_weights, &got.diff_bias}) add(*values);
    }
  });
}

TEST(OneOrder, OfGroupNormalisation) {
  expect_hash("df086cdf0119d7bb6dbf0ac104e727c5", [](const KernelTable<float>& table, const auto& add) {
    Numbers numbers(24);
    for (int i = 0; i < 40; ++i) {
      const std::int64_t n = numbers.integer(1, 40);
      const std::int64_t groups = numbers.integer(1, 4);
      const std::int64_t c = groups * numbers.integer(1, 5);
      const std::int64_t spatial = numbers.integer(1, 200);
      const GroupNormShape shape{.blocks = lane_blocks(n), .c = c, .spatial = spatial, .groups = groups};
      const auto src = test::to_lanes<float>(numbers.uniform(n * c * spatial, -2, 5), n, c * spatial,
                                             IdleLanes::kFirstSample);
      const auto diff_dst =
          test::to_lanes<float>(numbers.uniform(n * c * spatial), n, c * spatial, IdleLanes::kZero);
      const auto weight = to_real<float>(numbers.uniform(c));
      const auto bias = to_real<float>(numbers.uniform(c));
      std::vector<float> dst(src.size()), diff_src(src.size());
      std::vector<float> mean(static_cast<std::size_t>(shape.blocks * groups * kLanes)), inverse(mean.size());
      std::vector<float> diff_weight(weight.size()), diff_bias(weight.size());
      test::run_team(2, [&](const Team& team) {
        table.groupnorm_forward(shape, src.data(), weight.data(), bias.data(), {}, dst.data(), mean.data(),
                                inverse.data(), team);
        table.groupnorm_backward(shape, src.data(), diff_dst.data(), weight.data(), mean.data(),
                                 inverse.data(), diff_src.data(), diff_weight.data(), diff_bias.data(), team);
      });
      for (const auto* values : {&dst, &diff_src, &mean, &inverse, &diff_weight, &diff_bias}) add(*values);
    }
  });
}

TEST(OneOrder, OfFurtherActivations) {
  expect_hash("7bb4991df000d02fa0053940dc7e489f", [](const KernelTable<float>& table, const auto& add) {
    Numbers numbers(25);
    const std::int64_t size = 50 * kLanes;
    const auto src = to_real<float>(numbers.uniform(size, -12, 12));
    const auto other = to_real<float>(numbers.uniform(size));
    for (const ActivationKind kind :
         {ActivationKind::kLeakyRelu, ActivationKind::kRelu6, ActivationKind::kElu,
          ActivationKind::kHardSigmoid, ActivationKind::kGelu, ActivationKind::kSwish,
          ActivationKind::kHardSwish}) {
      std::vector<float> dst(src.size()), diff(src.size());
      test::run_team(2, [&](const Team& team) {
        table.activation_forward({kind, 0.3F}, size, src.data(), dst.data(), team);
        table.activation_backward({kind, 0.3F}, size, derivative_reads_input(kind) ? src.data() : dst.data(),
                                  other.data(), diff.data(), team);
      });
      add(dst);
      add(diff);
    }
  });
}

TEST(OneOrder, OfNormalisation) {
  expect_hash("1ce56d21b091c24c24ca7b069194d6d3", [](const KernelTable<float>& table, const auto& add) {
    Numbers numbers(20);
    for (int i = 0; i < 60; ++i) {
      const std::int64_t n = numbers.integer(1, 40);
      const std::int64_t c = numbers.integer(1, 9);
      const std::int64_t spatial = numbers.integer(1, 300);
      const BatchNormShape shape{.blocks = lane_blocks(n), .samples = n, .c = c, .spatial = spatial};
      const auto src = test::to_lanes<float>(numbers.uniform(n * c * spatial, -2, 5), n, c * spatial,
                                             IdleLanes::kFirstSample);
      auto diff_dst =
          test::to_lanes<float>(numbers.uniform(n * c * spatial), n, c * spatial, IdleLanes::kZero);
      const auto weight = to_real<float>(numbers.uniform(c));
      const auto bias = to_real<float>(numbers.uniform(c));
      std::vector<float> dst(src.size()), diff_src(src.size());
      std::vector<float> mean(weight.size()), variance(weight.size());
      std::vector<float> diff_weight(weight.size()), diff_bias(weight.size());
      test::run_team(2, [&](const Team& team) {
        const Activation relu{.kind = ActivationKind::kRelu};
        table.batchnorm_forward(shape, src.data(), weight.data(), bias.data(), {.activation = relu},
                                dst.data(), mean.data(), variance.data(), team);
        table.batchnorm_backward(shape, src.data(), relu, dst.data(), diff_dst.data(), weight.data(),
                                 mean.data(), variance.data(), diff_src.data(), diff_weight.data(),
                                 diff_bias.data(), team);
      });
      for (const auto* values : {&dst, &diff_src, &mean, &variance, &diff_weight, &diff_bias}) add(*values);
    }
  });
}

TEST(OneOrder, OfFunctions) {
  expect_hash("bd329c85db0789f799a5dad1be56e5ee", [](const KernelTable<float>& table, const auto& add) {
    Numbers numbers(21);
    constexpr std::int64_t kChannels = 37;
    const std::int64_t size = 3 * kChannels * kLanes;
    const auto src = to_real<float>(numbers.uniform(size, -12, 12));
    const auto other = to_real<float>(numbers.uniform(size));
    std::vector<float> dst(src.size()), diff(src.size()), soft(src.size()), soft_diff(src.size());
    test::run_team(2, [&](const Team& team) {
      table.softmax_forward(3, kChannels, src.data(), soft.data(), team);
      table.softmax_backward(3, kChannels, soft.data(), other.data(), soft_diff.data(), team);
    });
    add(soft);
    add(soft_diff);
    for (const ActivationKind kind :
         {ActivationKind::kRelu, ActivationKind::kSigmoid, ActivationKind::kTanh}) {
      test::run_team(2, [&](const Team& team) {
        table.activation_forward({.kind = kind}, size, src.data(), dst.data(), team);
        table.activation_backward({.kind = kind}, size, dst.data(), other.data(), diff.data(), team);
      });
      add(dst);
      add(diff);
    }
    std::vector<float> left = src;
    test::run_team(3, [&](const Team& team) {
      table.accumulate(size - 5, left.data(), other.data(), team);
      table.divide(size - 5, left.data(), 7, team);
    });
    add(left);
  });
}

TEST(OneOrder, PortableAloneHasOtherBits) {
  for (const Isa isa : supported_isas()) {
    EXPECT_EQ(same_bits(isa, Isa::kPortable), isa == Isa::kPortable);
    EXPECT_EQ(same_bits(to_string(isa), Isa::kAvx2), isa != Isa::kPortable);
  }
  EXPECT_FALSE(same_bits("sse9", Isa::kAvx2));
}

}  // namespace
}  // namespace convoy::kernels
