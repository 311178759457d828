// dropout: in training each element is set to 0 with probability `rate`; the others are scaled by 1/(1 −
// rate) (Srivastava et al. 2014, inverted). A mask is a pure function of (seed, epoch, sample, layer).

#include <algorithm>
#include <array>

#include "convoy/core/random.hpp"
#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Dropout final : public LayerOf<Dropout> {
 public:
  Dropout(const Shape& shape, double rate, std::uint64_t layer) : shape_(shape), rate_(rate), layer_(layer) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return "dropout"; }
  void visit(AttributeVisitor& visitor) const override { visitor.positional("rate", rate_); }
  [[nodiscard]] Traits traits() const override {
    return {.backward_reads_src = false, .backward_reads_dst = false};
  }
  /// The mask, [B][C][H][W][16].
  [[nodiscard]] std::int64_t saved_bytes(std::int64_t blocks, std::int64_t real_size) const override {
    return blocks * shape_.size() * kLanes * real_size;
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    const std::int64_t elements = pass.batch.blocks() * shape_.size() * kLanes;
    if (pass.batch.phase == Phase::kEvaluation) {
      const Range share = pass.team.share(elements);
      std::copy(pass.src[0] + share.begin, pass.src[0] + share.end, pass.dst + share.begin);
      pass.team.barrier();
      return;
    }
    auto* mask = reinterpret_cast<Real*>(pass.saved);
    for (std::int64_t block = 0; block < pass.batch.blocks(); ++block)
      draw(pass, block, mask + block * shape_.size() * kLanes);
    pass.team.barrier();
    pass.kernels.multiply(elements, pass.src[0], mask, pass.dst, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] == nullptr) return;
    pass.kernels.multiply(pass.batch.blocks() * shape_.size() * kLanes, pass.diff_dst,
                          reinterpret_cast<const Real*>(pass.saved), pass.diff_src[0], pass.team);
  }

 private:
  /// This thread's share of one block's mask; idle lanes are not dropped (their diff is zero).
  template <class Real>
  void draw(const Pass<Real>& pass, std::int64_t block, Real* mask) const {
    std::array<std::uint64_t, kLanes> keys{};
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t n = std::min(block * kLanes + lane, pass.batch.size() - 1);
      keys[static_cast<std::size_t>(lane)] =
          random_key(pass.batch.seed, RandomPurpose::kDropout, static_cast<std::uint64_t>(pass.batch.epoch),
                     static_cast<std::uint64_t>(pass.batch.samples[static_cast<std::size_t>(n)]), layer_);
    }
    const auto threshold = static_cast<std::uint64_t>(rate_ * 0x1p32);
    const auto kept = static_cast<Real>(1 / (1 - rate_));
    const std::int64_t size = shape_.size();
    const Range quads = pass.team.share((size + 3) / 4);  // one Philox block gives four elements
    for (std::int64_t quad = quads.begin; quad < quads.end; ++quad) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const auto words = philox(keys[lane], static_cast<std::uint64_t>(quad), 0);
        for (std::int64_t i = 0; i < 4 && quad * 4 + i < size; ++i)
          mask[(quad * 4 + i) * kLanes + static_cast<std::int64_t>(lane)] =
              words[static_cast<std::size_t>(i)] < threshold ? Real{0} : kept;
      }
    }
  }

  Shape shape_;
  double rate_;
  std::uint64_t layer_;
};

}  // namespace

std::unique_ptr<Layer> make_dropout(const Shape& input, double rate, std::uint64_t ordinal) {
  if (!(rate >= 0 && rate < 1)) throw LayerError("the rate is not from 0 to below 1");
  return std::make_unique<Dropout>(input, rate, ordinal);
}

LayerMaker dropout_maker() {
  return {"dropout RATE", [](LayerLine& line, const Shape& input) {
            return make_dropout(input, line.take_number("the rate", 0, 1), line.ordinal());
          }};
}

}  // namespace convoy::nn
