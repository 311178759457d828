#pragma once
// Pooling. A work item is one channel's image of one block, so that overlapping windows add to the same
// element in a fixed order (window order).

#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// The part of the window of output `o` inside the image: kernel indices [begin, end), relative to `origin`.
struct Window {
  std::int64_t origin, begin, end;
};

CONVOY_INLINE Window window_of(std::int64_t o, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                               std::int64_t padding) {
  const std::int64_t origin = o * stride - padding;
  return {origin, max(0, -origin), min(kernel, in - origin)};
}

/// Calls body(plane of src, plane of dst) for each of this thread's images.
template <class Body>
CONVOY_INLINE void for_each_plane(const Pool2dShape& s, const Team& team, const Body& body) {
  const Range planes = team.share(s.blocks * s.c);
  for (std::int64_t plane = planes.begin; plane < planes.end; ++plane) {
    body(plane * s.ih * s.iw * kLanes, plane * s.oh * s.ow * kLanes);
  }
  team.barrier();
}

/// Calls body(output element, rows, columns) for every window of an image.
template <class Body>
CONVOY_INLINE void for_each_window(const Pool2dShape& s, const Body& body) {
  for (std::int64_t oy = 0; oy < s.oh; ++oy) {
    const Window rows = window_of(oy, s.ih, s.kh, s.sh, s.ph);
    for (std::int64_t ox = 0; ox < s.ow; ++ox) {
      body((oy * s.ow + ox) * kLanes, rows, window_of(ox, s.iw, s.kw, s.sw, s.pw));
    }
  }
}

/// Calls body(input element, ky·kw + kx) for every element of a window inside the image.
template <class Body>
CONVOY_INLINE void for_each_tap(const Pool2dShape& s, const Window& rows, const Window& columns,
                                const Body& body) {
  for (std::int64_t ky = rows.begin; ky < rows.end; ++ky) {
    for (std::int64_t kx = columns.begin; kx < columns.end; ++kx) {
      body(((rows.origin + ky) * s.iw + columns.origin + kx) * kLanes, ky * s.kw + kx);
    }
  }
}

template <class Real>
CONVOY_INLINE IntVec<Real> load_indices(const std::int32_t* from) {
  typename VecTypes<Real>::Index narrow;
  __builtin_memcpy(&narrow, from, sizeof(narrow));
  return __builtin_convertvector(narrow, IntVec<Real>);
}

template <class Real>
CONVOY_INLINE void store_indices(std::int32_t* to, const IntVec<Real>& indices) {
  const auto narrow = __builtin_convertvector(indices, typename VecTypes<Real>::Index);
  __builtin_memcpy(to, &narrow, sizeof(narrow));
}

template <class Real>
CONVOY_INLINE IntVec<Real> broadcast_index(std::int64_t index) {
  return IntVec<Real>{} + static_cast<std::remove_cvref_t<decltype(IntVec<Real>{}[0])>>(index);
}

template <class Real>
void maxpool_forward(const Pool2dShape& s, const Real* src, Real* dst, std::int32_t* which,
                     const Team& team) {
  for_each_plane(s, team, [&](std::int64_t in, std::int64_t out) {
    for_each_window(s, [&](std::int64_t o, const Window& rows, const Window& columns) {
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        const std::int64_t first = (rows.origin + rows.begin) * s.iw + columns.origin + columns.begin;
        Vec<Real> best = load(src + in + first * kLanes + part);
        IntVec<Real> index = broadcast_index<Real>(rows.begin * s.kw + columns.begin);
        for_each_tap(s, rows, columns, [&](std::int64_t i, std::int64_t tap) {
          const Vec<Real> x = load(src + in + i + part);
          // Larger, or the first NaN.
          const IntVec<Real> better = (x > best) | ((x != x) & (best == best));
          best = better ? x : best;
          index = better ? broadcast_index<Real>(tap) : index;
        });
        store<Real>(dst + out + o + part, best);
        store_indices<Real>(which + out + o + part, index);
      }
    });
  });
}

template <class Real>
CONVOY_INLINE void clear_plane(const Pool2dShape& s, Real* plane) {
  __builtin_memset(plane, 0, static_cast<std::size_t>(s.ih * s.iw * kLanes) * sizeof(Real));
}

template <class Real>
void maxpool_backward(const Pool2dShape& s, const Real* diff_dst, const std::int32_t* which, Real* diff_src,
                      const Team& team) {
  for_each_plane(s, team, [&](std::int64_t in, std::int64_t out) {
    clear_plane(s, diff_src + in);
    for_each_window(s, [&](std::int64_t o, const Window& rows, const Window& columns) {
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        const Vec<Real> diff = load(diff_dst + out + o + part);
        const IntVec<Real> index = load_indices<Real>(which + out + o + part);
        for_each_tap(s, rows, columns, [&](std::int64_t i, std::int64_t tap) {
          Real* to = diff_src + in + i + part;
          store<Real>(to, load(to) + (index == broadcast_index<Real>(tap) ? diff : Vec<Real>{}));
        });
      }
    });
  });
}

template <class Real>
void avgpool_forward(const Pool2dShape& s, const Real* src, Real* dst, const Team& team) {
  const Vec<Real> count = broadcast(static_cast<Real>(s.kh * s.kw));
  for_each_plane(s, team, [&](std::int64_t in, std::int64_t out) {
    for_each_window(s, [&](std::int64_t o, const Window& rows, const Window& columns) {
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        Vec<Real> sum{};
        for_each_tap(s, rows, columns,
                     [&](std::int64_t i, std::int64_t) { sum += load(src + in + i + part); });
        store<Real>(dst + out + o + part, sum / count);
      }
    });
  });
}

template <class Real>
void avgpool_backward(const Pool2dShape& s, const Real* diff_dst, Real* diff_src, const Team& team) {
  const Vec<Real> count = broadcast(static_cast<Real>(s.kh * s.kw));
  for_each_plane(s, team, [&](std::int64_t in, std::int64_t out) {
    clear_plane(s, diff_src + in);
    for_each_window(s, [&](std::int64_t o, const Window& rows, const Window& columns) {
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        const Vec<Real> diff = load(diff_dst + out + o + part) / count;
        for_each_tap(s, rows, columns, [&](std::int64_t i, std::int64_t) {
          Real* to = diff_src + in + i + part;
          store<Real>(to, load(to) + diff);
        });
      }
    });
  });
}

}  // namespace
}  // namespace convoy::kernels
