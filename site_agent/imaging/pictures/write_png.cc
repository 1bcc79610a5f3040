// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/pictures/write_png.h"

#include <png.h>

#include <csetjmp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

void AppendBytes(png_structp png, png_bytep data, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))
      ->append(reinterpret_cast<char*>(data), size);
}

void Flush(png_structp) {}

struct Format {
  int bits;      // per sample
  int channels;  // 1 gray, 3 colours

  size_t pixel_bytes() const { return size_t{1} * channels * bits / 8; }
};

// This frame has only plain types: libpng leaves it by longjmp.
bool WriteImage(int rows, int columns, Format format, const uint8_t* bytes,
                std::string* out) {
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  if (info == nullptr || setjmp(png_jmpbuf(png))) {
    if (png != nullptr) png_destroy_write_struct(&png, &info);
    return false;
  }
  png_set_write_fn(png, out, AppendBytes, Flush);
  png_set_compression_level(png, 3);
  png_set_IHDR(png, info, columns, rows, format.bits,
               format.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  const size_t stride = columns * format.pixel_bytes();
  for (int row = 0; row < rows; ++row) {
    png_write_row(png, bytes + row * stride);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return true;
}

absl::StatusOr<std::string> Encode(int rows, int columns, Format format,
                                   absl::Span<const uint8_t> bytes) {
  if (rows < 1 || columns < 1 ||
      bytes.size() !=
          static_cast<size_t>(rows) * columns * format.pixel_bytes()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "PNG of ", rows, " rows and ", columns,
        " columns: ", bytes.size() / format.pixel_bytes(), " pixels given"));
  }
  std::string out;
  if (!WriteImage(rows, columns, format, bytes.data(), &out)) {
    return absl::ResourceExhaustedError("PNG: libpng could not write");
  }
  return out;
}

}  // namespace

absl::StatusOr<std::string> EncodePng16(int rows, int columns,
                                        absl::Span<const uint16_t> pixels) {
  std::string bytes(pixels.size() * 2, '\0');
  for (size_t i = 0; i < pixels.size(); ++i) {
    bytes[2 * i] = static_cast<char>(pixels[i] >> 8);
    bytes[2 * i + 1] = static_cast<char>(pixels[i] & 0xff);
  }
  return Encode(
      rows, columns, {.bits = 16, .channels = 1},
      absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(bytes.data()),
                          bytes.size()));
}

absl::StatusOr<std::string> EncodePng8(int rows, int columns,
                                       absl::Span<const uint8_t> pixels) {
  return Encode(rows, columns, {.bits = 8, .channels = 1}, pixels);
}

absl::StatusOr<std::string> EncodePngRgb8(int rows, int columns,
                                          absl::Span<const uint8_t> pixels) {
  return Encode(rows, columns, {.bits = 8, .channels = 3}, pixels);
}

}  // namespace hilum
