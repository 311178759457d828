// WebP with libwebp, lossy and lossless; of an animation the first frame, on a black canvas.

#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <new>

#include "decoder.hpp"
#include "orientation.hpp"

namespace convoy::images {
namespace {

struct CloseDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

class WebpDecoder final : public ImageDecoder {
 public:
  WebpDecoder(std::span<const std::uint8_t> bytes, const std::string& name) : name_(name) {
    const WebPData data{bytes.data(), bytes.size()};
    WebPDemuxState state = WEBP_DEMUX_DONE;
    demuxer_.reset(WebPDemuxPartial(&data, &state));
    if (demuxer_ != nullptr && state == WEBP_DEMUX_DONE) return;
    throw_bad_image(name_, state == WEBP_DEMUX_PARSE_ERROR ? "it is damaged" : "it is cut short");
  }

  [[nodiscard]] Shape shape() const override {
    return {3, fact(WEBP_FF_CANVAS_HEIGHT), fact(WEBP_FF_CANVAS_WIDTH)};
  }

  [[nodiscard]] int orientation() const override {
    WebPChunkIterator chunk{};
    int found = 1;
    if (WebPDemuxGetChunk(demuxer_.get(), "EXIF", 1, &chunk) != 0) {
      const std::span<const std::uint8_t> exif(chunk.chunk.bytes, chunk.chunk.size);
      // Some writers begin the chunk as JPEG's segment.
      found = std::max(orientation_of(exif), orientation_of_tiff(exif));
    }
    WebPDemuxReleaseChunkIterator(&chunk);
    return found;
  }

  void decode(std::span<std::uint8_t> pixels) override {
    WebPIterator frame{};
    const bool is_there = WebPDemuxGetFrame(demuxer_.get(), 1, &frame) != 0;
    const WebPData data = frame.fragment;
    const Shape extent{3, frame.height, frame.width};
    const Shape place{1, frame.y_offset, frame.x_offset};
    WebPDemuxReleaseIterator(&frame);
    const Shape canvas = shape();
    if (!is_there || place.h + extent.h > canvas.h || place.w + extent.w > canvas.w)
      throw_bad_image(name_, "its first frame is damaged");
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0)
      throw_bad_image(name_, "another libwebp than Convoy was built with");
    check(WebPGetFeatures(data.bytes, data.size, &config.input));
    if (config.input.width != extent.w || config.input.height != extent.h)
      throw_bad_image(name_, "its first frame has another size than it says");
    const std::int64_t stride = 3 * canvas.w;
    const std::int64_t begin = place.h * stride + place.w * 3;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels.data() + begin;
    config.output.u.RGBA.stride = static_cast<int>(stride);
    config.output.u.RGBA.size = pixels.size() - static_cast<std::size_t>(begin);
    check(WebPDecode(data.bytes, data.size, &config));
  }

 private:
  [[nodiscard]] std::int64_t fact(WebPFormatFeature feature) const {
    return WebPDemuxGetI(demuxer_.get(), feature);
  }

  void check(VP8StatusCode status) const {
    if (status == VP8_STATUS_OK) return;
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    const bool is_short = status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED;
    throw_bad_image(name_, is_short ? "it is cut short" : "it is damaged");
  }

  const std::string& name_;
  std::unique_ptr<WebPDemuxer, CloseDemuxer> demuxer_;
};

}  // namespace

std::unique_ptr<ImageDecoder> open_webp(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<WebpDecoder>(bytes, name);
}

}  // namespace convoy::images
