// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/decode/decoders.h"
#include "site_agent/imaging/decode/exif.h"

namespace hilum {
namespace {

// The state of the C callbacks. Lives outside the frame that longjmp leaves.
struct PngSource {
  absl::string_view bytes;
  size_t position = 0;
  char reason[128] = {0};
};

void ReadPng(png_structp png, png_bytep out, png_size_t length) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (source->bytes.size() - source->position < length) {
    png_error(png, "file ends early");
  }
  std::memcpy(out, source->bytes.data() + source->position, length);
  source->position += length;
}

[[noreturn]] void FailPng(png_structp png, png_const_charp message) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source->reason, message, sizeof(source->reason) - 1);
  png_longjmp(png, 1);
}

void IgnoreWarning(png_structp, png_const_charp) {}

// Buffers and libpng's structures; freed however decoding ends.
struct PngDecoder {
  PngSource source;
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_uint_32 width = 0, height = 0;
  int depth = 0, color = 0, channels = 0;
  bool keep_alpha = false;
  png_bytep exif = nullptr;  // owned by libpng
  png_uint_32 exif_size = 0;
  std::vector<unsigned char> raw;
  std::vector<png_bytep> rows;

  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

absl::Status PngError(const PngDecoder& decoder) {
  return absl::InvalidArgumentError(
      absl::StrCat("damaged PNG: ", decoder.source.reason));
}

// The two functions with setjmp have no objects with destructors.
bool ReadHeader(PngDecoder& d) {
  if (setjmp(png_jmpbuf(d.png))) return false;
  png_set_read_fn(d.png, &d.source, ReadPng);
  png_read_info(d.png, d.info);
  png_get_IHDR(d.png, d.info, &d.width, &d.height, &d.depth, &d.color, nullptr,
               nullptr, nullptr);
  return true;
}

bool SetTransforms(PngDecoder& d) {
  if (setjmp(png_jmpbuf(d.png))) return false;
  if (d.color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(d.png);
  if (d.color == PNG_COLOR_TYPE_GRAY && d.depth < 8) {
    png_set_expand_gray_1_2_4_to_8(d.png);  // v * 255 / (2^b - 1), exact
  }
  if (!d.keep_alpha) {
    png_set_strip_alpha(d.png);
  } else if (png_get_valid(d.png, d.info, PNG_INFO_tRNS) != 0) {
    png_set_tRNS_to_alpha(d.png);
  }
  if (d.depth == 16) png_set_swap(d.png);
  png_set_interlace_handling(d.png);
  png_read_update_info(d.png, d.info);
  d.channels = png_get_channels(d.png, d.info);
  d.depth = png_get_bit_depth(d.png, d.info);
  return true;
}

bool ReadRows(PngDecoder& d) {
  if (setjmp(png_jmpbuf(d.png))) return false;
  png_read_image(d.png, d.rows.data());
  png_read_end(d.png, d.info);
  png_get_eXIf_1(d.png, d.info, &d.exif_size, &d.exif);
  return true;
}

// Returns the gray of a colour. Equal channels give exactly their value, so
// that a gray picture has the same pixels in gray and in colour files.
template <typename Sample>
float GrayOf(const Sample* v, int channels, float scale) {
  if (channels < 3 || (v[0] == v[1] && v[1] == v[2])) return v[0] / scale;
  return (0.299f * v[0] + 0.587f * v[1] + 0.114f * v[2]) / scale;
}

// Fills `alpha` if it is not null and the samples have an alpha channel.
template <typename Sample>
GrayImage ToGray(const PngDecoder& d, float scale, GrayImage* alpha) {
  GrayImage image{static_cast<int>(d.height), static_cast<int>(d.width), {}};
  size_t count = static_cast<size_t>(d.width) * d.height;
  image.pixels.resize(count);
  const bool has_alpha = alpha != nullptr && d.channels % 2 == 0;
  if (has_alpha) *alpha = image;
  const unsigned char* in = d.raw.data();
  for (size_t i = 0; i < count; ++i, in += d.channels * sizeof(Sample)) {
    Sample v[4] = {};
    std::memcpy(v, in, d.channels * sizeof(Sample));
    image.pixels[i] = GrayOf(v, d.channels, scale);
    if (has_alpha) alpha->pixels[i] = v[d.channels - 1] / scale;
  }
  return image;
}

absl::Status CheckChannels(const PngDecoder& d) {
  const bool known = d.keep_alpha ? d.channels >= 1 && d.channels <= 4
                                  : d.channels == 1 || d.channels == 3;
  if (known) return absl::OkStatus();
  return absl::InvalidArgumentError("damaged PNG: unknown colour layout");
}

GrayImage AsShown(GrayImage image, const PngDecoder& d) {
  if (d.exif == nullptr) return image;
  const absl::string_view tiff(reinterpret_cast<const char*>(d.exif),
                               d.exif_size);
  return ApplyExifOrientation(std::move(image), ExifOrientation(tiff));
}

}  // namespace

absl::StatusOr<GrayImage> DecodePng(absl::string_view bytes, GrayImage* alpha) {
  PngDecoder d;
  d.source.bytes = bytes;
  d.keep_alpha = alpha != nullptr;
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d.source, FailPng,
                                 IgnoreWarning);
  if (d.png != nullptr) d.info = png_create_info_struct(d.png);
  if (d.info == nullptr) {
    return absl::ResourceExhaustedError("no memory to decode a PNG");
  }
  if (!ReadHeader(d)) return PngError(d);
  HILUM_RETURN_IF_ERROR(CheckImageSize(d.height, d.width));
  if (!SetTransforms(d)) return PngError(d);
  HILUM_RETURN_IF_ERROR(CheckChannels(d));
  size_t row_bytes =
      static_cast<size_t>(d.width) * d.channels * (d.depth == 16 ? 2 : 1);
  d.raw.resize(row_bytes * d.height);
  for (size_t row = 0; row < d.height; ++row) {
    d.rows.push_back(d.raw.data() + row * row_bytes);
  }
  if (!ReadRows(d)) return PngError(d);
  GrayImage image = d.depth == 16 ? ToGray<uint16_t>(d, 65535.0f, alpha)
                                  : ToGray<uint8_t>(d, 255.0f, alpha);
  if (alpha != nullptr) *alpha = AsShown(std::move(*alpha), d);
  return AsShown(std::move(image), d);
}

}  // namespace hilum
