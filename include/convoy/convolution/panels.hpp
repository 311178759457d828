#pragma once
// Direct sums whose operands are packed for the caches, for forward and backward data.
//
// Channel r + 1 of a 56x56 image lies 200 KB behind channel r, at a multiple of 4 KiB: sums over channels
// would miss the TLB and use few sets of the caches. So the work is cut, as in Goto & van de Geijn, "Anatomy
// of high-performance matrix multiplication" (2008):
//   for a chunk of the channels written, and a band of outputs (both stay in the L2 cache):
//     for a block of the channels read: pack the band's inputs, with zeros for padding (the panel)
//       for a tile of points (its inputs stay in the L1 cache):
//         for 4 channels: the register tile adds the block's products
// Between two blocks the sums of a tile wait in the output. An element's sum runs in the order channel read,
// ky, kx however the work is cut, products with padding included, so no cut changes a bit.

#include "convoy/convolution/panel_plan.hpp"
#include "convoy/convolution/panel_tile.hpp"
#include "convoy/convolution/walk.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/activation.hpp"
#include "convoy/lanes/pairs.hpp"
#include "convoy/lanes/transpose.hpp"

namespace convoy::kernels {
namespace {

/// Memory for the packed weights, shared by the team, and for a thread's panel.
template <class Real>
struct PanelScratch {
  Real* weights;
  Real* panel;
};

/// Outputs of one phase, by their numbers in the phase.
struct Band {
  Range rows, columns;
};

/// What is computed at a time: a band of a block's image, and a chunk of its channels.
struct PanelWork {
  Band band;
  Range chunk;
  std::int64_t block;
};

/// Packs the inputs of channels `channels` (or pairs of channels) of one block's image for `band`:
/// [channel][row][column][16], the channels `channel_step` apart. Pairs are rounded on the way.
template <class Real, class Factor>
void pack_panel(const ConvWalk<Real>& walk, const PanelPhase& phase, const Band& band, const Real* image,
                const Range& channels, std::int64_t channel_step, Factor* panel) {
  const PhaseAxis& v = phase.vertical;
  const PhaseAxis& h = phase.horizontal;
  const std::int64_t rows = v.span(band.rows.size());
  const std::int64_t columns = h.span(band.columns.size());
  const std::int64_t plane = walk.vertical.from * walk.horizontal.from * kLanes;
  const std::int64_t left = h.low + band.columns.begin * h.read_step;
  // Columns [begin, end) lie inside the image.
  const std::int64_t begin = clamp(ceil_div(max(0, -left), h.pack_step()), 0, columns);
  const std::int64_t inside = ceil_div(max(0, walk.horizontal.from - left), h.pack_step());
  const std::int64_t end = clamp(inside, begin, columns);
  for (std::int64_t channel = channels.begin; channel < channels.end; ++channel) {
    const Real* first = image + channel * kNumbers<Factor> * plane;
    const bool has_second = kNumbers<Factor> == 2 && channel * 2 + 1 < walk.reduce;
    Factor* to = panel + (channel - channels.begin) * channel_step;
    for (std::int64_t row = 0; row < rows; ++row, to += columns * kLanes) {
      const std::int64_t y = v.low + band.rows.begin * v.read_step + row * v.pack_step();
      const bool is_inside = y >= 0 && y < walk.vertical.from;
      const std::int64_t from = is_inside ? begin : columns;
      const std::int64_t until = is_inside ? end : columns;
      const Real* pixels = first + (y * walk.horizontal.from + left) * kLanes;
      for (std::int64_t i = 0; i < from * kLanes; i += kWidth<Factor>) store(to + i, Vec<Factor>{});
      for (std::int64_t column = from; column < until; ++column) {
        const Real* pixel = pixels + column * h.pack_step() * kLanes;
        CONVOY_UNROLL
        for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
          if constexpr (kNumbers<Factor> == 2) {
            const Vec<float> second = has_second ? load(pixel + plane + part) : Vec<float>{};
            store<Pair>(to + column * kLanes + part, make_pairs(load(pixel + part), second));
          } else {
            store(to + column * kLanes + part, load(pixel + part));
          }
        }
      }
      for (std::int64_t i = until * kLanes; i < columns * kLanes; i += kWidth<Factor>)
        store(to + i, Vec<Factor>{});
    }
  }
}

/// Inputs that the next panel will be packed from.
template <class Real>
struct PanelSource {
  const Real* image;  ///< of one block; null: there is no next panel
  Band band;
  Range channels;  ///< or pairs of channels
};

/// Prefetches part `part` of `parts` of the inputs of `source`: the hardware does not see from one channel to
/// the next.
template <class Real, class Factor>
CONVOY_INLINE void prefetch_inputs(const ConvWalk<Real>& walk, const PanelPhase& phase,
                                   const PanelSource<Real>& source, std::int64_t part, std::int64_t parts) {
  if (source.image == nullptr) return;
  const PhaseAxis& v = phase.vertical;
  const PhaseAxis& h = phase.horizontal;
  const std::int64_t rows = v.span(source.band.rows.size());
  const std::int64_t columns = h.span(source.band.columns.size());
  const Range pixels = split(source.channels.size() * kNumbers<Factor> * rows * columns, parts, part);
  std::int64_t column = pixels.begin % columns;
  std::int64_t row = pixels.begin / columns % rows;
  std::int64_t channel = source.channels.begin * kNumbers<Factor> + pixels.begin / columns / rows;
  const std::int64_t top = v.low + source.band.rows.begin * v.read_step;
  const std::int64_t left = h.low + source.band.columns.begin * h.read_step;
  for (std::int64_t i = pixels.begin; i < pixels.end; ++i) {
    const std::int64_t y = clamp(top + row * v.pack_step(), 0, walk.vertical.from - 1);
    const std::int64_t x = clamp(left + column * h.pack_step(), 0, walk.horizontal.from - 1);
    const std::int64_t of_channel = min(channel, walk.reduce - 1);
    __builtin_prefetch(
        source.image + ((of_channel * walk.vertical.from + y) * walk.horizontal.from + x) * kLanes, 0, 2);
    if (++column < columns) continue;
    column = 0;
    if (++row < rows) continue;
    row = 0;
    ++channel;
  }
}

/// to[i·4 + t] = rows[t][i], i < size.
template <class Real>
void interleave_rows(const Real* const (&rows)[kQuad], std::int64_t size, Real* to) {
  constexpr auto kIndices = std::make_index_sequence<static_cast<std::size_t>(kWidth<Real>)>();
  std::int64_t i = 0;
  for (; i + kWidth<Real> <= size; i += kWidth<Real>) {
    const Vec<Real> a = load(rows[0] + i), b = load(rows[1] + i), c = load(rows[2] + i),
                    d = load(rows[3] + i);
    const Vec<Real> ac = interleave<false>(a, c, kIndices), ac_high = interleave<true>(a, c, kIndices);
    const Vec<Real> bd = interleave<false>(b, d, kIndices), bd_high = interleave<true>(b, d, kIndices);
    Real* at = to + i * kQuad;
    store(at, interleave<false>(ac, bd, kIndices));
    store(at + kWidth<Real>, interleave<true>(ac, bd, kIndices));
    store(at + 2 * kWidth<Real>, interleave<false>(ac_high, bd_high, kIndices));
    store(at + 3 * kWidth<Real>, interleave<true>(ac_high, bd_high, kIndices));
  }
  for (; i < size; ++i)
    for (std::int64_t t = 0; t < kQuad; ++t) to[i * kQuad + t] = rows[t][i];
}

/// The weights of the channels from `first` on and the channels read `reduce`, in the order of ConvWalk, to
/// [reduce][tap][4]; zeros beyond the last channel. For pairs, `reduce` counts pairs.
template <class Real, class Factor>
CONVOY_INLINE void pack_quad(const ConvWalk<Real>& walk, const PanelPhase& phase, std::int64_t first,
                             const Range& reduce, Factor* to) {
  const std::int64_t channels = min(kQuad, walk.channels - first);
  const Real* weights = walk.weights + first * walk.w_channel;
  for (std::int64_t r = reduce.begin; r < reduce.end; ++r) {
    for (std::int64_t ky = 0; ky < phase.vertical.taps; ++ky) {
      for (std::int64_t kx = 0; kx < phase.horizontal.taps; ++kx, to += kQuad) {
        const std::int64_t kernel =
            phase.vertical.kernel_index(ky) * walk.horizontal.kernel + phase.horizontal.kernel_index(kx);
        for (std::int64_t t = 0; t < kQuad; ++t) {
          const Real* at = weights + t * walk.w_channel + kernel;
          if constexpr (std::is_same_v<Factor, Pair>) {
            const bool has_second = 2 * r + 1 < walk.reduce;
            to[t] = t < channels ? pair_of(at[2 * r * walk.w_reduce],
                                           has_second ? at[(2 * r + 1) * walk.w_reduce] : Real(0))
                                 : 0;
          } else {
            to[t] = t < channels ? at[r * walk.w_reduce] : Real(0);
          }
        }
      }
    }
  }
}

/// Packs the weights of one phase: [channels / 4][reduce][tap][4]. Split among the team, no barrier.
template <class Real, class Factor>
void pack_weights(const ConvWalk<Real>& walk, const PanelPhase& phase, Factor* packed, const Team& team) {
  constexpr std::int64_t kRows = 8;  // of backward data, whose rows lie apart
  const std::int64_t reduce = ceil_div(walk.reduce, kNumbers<Factor>);
  const std::int64_t taps = phase.vertical.taps * phase.horizontal.taps;
  const std::int64_t of_quad = reduce * taps * kQuad;
  const Range quads = team.share(ceil_div(walk.channels, kQuad));
  const bool are_rows = kNumbers<Factor> == 1 && walk.vertical.direction == Direction::kForward;
  if constexpr (kNumbers<Factor> == 1) {
    for (std::int64_t quad = quads.begin; are_rows && quad < min(quads.end, walk.channels / kQuad); ++quad) {
      const Real* first = walk.weights + quad * kQuad * walk.w_channel;
      interleave_rows({first, first + walk.w_channel, first + 2 * walk.w_channel, first + 3 * walk.w_channel},
                      reduce * taps, packed + quad * of_quad);
    }
  }
  for (std::int64_t r = 0; r < reduce; r += kRows) {
    const std::int64_t from = are_rows ? max(quads.begin, walk.channels / kQuad) : quads.begin;
    for (std::int64_t quad = from; quad < quads.end; ++quad)
      pack_quad<Real, Factor>(walk, phase, quad * kQuad, {r, min(reduce, r + kRows)},
                              packed + quad * of_quad + r * taps * kQuad);
  }
}

/// Where the points of a band are read in a panel and written, in elements.
struct BandPoints {
  std::int64_t count;
  std::int64_t in[kMostBandPoints];
  std::int64_t out[kMostBandPoints];
};

template <class Real>
void list_points(const ConvWalk<Real>& walk, const PanelPhase& phase, const Band& band, BandPoints& points) {
  const PhaseAxis& v = phase.vertical;
  const PhaseAxis& h = phase.horizontal;
  const std::int64_t pitch = h.span(band.columns.size());
  points.count = 0;
  for (std::int64_t y = 0; y < band.rows.size(); ++y) {
    const std::int64_t row = v.output(band.rows.begin + y) * walk.horizontal.to;
    for (std::int64_t x = 0; x < band.columns.size(); ++x, ++points.count) {
      points.in[points.count] = (y * v.point_step() * pitch + x * h.point_step()) * kLanes;
      points.out[points.count] = (row + h.output(band.columns.begin + x)) * kLanes;
    }
  }
}

/// The offsets of the products of `channels` channels; returns how many.
CONVOY_INLINE std::int64_t list_terms(const PanelPhase& phase, std::int64_t pitch, std::int64_t channels,
                                      std::int64_t channel_step, std::int64_t (&offset)[kMostTerms]) {
  std::int64_t terms = 0;
  for (std::int64_t r = 0; r < channels; ++r) {
    for (std::int64_t ky = 0; ky < phase.vertical.taps; ++ky) {
      for (std::int64_t kx = 0; kx < phase.horizontal.taps; ++kx)
        offset[terms++] =
            r * channel_step + (phase.vertical.tap(ky) * pitch + phase.horizontal.tap(kx)) * kLanes;
    }
  }
  return terms;
}

/// Adds the products of one panel to the sums of a band. `weights`: of the chunk's first channel and the
/// panel's first channel read, `of_quad` elements from one quad to the next. `following` is prefetched.
template <class Real, class Factor>
void add_panel(const ConvWalk<Real>& walk, const PanelPhase& phase, const PanelWork& work,
               const BandPoints& points, PanelSum<Real, Factor> sum, bool is_last, const Factor* weights,
               std::int64_t of_quad, const PanelSource<Real>& following) {
  const Range& chunk = work.chunk;
  const std::int64_t tiles = ceil_div(points.count, kMaxPoints);
  const std::int64_t quads = ceil_div(chunk.size(), kQuad);
  const Real* addend = is_last ? walk.epilogue.addend : nullptr;
  if (is_last) sum.epilogue.activation = walk.epilogue.activation;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const Range here = split(points.count, tiles, tile);
    sum.point = points.in + here.begin;
    sum.out_point = points.out + here.begin;
    for (std::int64_t quad = 0; quad < quads; ++quad) {
      const std::int64_t channel = chunk.begin + quad * kQuad;
      const std::int64_t plane = (work.block * walk.channels + channel) * sum.out_channel;
      sum.weights = weights + quad * of_quad;
      sum.bias = walk.bias != nullptr ? walk.bias + channel : nullptr;
      sum.out = walk.out + plane;
      if (addend != nullptr) sum.epilogue.addend = addend + plane;
      prefetch_inputs<Real, Factor>(walk, phase, following, tile * quads + quad, tiles * quads);
      panel_sums(sum, min(kQuad, chunk.end - channel), here.size());
    }
  }
}

