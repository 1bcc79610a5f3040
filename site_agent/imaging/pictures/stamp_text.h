// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_PICTURES_STAMP_TEXT_H_
#define HILUM_SITE_AGENT_IMAGING_PICTURES_STAMP_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Writes `text` into the lower left corner, white on black: letters (small as
// capital), digits, spaces and , . - _ + : / ( ); '?' for others. As large
// as fits half the width, whole pixels a dot, and one at the least. False: an
// image too small for that, which stays as it is.
bool StampText(absl::string_view text, RgbImage& image);

// Writes several lines there, the last one lowest, all as large as the longest
// would be. False: no room for all of them; the image stays as it is.
bool StampLines(absl::Span<const std::string> lines, RgbImage& image);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PICTURES_STAMP_TEXT_H_
