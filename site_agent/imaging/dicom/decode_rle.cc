// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

// The RLE header (PS3.5 G.5): the number of segments, and each one's start.
constexpr size_t kHeader = 64;
constexpr size_t kMaxSegments = 15;

absl::Status Damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("damaged RLE: ", what));
}

uint32_t HeaderField(absl::string_view frame, size_t field) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) {
    value = value << 8 | static_cast<uint8_t>(frame[field * 4 + i]);
  }
  return value;
}

absl::StatusOr<std::vector<absl::string_view>> Segments(absl::string_view frame,
                                                        size_t wanted) {
  if (frame.size() < kHeader) return Damaged("it ends in its header");
  const size_t count = HeaderField(frame, 0);
  if (count != wanted || count > kMaxSegments) {
    return Damaged(absl::StrCat(count, " segments, not ", wanted));
  }
  std::vector<absl::string_view> segments;
  for (size_t i = 0; i < count; ++i) {
    const size_t start = HeaderField(frame, 1 + i);
    const size_t end = i + 1 < count ? HeaderField(frame, 2 + i) : frame.size();
    if (start < kHeader || start > end || end > frame.size()) {
      return Damaged("a segment outside the frame");
    }
    segments.push_back(frame.substr(start, end - start));
  }
  return segments;
}

// Decodes one byte plane of one color (PS3.5 G.3.2) to `out`, `stride` bytes
// apart. Ignores padding after the last pixel.
absl::Status DecodeSegment(absl::string_view segment, size_t pixels,
                           size_t stride, char* out) {
  size_t at = 0;
  size_t done = 0;
  while (done < pixels) {
    if (at == segment.size()) return Damaged("a segment is cut short");
    const auto code = static_cast<int8_t>(segment[at++]);
    if (code == -128) continue;
    const bool run = code < 0;
    const size_t length = static_cast<size_t>(run ? 1 - code : 1 + code);
    if (length > pixels - done) return Damaged("more pixels than it has");
    if ((run ? 1 : length) > segment.size() - at) {
      return Damaged("a segment is cut short");
    }
    for (size_t i = 0; i < length; ++i) {
      out[done++ * stride] = segment[run ? at : at + i];
    }
    at += run ? 1 : length;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DecodeRleFrame(absl::string_view frame, const PixelFormat& format,
                            std::string& out) {
  const size_t width = static_cast<size_t>(format.sample_bytes());
  const size_t stride = width * static_cast<size_t>(format.samples);
  HILUM_ASSIGN_OR_RETURN(std::vector<absl::string_view> segments,
                         Segments(frame, stride));
  const size_t start = out.size();
  out.resize(start + format.frame_bytes());
  for (size_t i = 0; i < segments.size(); ++i) {
    // Segments are ordered by color, and in a color by byte, highest first.
    const size_t place = i / width * width + (width - 1 - i % width);
    HILUM_RETURN_IF_ERROR(DecodeSegment(segments[i],
                                        format.frame_bytes() / stride, stride,
                                        out.data() + start + place));
  }
  return absl::OkStatus();
}

}  // namespace hilum
