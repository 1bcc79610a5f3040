// SPDX-License-Identifier: Apache-2.0
// One function a kind of compression; DecodeStoredPixels picks. All append one
// frame of format.frame_bytes() to `out`, and refuse a codestream of another
// size before memory is taken for it. INVALID_ARGUMENT: damaged.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_FRAME_DECODERS_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_FRAME_DECODERS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"

namespace hilum {

// RLE (PS3.5 annex G).
absl::Status DecodeRleFrame(absl::string_view frame, const PixelFormat& format,
                            std::string& out);

// JPEG and JPEG-LS, by DCMTK's codecs. Not RLE: DCMTK 3.6.7 reads past a frame
// whose header says so.
absl::Status DecodeDcmtkFrame(absl::string_view frame,
                              const TransferSyntax& syntax,
                              const PixelFormat& format, std::string& out);

// JPEG 2000 (ISO 15444-1) and HTJ2K (15444-15), by OpenJPEG.
absl::Status DecodeJpeg2000Frame(absl::string_view frame,
                                 const PixelFormat& format, std::string& out);

// Reads the markers of a JPEG (ISO 10918-1) or JPEG-LS (14495-1) frame up to
// its first scan: a process that is not the transfer syntax's, a size or
// number of components that is not the header's, or more scans than components
// are refused. Returns the bits of a sample, at most format.bits_allocated.
absl::StatusOr<int> CheckJpegHeader(absl::string_view frame,
                                    const TransferSyntax& syntax,
                                    const PixelFormat& format);

// The frame without the fill bytes, 0xff, that may stand in front of a marker
// before the first scan (ISO 10918-1 B.1.1.2), where DCMTK takes them for
// markers. Empty: it has none.
std::string WithoutFillBytes(absl::string_view frame);

// Where the tile parts of a JPEG 2000 codestream end and its end marker should
// stand. `whole`: their lengths and numbers say that none is missing; else
// `at` may be any end, the frame's at the latest.
struct Jpeg2000End {
  size_t at = 0;
  bool whole = false;
};

// The same of a JPEG 2000 codestream's markers, tile parts' included: a size
// that is not the header's; a division into so many tiles, precincts or code
// blocks that their bookkeeping would dwarf the pixels.
absl::StatusOr<Jpeg2000End> CheckJpeg2000Header(absl::string_view frame,
                                                const PixelFormat& format);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_FRAME_DECODERS_H_
