// SPDX-License-Identifier: Apache-2.0
// The decoders of single kinds of compression, for DecodeStoredPixels. Each
// appends one frame of format.frame_bytes() to `out`, and refuses a codestream
// of another size before it allocates memory. INVALID_ARGUMENT: damaged.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_FRAME_DECODERS_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_FRAME_DECODERS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"

namespace hilum {

// Decodes RLE (PS3.5 annex G).
absl::Status DecodeRleFrame(absl::string_view frame, const PixelFormat& format,
                            std::string& out);

// Decodes JPEG and JPEG-LS with DCMTK's codecs. Not for RLE: with some headers
// DCMTK 3.6.7 reads past the frame.
absl::Status DecodeDcmtkFrame(absl::string_view frame,
                              const TransferSyntax& syntax,
                              const PixelFormat& format, std::string& out);

// Decodes JPEG 2000 (ISO 15444-1) and HTJ2K (15444-15) with OpenJPEG.
absl::Status DecodeJpeg2000Frame(absl::string_view frame,
                                 const PixelFormat& format, std::string& out);

// Reads the markers of a JPEG (ISO 10918-1) or JPEG-LS (14495-1) frame. Refuses
// a process that the transfer syntax does not have, a size or number of
// components other than the header's, and more scans than components. Returns
// the bits of a sample, at most format.bits_allocated.
absl::StatusOr<int> CheckJpegHeader(absl::string_view frame,
                                    const TransferSyntax& syntax,
                                    const PixelFormat& format);

// Returns the frame without the fill bytes, 0xff, before markers in front of
// the first scan (ISO 10918-1 B.1.1.2): DCMTK takes them for markers. Returns
// empty if there are none.
std::string WithoutFillBytes(absl::string_view frame);

// The end of a JPEG 2000 codestream's tile parts, where its end marker should
// be. `whole`: their lengths and numbers show that none is missing; otherwise
// `at` may be any position up to the frame's end.
struct Jpeg2000End {
  size_t at = 0;
  bool whole = false;
};

// Checks a JPEG 2000 codestream's markers, also in tile parts. Refuses a size
// other than the header's, and a division into so many tiles, precincts or code
// blocks that their bookkeeping would need far more memory than the pixels.
absl::StatusOr<Jpeg2000End> CheckJpeg2000Header(absl::string_view frame,
                                                const PixelFormat& format);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_FRAME_DECODERS_H_
