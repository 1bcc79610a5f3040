// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdio>
// jpeglib.h needs size_t and FILE first.
#include <jpeglib.h>

#include <csetjmp>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/decode/decoders.h"
#include "site_agent/imaging/decode/exif.h"

namespace hilum {
namespace {

// Each scan costs a pass over all pixels, however few bytes it has; encoders
// write about ten.
constexpr int kMaxScans = 100;

constexpr absl::string_view kExif("Exif\0\0", 6);

// libjpeg's state and ours; freed however decoding ends.
struct JpegDecoder {
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf escape;
  char reason[JMSG_LENGTH_MAX] = {0};
  std::vector<unsigned char> raw;

  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg); }
};

[[noreturn]] void FailJpeg(j_common_ptr common) {
  auto* decoder = static_cast<JpegDecoder*>(common->client_data);
  common->err->format_message(common, decoder->reason);
  std::longjmp(decoder->escape, 1);
}

// Fails on a warning (level -1): data is damaged or missing, and libjpeg would
// fill it in. A radiograph must not have invented pixels.
void FailOnWarning(j_common_ptr common, int level) {
  if (level < 0) FailJpeg(common);
}

void FailOnManyScans(j_common_ptr common) {
  auto* decoder = static_cast<JpegDecoder*>(common->client_data);
  if (decoder->jpeg.input_scan_number <= kMaxScans) return;
  std::strncpy(decoder->reason, "more than 100 scans", JMSG_LENGTH_MAX - 1);
  std::longjmp(decoder->escape, 1);
}

// The two functions with setjmp have no objects with destructors.
bool ReadHeader(JpegDecoder& d, const unsigned char* data, size_t size) {
  if (setjmp(d.escape)) return false;
  jpeg_create_decompress(&d.jpeg);
  d.progress.progress_monitor = FailOnManyScans;
  d.jpeg.progress = &d.progress;
  jpeg_mem_src(&d.jpeg, data, size);
  jpeg_save_markers(&d.jpeg, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&d.jpeg, TRUE);
  // libjpeg turns gray and YCbCr into luma by itself, RGB as well.
  d.jpeg.out_color_space = JCS_GRAYSCALE;
  d.jpeg.dct_method = JDCT_ISLOW;
  return true;
}

bool ReadRows(JpegDecoder& d) {
  if (setjmp(d.escape)) return false;
  jpeg_start_decompress(&d.jpeg);
  while (d.jpeg.output_scanline < d.jpeg.output_height) {
    JSAMPROW row =
        d.raw.data() + size_t{d.jpeg.output_scanline} * d.jpeg.output_width;
    jpeg_read_scanlines(&d.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&d.jpeg);
  return true;
}

// Returns the orientation from the first APP1 segment that is EXIF; XMP uses
// APP1, too.
int OrientationOf(const JpegDecoder& d) {
  for (auto* marker = d.jpeg.marker_list; marker != nullptr;
       marker = marker->next) {
    const absl::string_view data(reinterpret_cast<const char*>(marker->data),
                                 marker->data_length);
    if (!absl::StartsWith(data, kExif)) continue;
    return ExifOrientation(data.substr(kExif.size()));
  }
  return 1;
}

}  // namespace

absl::StatusOr<GrayImage> DecodeJpeg(absl::string_view bytes) {
  JpegDecoder d;
  d.jpeg.err = jpeg_std_error(&d.errors);
  d.errors.error_exit = FailJpeg;
  d.errors.emit_message = FailOnWarning;
  d.jpeg.client_data = &d;
  auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (!ReadHeader(d, data, bytes.size())) {
    return absl::InvalidArgumentError(absl::StrCat("damaged JPEG: ", d.reason));
  }
  HILUM_RETURN_IF_ERROR(
      CheckImageSize(d.jpeg.image_height, d.jpeg.image_width));
  // Read before libjpeg finishes and frees the markers.
  const int orientation = OrientationOf(d);
  d.raw.resize(size_t{d.jpeg.image_height} * d.jpeg.image_width);
  if (!ReadRows(d)) {
    return absl::InvalidArgumentError(absl::StrCat("damaged JPEG: ", d.reason));
  }
  GrayImage image{static_cast<int>(d.jpeg.image_height),
                  static_cast<int>(d.jpeg.image_width),
                  {}};
  image.pixels.resize(d.raw.size());
  for (size_t i = 0; i < d.raw.size(); ++i) image.pixels[i] = d.raw[i] / 255.0f;
  return ApplyExifOrientation(std::move(image), orientation);
}

}  // namespace hilum
