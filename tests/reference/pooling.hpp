#pragma once
// Pooling over [planes][ih][iw]; a plane is one channel of one sample.

#include <cstdint>
#include <vector>

namespace convoy::reference {

struct Pooling {
  std::int64_t planes = 1;
  std::int64_t ih = 1, iw = 1;
  std::int64_t kh = 2, kw = 2;
  std::int64_t sh = 2, sw = 2;
  std::int64_t ph = 0, pw = 0;

  std::int64_t oh() const { return (ih + 2 * ph - kh) / sh + 1; }
  std::int64_t ow() const { return (iw + 2 * pw - kw) / sw + 1; }
};

/// dst = max over the window's elements inside the image; `which` (may be null) = ky·kw + kx of the first
/// largest.
std::vector<double> maxpool_forward(const Pooling& shape, const std::vector<double>& src,
                                    std::vector<std::int64_t>* which);
/// diff_src = Σ of the diffs of the windows in which the element is the first largest.
std::vector<double> maxpool_backward(const Pooling& shape, const std::vector<double>& src,
                                     const std::vector<double>& diff_dst);
/// dst = (1 / kh·kw) Σ over the window, padding as zeros.
std::vector<double> avgpool_forward(const Pooling& shape, const std::vector<double>& src);
/// diff_src = (1 / kh·kw) Σ diff_dst over the windows that contain the element.
std::vector<double> avgpool_backward(const Pooling& shape, const std::vector<double>& diff_dst);

}  // namespace convoy::reference
