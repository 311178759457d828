#include "reference/pooling.hpp"

namespace convoy::reference {
namespace {

/// Calls body(index of src, of dst, ky·kw + kx) for every element of a window inside the image.
template <class Body>
void for_each_element(const Pooling& s, const Body& body) {
  for (std::int64_t plane = 0; plane < s.planes; ++plane)
    for (std::int64_t oy = 0; oy < s.oh(); ++oy)
      for (std::int64_t ox = 0; ox < s.ow(); ++ox)
        for (std::int64_t ky = 0; ky < s.kh; ++ky)
          for (std::int64_t kx = 0; kx < s.kw; ++kx) {
            const std::int64_t iy = oy * s.sh - s.ph + ky;
            const std::int64_t ix = ox * s.sw - s.pw + kx;
            if (iy < 0 || iy >= s.ih || ix < 0 || ix >= s.iw) continue;
            body(static_cast<std::size_t>((plane * s.ih + iy) * s.iw + ix),
                 static_cast<std::size_t>((plane * s.oh() + oy) * s.ow() + ox), ky * s.kw + kx);
          }
}

/// For each output the index of its largest element of src.
std::vector<std::size_t> winners(const Pooling& s, const std::vector<double>& src,
                                 std::vector<std::int64_t>* which) {
  const auto outputs = static_cast<std::size_t>(s.planes * s.oh() * s.ow());
  std::vector<std::size_t> winner(outputs);
  std::vector<bool> seen(outputs);
  if (which != nullptr) which->assign(outputs, 0);
  for_each_element(s, [&](std::size_t i, std::size_t o, std::int64_t tap) {
    if (seen[o] && !(src[i] > src[winner[o]])) return;
    seen[o] = true;
    winner[o] = i;
    if (which != nullptr) (*which)[o] = tap;
  });
  return winner;
}

}  // namespace

std::vector<double> maxpool_forward(const Pooling& s, const std::vector<double>& src,
                                    std::vector<std::int64_t>* which) {
  std::vector<double> dst;
  for (const std::size_t winner : winners(s, src, which)) dst.push_back(src[winner]);
  return dst;
}

std::vector<double> maxpool_backward(const Pooling& s, const std::vector<double>& src,
                                     const std::vector<double>& diff_dst) {
  std::vector<double> diff_src(src.size());
  const std::vector<std::size_t> winner = winners(s, src, nullptr);
  for (std::size_t o = 0; o < winner.size(); ++o) diff_src[winner[o]] += diff_dst[o];
  return diff_src;
}

std::vector<double> avgpool_forward(const Pooling& s, const std::vector<double>& src) {
  std::vector<double> dst(static_cast<std::size_t>(s.planes * s.oh() * s.ow()));
  for_each_element(s, [&](std::size_t i, std::size_t o, std::int64_t) { dst[o] += src[i]; });
  for (double& x : dst) x /= static_cast<double>(s.kh * s.kw);
  return dst;
}

std::vector<double> avgpool_backward(const Pooling& s, const std::vector<double>& diff_dst) {
  std::vector<double> diff_src(static_cast<std::size_t>(s.planes * s.ih * s.iw));
  for_each_element(s, [&](std::size_t i, std::size_t o, std::int64_t) {
    diff_src[i] += diff_dst[o] / static_cast<double>(s.kh * s.kw);
  });
  return diff_src;
}

}  // namespace convoy::reference
