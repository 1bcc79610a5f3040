// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_PICTURES_STAMP_TEXT_H_
#define HILUM_SITE_AGENT_IMAGING_PICTURES_STAMP_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Writes `text` into the lower left corner, white on black: letters (small as
// capital), digits, spaces and , . - _ + : / ( ); '?' for others. Uses the
// largest size that fits half the width, in whole pixels a dot. Returns false
// if even one pixel a dot is too large; the image stays unchanged.
bool StampText(absl::string_view text, RgbImage& image);

// Writes several lines there, the last one lowest, in the size that fits the
// longest. Returns false if they do not all fit; the image stays unchanged.
bool StampLines(absl::Span<const std::string> lines, RgbImage& image);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PICTURES_STAMP_TEXT_H_
