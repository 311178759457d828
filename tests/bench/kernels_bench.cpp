// Speed of single kernels on one core: GFLOP/s of the convolution passes, bytes of the rest. Never run by
// ctest.
//
//   kernels_bench --benchmark_filter=forward/avx512

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/core/floating_point.hpp"
#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {
namespace {

AlignedBuffer<float> numbers(std::int64_t size) {
  AlignedBuffer<float> buffer(size);
  for (std::int64_t i = 0; i < size; ++i) buffer[i] = static_cast<float>(i % 13 - 6) / 8.F;
  return buffer;
}

struct NamedShape {
  std::string name;
  Conv2dShape shape;
};

/// A square convolution over one block of 16 samples.
NamedShape square(const std::string& name, std::int64_t ic, std::int64_t size, std::int64_t oc,
                  std::int64_t kernel, std::int64_t padding, std::int64_t stride = 1) {
  const std::int64_t out = (size + 2 * padding - kernel) / stride + 1;
  return {name,
          {.ic = ic,
           .ih = size,
           .iw = size,
           .oc = oc,
           .oh = out,
           .ow = out,
           .kh = kernel,
           .kw = kernel,
           .sh = stride,
           .sw = stride,
           .ph = padding,
           .pw = padding}};
}

std::vector<NamedShape> shapes() {
  return {square("lenet1_1x28_6_5x5p2", 1, 28, 6, 5, 2),
          square("lenet2_6x14_16_5x5", 6, 14, 16, 5, 0),
          square("nielsen2_20x12_40_5x5", 20, 12, 40, 5, 0),
          square("resnet_16x16_32_3x3p1", 16, 16, 32, 3, 1),
          square("cifar_32x32_32_3x3p1", 32, 32, 32, 3, 1),
          square("vgg_256x4_512_3x3p1", 256, 4, 512, 3, 1),
          square("vgg_512x2_512_3x3p1", 512, 2, 512, 3, 1),
          square("dense_400_120", 400, 1, 120, 1, 0),
          square("dense_4096_256", 4096, 1, 256, 1, 0),
          square("resnet50_3x224_64_7x7s2", 3, 224, 64, 7, 3, 2),
          square("resnet50_64x56_64_1x1", 64, 56, 64, 1, 0),
          square("resnet50_64x56_256_1x1", 64, 56, 256, 1, 0),
          square("resnet50_256x56_64_1x1", 256, 56, 64, 1, 0),
          square("resnet50_128x56_128_3x3s2", 128, 56, 128, 3, 1, 2),
          square("resnet50_256x56_512_1x1s2", 256, 56, 512, 1, 0, 2),
          square("resnet50_512x28_128_1x1", 512, 28, 128, 1, 0),
          square("resnet50_256x14_1024_1x1", 256, 14, 1024, 1, 0),
          square("resnet50_256x28_256_3x3s2", 256, 28, 256, 3, 1, 2),
          square("resnet50_2048x7_512_1x1", 2048, 7, 512, 1, 0),
          square("resnet50_512x14_512_3x3s2", 512, 14, 512, 3, 1, 2)};
}

enum class Pass { kForward, kBackwardData, kBackwardWeights };

void conv(benchmark::State& state, const KernelTable<float>& table, const Conv2dShape& s, Pass pass) {
  set_floating_point_mode();
  table.enter_thread();
  const auto src = numbers(s.blocks * s.ic * s.ih * s.iw * kLanes);
  const auto dst = numbers(s.blocks * s.oc * s.oh * s.ow * kLanes);
  const auto weights = numbers(s.oc * s.ic * s.kh * s.kw);
  const auto bias = numbers(s.oc);
  auto out_src = numbers(src.size());
  auto out_dst = numbers(dst.size());
  auto out_weights = numbers(weights.size());
  auto out_bias = numbers(s.oc);
  auto scratch = numbers(table.planner.conv2d_scratch_size(s, 1));
  const Team alone;
  for (auto iteration : state) {
    (void)iteration;
    switch (pass) {
      case Pass::kForward:
        table.conv2d_forward(s, src.data(), weights.data(), bias.data(), {}, out_dst.data(), scratch.data(),
                             alone);
        break;
      case Pass::kBackwardData:
        table.conv2d_backward_data(s, dst.data(), weights.data(), Update::kAssign, out_src.data(),
                                   scratch.data(), alone);
        break;
      case Pass::kBackwardWeights:
        table.conv2d_backward_weights(s, src.data(), dst.data(), Update::kAssign, out_weights.data(),
                                      out_bias.data(), scratch.data(), alone);
        break;
    }
    benchmark::ClobberMemory();
  }
  const auto products = static_cast<double>(s.blocks * kLanes * conv2d_multiplications(s));
  state.counters["flop/s"] = benchmark::Counter(2 * products, benchmark::Counter::kIsIterationInvariantRate);
}

void activation(benchmark::State& state, const KernelTable<float>& table, ActivationKind kind) {
  set_floating_point_mode();
  table.enter_thread();
  const auto src = numbers(6 * 28 * 28 * kLanes);
  auto dst = numbers(src.size());
  const Team alone;
  for (auto iteration : state) {
    (void)iteration;
    table.activation_forward({kind}, src.size(), src.data(), dst.data(), alone);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * src.size());
}

void register_all() {
  for (const Isa isa : supported_isas()) {
    const KernelTable<float>& table = float_kernels(isa);
    std::string set = "/";
    set.append(to_string(isa)).append("/");
    for (const NamedShape& s : shapes()) {
      const auto add = [&](const std::string& name, Pass pass) {
        benchmark::RegisterBenchmark(
            (name + set + s.name).c_str(),
            [&table, shape = s.shape, pass](auto& state) { conv(state, table, shape, pass); });
      };
      add("forward", Pass::kForward);
      add("backward_data", Pass::kBackwardData);
      add("backward_weights", Pass::kBackwardWeights);
    }
    const auto add = [&](const std::string& name, ActivationKind kind) {
      benchmark::RegisterBenchmark((name + set).c_str(),
                                   [&table, kind](auto& state) { activation(state, table, kind); });
    };
    add("tanh", ActivationKind::kTanh);
    add("sigmoid", ActivationKind::kSigmoid);
    add("relu", ActivationKind::kRelu);
  }
}

}  // namespace
}  // namespace convoy::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  convoy::kernels::register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
