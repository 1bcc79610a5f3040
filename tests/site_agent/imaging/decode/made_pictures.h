// SPDX-License-Identifier: Apache-2.0
// PNG and JPEG files for tests.
#ifndef HILUM_TESTS_SITE_AGENT_IMAGING_DECODE_MADE_PICTURES_H_
#define HILUM_TESTS_SITE_AGENT_IMAGING_DECODE_MADE_PICTURES_H_

#include <string>
#include <vector>

namespace hilum {

struct PngKind {
  int color;  // PNG_COLOR_TYPE_*
  int depth;
  bool interlaced = false;
};

// `data` is rows as libpng takes them (16 bits big-endian).
std::string MakePng(int width, int height, PngKind kind,
                    const std::vector<unsigned char>& data);

// A picture of one value; `steps`: in two scans, of coarse values and of the
// rest, where it is gray.
std::string MakeJpeg(int width, int height, int channels, unsigned char value,
                     bool steps = false);

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_IMAGING_DECODE_MADE_PICTURES_H_
