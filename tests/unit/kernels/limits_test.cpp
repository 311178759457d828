// The loops of `convoy bench`, and its count of a convolution's multiplications.

#include "reference/convolution.hpp"
#include "support/guarded.hpp"
#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

class Limits : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Limits);

TEST_P(Limits, ChainsDoTheMultiplyAddsTheyCount) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    Real start = 0;
    Real result = 0;
    EXPECT_EQ(table.multiply_add_chains(0, Real(1), Real(1), &start), 0);
    const std::int64_t once = table.multiply_add_chains(1, Real(1), Real(1), &result);
    EXPECT_GT(once, 0);
    EXPECT_EQ(result, start + static_cast<Real>(once));  // each of x·1 + 1 is one more: small integers, exact
    EXPECT_EQ(table.multiply_add_chains(7, Real(1), Real(1), &result), 7 * once);
    EXPECT_EQ(result, start + static_cast<Real>(7 * once));
    (void)table.multiply_add_chains(1, Real(2), Real(0), &result);
    EXPECT_EQ(result, 2 * start);
  });
}

TEST_P(Limits, TriadAddsAMultipleAndWritesNothingElse) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const std::vector<Real> a = to_real<Real>(Numbers(1).uniform(48));
    const std::vector<Real> b = to_real<Real>(Numbers(2).uniform(48));
    test::Guarded<Real> dst(48);
    table.triad(48, a.data(), b.data(), Real(2), dst.data());
    EXPECT_TRUE(dst.guards_untouched());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(dst.data()[i], a[i] + 2 * b[i]);  // 2·b is exact
  });
}

// A convolution of ones with ones adds 1 for every product.
TEST(ConvMultiplications, AreTheProductsThatMeetTheImage) {
  for (const reference::Convolution& shape : std::vector<reference::Convolution>{
           {.ic = 3, .ih = 9, .iw = 7, .oc = 2, .kh = 3, .kw = 3, .ph = 1, .pw = 1},
           {.ic = 2, .ih = 8, .iw = 8, .oc = 3, .kh = 5, .kw = 3, .sh = 2, .sw = 3, .ph = 2, .pw = 0},
           {.ic = 2, .ih = 4, .iw = 3, .oc = 3, .kh = 3, .kw = 3, .ph = 4, .pw = 5},  // only padding
           {.ic = 4, .ih = 1, .iw = 1, .oc = 6}}) {
    const std::vector<double> src(static_cast<std::size_t>(shape.src_size()), 1);
    const std::vector<double> weights(static_cast<std::size_t>(shape.weights_size()), 1);
    double products = 0;
    for (const double each : reference::convolution_forward(shape, src, weights, {})) products += each;
    EXPECT_EQ(static_cast<double>(conv2d_multiplications(to_shape(shape))), products) << describe(shape);
  }
}

TEST(ConvMultiplications, OfAnAbsurdLayerDoNotOverflow) {
  const Conv2dShape absurd{.ic = 1 << 20,
                           .ih = 60000,
                           .iw = 60000,
                           .oc = 1 << 20,
                           .oh = 60000,
                           .ow = 60000,
                           .kh = 60001,
                           .kw = 60001,
                           .ph = 30000,
                           .pw = 30000};
  EXPECT_EQ(conv2d_multiplications(absurd), std::int64_t{1} << 52);
}

}  // namespace
}  // namespace convoy::kernels
