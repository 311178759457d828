// groupnorm, layernorm, instancenorm: every sample normalised by itself, in groups of channels (Wu & He
// 2018). The same in training and evaluation; no running statistics.

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

constexpr GroupNormOptions kGroupNormDefaults;
constexpr double kLeastGroupEps = 1e-12;

/// A keyword of the layer: with its number of groups in the line, or one group, or one for each channel.
enum class Form { kGroups, kLayer, kInstance };

constexpr std::string_view keyword_of(Form form) {
  return form == Form::kGroups ? "groupnorm" : form == Form::kLayer ? "layernorm" : "instancenorm";
}

class GroupNorm final : public LayerOf<GroupNorm> {
 public:
  GroupNorm(Form form, const Shape& shape, std::int64_t groups, const GroupNormOptions& options)
      : form_(form), shape_(shape), groups_(groups), options_(options) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return keyword_of(form_); }
  void visit(AttributeVisitor& visitor) const override {
    if (form_ == Form::kGroups) visitor.positional("groups", groups_);
    visitor.option("eps", options_.eps, kGroupNormDefaults.eps);
    visitor.option("affine", options_.affine, affine_by_default(form_));
  }
  [[nodiscard]] static bool affine_by_default(Form form) { return form != Form::kInstance; }

  [[nodiscard]] std::vector<Parameter> parameters() const override {
    if (!options_.affine) return {};
    return {{.name = "weight", .dims = {shape_.c}, .initializer = Initializer::kOnes},
            {.name = "bias", .dims = {shape_.c}}};
  }
  /// Mean and 1/deviation of each sample's groups, 2 × [blocks][groups][16].
  [[nodiscard]] std::int64_t saved_bytes(std::int64_t blocks, std::int64_t real_size) const override {
    return 2 * blocks * groups_ * kLanes * real_size;
  }
  [[nodiscard]] Traits traits() const override {
    return {.takes_epilogue = true, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    auto* mean = reinterpret_cast<Real*>(pass.saved);
    pass.kernels.groupnorm_forward(shape_of(pass), pass.src[0], weight(pass.parameters),
                                   bias(pass.parameters), pass.epilogue, pass.dst, mean, mean + numbers(pass),
                                   pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    const auto* mean = reinterpret_cast<const Real*>(pass.saved);
    pass.kernels.groupnorm_backward(shape_of(pass), pass.src[0], pass.diff_dst, weight(pass.parameters), mean,
                                    mean + numbers(pass), pass.diff_src[0], weight(pass.diff_parameters),
                                    bias(pass.diff_parameters), pass.team);
  }

 private:
  template <class Real>
  [[nodiscard]] Real* weight(Real* parameters) const {
    return options_.affine ? parameters : nullptr;
  }
  template <class Real>
  [[nodiscard]] Real* bias(Real* parameters) const {
    return options_.affine ? parameters + shape_.c : nullptr;
  }
  template <class Real>
  [[nodiscard]] std::int64_t numbers(const Pass<Real>& pass) const {
    return pass.batch.blocks() * groups_ * kLanes;
  }
  template <class Real>
  [[nodiscard]] GroupNormShape shape_of(const Pass<Real>& pass) const {
    return {.blocks = pass.batch.blocks(),
            .c = shape_.c,
            .spatial = shape_.h * shape_.w,
            .groups = groups_,
            .epsilon = options_.eps};
  }

  Form form_;
  Shape shape_;
  std::int64_t groups_;
  GroupNormOptions options_;
};

std::unique_ptr<Layer> make_normalisation(Form form, const Shape& input, std::int64_t groups,
                                          const GroupNormOptions& options) {
  if (groups < 1 || input.c % groups != 0)
    throw LayerError(std::to_string(groups) + " groups do not divide the " + std::to_string(input.c) +
                     " channels");
  if (!(options.eps >= kLeastGroupEps && options.eps <= 1)) throw LayerError("eps is not from 1e-12 to 1");
  if (input.c / groups * input.h * input.w == 1)
    throw LayerError("a group has a single value (" + to_string(input) +
                     "), so the result would always be its "
                     "bias; use fewer groups");
  return std::make_unique<GroupNorm>(form, input, groups, options);
}

GroupNormOptions take_norm_options(LayerLine& line, Form form) {
  return {.eps = line.take_option_number("eps", kGroupNormDefaults.eps, kLeastGroupEps, 1),
          .affine = line.take_option_yes_no("affine", GroupNorm::affine_by_default(form))};
}

}  // namespace

std::unique_ptr<Layer> make_groupnorm(const Shape& input, std::int64_t groups,
                                      const GroupNormOptions& options) {
  return make_normalisation(Form::kGroups, input, groups, options);
}

std::vector<std::pair<std::string, LayerMaker>> groupnorm_makers() {
  constexpr std::int64_t kMostGroups = 1 << 20;
  return {{"groupnorm",
           {"groupnorm GROUPS [eps=1e-5] [affine=yes] [name=…]",
            [](LayerLine& line, const Shape& input) {
              const std::int64_t groups = line.take_integer("the number of groups", 1, kMostGroups);
              return make_normalisation(Form::kGroups, input, groups, take_norm_options(line, Form::kGroups));
            }}},
          {"layernorm",
           {"layernorm [eps=1e-5] [affine=yes] [name=…]",
            [](LayerLine& line, const Shape& input) {
              return make_normalisation(Form::kLayer, input, 1, take_norm_options(line, Form::kLayer));
            }}},
          {"instancenorm",
           {"instancenorm [eps=1e-5] [affine=no] [name=…]", [](LayerLine& line, const Shape& input) {
              return make_normalisation(Form::kInstance, input, input.c,
                                        take_norm_options(line, Form::kInstance));
            }}}};
}

}  // namespace convoy::nn