/// The outputs of one piece of work; the inputs of `next` (null: none) are prefetched.
template <class Real, class Factor>
void convolve_band(const ConvWalk<Real>& walk, const PanelPhase& phase, const PanelWork& work,
                   const PanelWork* next, const Factor* weights, Factor* panel) {
  const PhaseAxis& v = phase.vertical;
  const PhaseAxis& h = phase.horizontal;
  const std::int64_t taps = v.taps * h.taps;
  const std::int64_t reduce = ceil_div(walk.reduce, kNumbers<Factor>);
  const std::int64_t pitch = h.span(work.band.columns.size());
  const std::int64_t channel_step = (v.span(work.band.rows.size()) * pitch | 1) * kLanes;
  const std::int64_t in_block = walk.reduce * walk.vertical.from * walk.horizontal.from * kLanes;
  // Channels of a panel: a tile's inputs stay in the L1 cache, the panel in L2.
  const std::int64_t of_tile = v.taps * h.span(kMaxPoints);
  const std::int64_t most = min(kTileLines / max(1, of_tile), kPanelLines * kLanes / channel_step);
  const std::int64_t at_once = clamp(most, 1, kMostTerms / max(1, taps));
  const std::int64_t panels = taps == 0 ? 1 : ceil_div(reduce, at_once);
  BandPoints points;
  list_points(walk, phase, work.band, points);
  std::int64_t offset[kMostTerms];
  for (std::int64_t i = 0; i < panels; ++i) {
    const Range channels = split(reduce, panels, i);
    PanelSource<Real> following{};
    if (taps > 0) {
      pack_panel(walk, phase, work.band, walk.in + work.block * in_block, channels, channel_step, panel);
      if (i + 1 < panels)
        following = {walk.in + work.block * in_block, work.band, split(reduce, panels, i + 1)};
      else if (next != nullptr)
        following = {walk.in + next->block * in_block, next->band, split(reduce, panels, 0)};
    }
    PanelSum<Real, Factor> sum{};
    sum.in = panel;
    sum.offset = offset;
    sum.terms = list_terms(phase, pitch, taps > 0 ? channels.size() : 0, channel_step, offset);
    sum.goes_on = i > 0 || walk.update == Update::kAdd;
    sum.out_channel = walk.vertical.to * walk.horizontal.to * kLanes;
    add_panel(walk, phase, work, points, sum, i + 1 == panels,
              weights + (work.chunk.begin / kQuad * reduce + channels.begin) * taps * kQuad,
              reduce * taps * kQuad, following);
  }
  const std::int64_t plane = walk.vertical.to * walk.horizontal.to * kLanes;
  with_activation<Real>(walk.epilogue.activation, [&](const auto& function) {
    for (std::int64_t c = work.chunk.begin; c < work.chunk.end; ++c) {
      Real* image = walk.out + (work.block * walk.channels + c) * plane;
      for (std::int64_t y = 0; y < work.band.rows.size(); ++y)
        function.in_memory(work.band.columns.size() * kLanes,
                           image + points.out[y * work.band.columns.size()]);
    }
  });
}

