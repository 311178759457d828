#include "convoy/measure/shares.hpp"

#include <gtest/gtest.h>

namespace convoy::measure {
namespace {

TEST(DescribeShares, OfSeveralRanksHasTheMeanAndTheLargestWithItsRank) {
  EXPECT_EQ(describe_shares({{.total = 4, .spent = {2, 1, 0, 0}}, {.total = 4, .spent = {3, 0.5, 0, 0.5}}}),
            "  kernels     62.5 %   at most  75.0 % (rank 1)\n"
            "  reduction   18.8 %   at most  25.0 % (rank 0)\n"
            "  data         0.0 %   at most   0.0 % (rank 0)\n"
            "  optimizer    6.2 %   at most  12.5 % (rank 1)\n"
            "  other       12.5 %   at most  25.0 % (rank 0)\n");
}

TEST(DescribeShares, OfOneRankHasOneColumn) {
  EXPECT_EQ(describe_shares({{.total = 4, .spent = {2, 1, 0, 1}}}).substr(0, 20), "  kernels     50.0 %");
}

TEST(DescribePartialSums, NamesTheMostWhereHostsDiffer) {
  EXPECT_EQ(describe({.mean = 1, .most = 1}, true), "1.00 partial sums a node");
  EXPECT_EQ(describe({.mean = 5.0 / 3, .most = 2}, false), "1.67 partial sums a rank (at most 2)");
}

}  // namespace
}  // namespace convoy::measure
