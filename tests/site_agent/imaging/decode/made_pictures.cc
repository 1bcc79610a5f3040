// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/imaging/decode/made_pictures.h"

#include <cstdio>
// jpeglib.h needs FILE first.
#include <jpeglib.h>
#include <png.h>

#include <cstdlib>

namespace hilum {

std::string MakePng(int width, int height, PngKind kind,
                    const std::vector<unsigned char>& data) {
  std::string out;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep bytes, png_size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))
            ->append(reinterpret_cast<char*>(bytes), n);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, width, height, kind.depth, kind.color,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_color palette[2] = {{255, 0, 0}, {255, 255, 255}};
  if (kind.color == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, palette, 2);
  }
  png_write_info(png, info);
  size_t row_bytes = data.size() / height;
  std::vector<png_bytep> rows;
  for (int y = 0; y < height; ++y) {
    rows.push_back(const_cast<png_bytep>(data.data()) + y * row_bytes);
  }
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::string MakeJpeg(int width, int height, int channels, unsigned char value,
                     bool steps) {
  static const jpeg_scan_info kScript[] = {{1, {0}, 0, 0, 0, 0},
                                           {1, {0}, 1, 63, 0, 0}};
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &buffer, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg.scan_info = steps ? kScript : nullptr;
  jpeg.num_scans = steps ? 2 : 0;
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<unsigned char> row(width * channels, value);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&jpeg, &pointer, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string out(reinterpret_cast<char*>(buffer), size);
  jpeg_destroy_compress(&jpeg);
  std::free(buffer);
  return out;
}

}  // namespace hilum