template <class Real, class Factor>
void convolve_panels(const ConvWalk<Real>& walk, const PanelPlan& plan, const PanelScratch<Real>& scratch,
                     const Team& team) {
  static_assert(sizeof(Factor) == sizeof(Real));
  auto* packed = reinterpret_cast<Factor*>(scratch.weights);
  auto* panel = reinterpret_cast<Factor*>(scratch.panel);
  const std::int64_t of_tap = round_up(walk.channels, kQuad) * ceil_div(walk.reduce, kNumbers<Factor>);
  const std::int64_t phases_y = walk.vertical.point_step();
  const std::int64_t phases_x = walk.horizontal.point_step();
  const auto for_phases = [&](const auto& use) {
    Factor* weights = packed;
    for (std::int64_t i = 0; i < phases_y * phases_x; ++i) {
      const PanelPhase phase{phase_axis(walk.vertical, i / phases_x),
                             phase_axis(walk.horizontal, i % phases_x)};
      if (phase.vertical.count > 0 && phase.horizontal.count > 0) use(phase, weights);
      weights += of_tap * phase.vertical.taps * phase.horizontal.taps;
    }
  };
  for_phases([&](const PanelPhase& phase, Factor* weights) {
    if (phase.vertical.taps * phase.horizontal.taps > 0) pack_weights(walk, phase, weights, team);
  });
  team.barrier();
  const std::int64_t chunks = ceil_div(walk.channels, plan.chunk);
  for_phases([&](const PanelPhase& phase, const Factor* weights) {
    const std::int64_t columns = ceil_div(phase.horizontal.count, plan.columns);
    const std::int64_t rows = ceil_div(phase.vertical.count, plan.rows);
    const auto work_of = [&](std::int64_t item) -> PanelWork {
      const std::int64_t chunk = item / columns / rows / walk.blocks * plan.chunk;
      return {.band = {split(phase.vertical.count, rows, item / columns % rows),
                       split(phase.horizontal.count, columns, item % columns)},
              .chunk = {chunk, min(walk.channels, chunk + plan.chunk)},
              .block = item / columns / rows % walk.blocks};
    };
    const Range items = team.share(chunks * walk.blocks * rows * columns);
    for (std::int64_t item = items.begin; item < items.end; ++item) {
      const PanelWork work = work_of(item);
      const PanelWork next = work_of(min(item + 1, items.end - 1));
      convolve_band<Real, Factor>(walk, phase, work, item + 1 < items.end ? &next : nullptr, weights, panel);
    }
  });
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
