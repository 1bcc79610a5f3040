// SPDX-License-Identifier: Apache-2.0
// Reads from EXIF how a picture is to be shown.
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_EXIF_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_EXIF_H_

#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Returns the Orientation tag, 1 to 8, of EXIF metadata. `tiff`: the bytes
// after "Exif\0\0" in a JPEG's APP1 segment, or a PNG's eXIf chunk. Returns 1,
// the picture as stored, if there is no such tag, no value from 1 to 8, or no
// EXIF at all. Reads only image file directory 0, and never past `tiff`. CIPA
// DC-008 (EXIF 2.32) sections 4.5 and 4.6.4 A.
int ExifOrientation(absl::string_view tiff);

// Turns and mirrors the image for the display that `orientation` asks for.
GrayImage ApplyExifOrientation(GrayImage image, int orientation);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_EXIF_H_
