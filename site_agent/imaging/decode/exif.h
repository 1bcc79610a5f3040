// SPDX-License-Identifier: Apache-2.0
// How a camera or scanner says that a picture is to be shown.
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_EXIF_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_EXIF_H_

#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Returns the Orientation tag, 1 to 8, of EXIF metadata: `tiff` is what stands
// behind "Exif\0\0" in a JPEG's APP1 segment, or in a PNG's eXIf chunk. 1, the
// picture as it is stored, where there is no such tag, no value from 1 to 8, or
// no EXIF at all. Reads image file directory 0 alone and never past `tiff`.
// CIPA DC-008 (EXIF 2.32) sections 4.5 and 4.6.4 A.
int ExifOrientation(absl::string_view tiff);

// Turns and mirrors the image so that it is shown as `orientation` asks.
GrayImage ApplyExifOrientation(GrayImage image, int orientation);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_EXIF_H_
