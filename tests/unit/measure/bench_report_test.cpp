#include "convoy/measure/bench_report.hpp"

#include <gtest/gtest.h>

namespace convoy::measure {
namespace {

/// Two threads at 100 GFLOP/s and 20 GB/s; a network of a convolution (first layer) and a pool; a step of 2
/// ms.
BenchReport report() {
  LayerTimes conv{.name = "conv1", .description = "conv 2 3x3", .output = {2, 4, 4}, .passes = {}};
  conv.passes.forward = PassTime{.work = {.multiply_adds = 2e6, .bytes = 5e5}, .seconds = 1e-4};
  conv.passes.diff_weights = PassTime{.work = {.multiply_adds = 2e6, .bytes = 2e6}, .seconds = 0};
  LayerTimes pool{.name = "maxpool1", .description = "maxpool 2x2", .output = {2, 2, 2}, .passes = {}};
  pool.passes.forward = PassTime{.work = {.multiply_adds = 0, .bytes = 1e5}, .seconds = 5e-5};
  return {.isa = kernels::Isa::kPortable,
          .threads = 2,
          .teams = 2,
          .batch = 64,
          .micro_batch = 16,
          .images = "1x6x6 (random, as --shape says)",
          .core = {.multiply_adds = 30e9, .bytes = 12e9},
          .all = {.multiply_adds = 50e9, .bytes = 20e9},
          .layers = {conv, pool},
          .step = {.steps = 7,
                   .seconds = 2e-3,
                   .work = {.multiply_adds = 4e7, .bytes = 0},
                   .times = {.total = 0.014, .spent = {0.007, 0.0014, 0.0007, 0.0007}}}};
}

TEST(BenchReport, TellsTheMachine) {
  EXPECT_EQ(describe_machine(report()),
            "Machine: kernels portable\n"
            "  one core     FMA peak     60.0 GFLOP/s   triad    12.0 GB/s\n"
            "  2 threads    FMA peak    100.0 GFLOP/s   triad    20.0 GB/s\n");
}

TEST(BenchReport, HasALineForEachPassAndADashForWhatCannotBeTold) {
  EXPECT_EQ(describe_layers(report()),
            "Layers: micro-batches of 16, 2 teams at once, images 1x6x6 (random, as --shape says)\n"
            "                       ms   GFLOP/s  of peak        MB     GB/s  roof\n"
            "conv1: conv 2 3x3 -> 2x4x4\n"
            "  forward          0.1000      40.0   40.0 %     0.500      5.0  compute\n"
            "  diff_weights          -         -        -     2.000        -  memory\n"
            "maxpool1: maxpool 2x2 -> 2x2x2\n"
            "  forward          0.0500         -        -     0.100      2.0  memory\n"
            "all layers, all passes: 0.1500 ms\n");
}

TEST(BenchReport, TellsTheStepAndWhereItsTimeWent) {
  EXPECT_EQ(describe_step(report()),
            "Step: batch 64 on 2 threads: 2.000 ms (median of 7), 32000 images/s, 40.0 GFLOP/s, 40.0 % of "
            "peak\n"
            "  kernels     50.0 %\n"
            "  reduction   10.0 %\n"
            "  data         5.0 %\n"
            "  optimizer    5.0 %\n"
            "  other       30.0 %\n");
}

TEST(BenchReport, JsonHasWhatTheTableHas) {
  const std::string json = to_json(report());
  for (const char* part :
       {R"("isa":"portable","threads":2,"teams":2,"batch":64,"micro_batch":16,)",
        R"("machine":{"one_core":{"gflops":60,"gigabytes_per_second":12},"all_threads":{"gflops":100,)",
        R"({"name":"conv1","layer":"conv 2 3x3","output":"2x4x4","forward":{"seconds":0.0001)",
        R"("diff_src":null,"diff_weights":{"seconds":0,"multiply_adds":2000000,"gflops":null,)",
        R"("gigabytes_per_second":null,"roof":"memory"}})",
        R"("roof":"memory"},"diff_src":null,"diff_weights":null}],"step":{"steps":7,)",
        R"("shares":{"kernels":0.5,)"})
    EXPECT_NE(json.find(part), std::string::npos) << part << "\nis not in\n" << json;
  EXPECT_EQ(json.back(), '\n');
}

}  // namespace
}  // namespace convoy::measure
