// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/big_endian_reader.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

constexpr uint32_t kStartOfImage = 0xffd8;
constexpr uint32_t kEndOfImage = 0xffd9;
constexpr uint32_t kStartOfScan = 0xffda;

absl::Status Damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("damaged JPEG: ", what));
}

// Accepts SOF0 baseline, SOF1 extended, SOF3 lossless and SOF55 JPEG-LS. No
// accepted transfer syntax has the others (progressive, arithmetic).
bool IsStartOfFrame(uint32_t marker) {
  return marker == 0xfff7 || (marker >= 0xffc0 && marker <= 0xffcf &&
                              marker != 0xffc4 && marker != 0xffcc);
}

// Returns whether a segment may stand before or between scans: tables, restart
// interval, application data, comment, JPEG-LS parameters. At markers without a
// segment, DCMTK 3.6.7 loops forever.
bool IsOther(uint32_t marker) {
  return marker == 0xffc4 || marker == 0xffdb || marker == 0xffdd ||
         (marker >= 0xffe0 && marker <= 0xffef) || marker == 0xfff8 ||
         marker == 0xfffe;
}

bool IsProcessOf(const TransferSyntax& syntax, uint32_t marker) {
  if (syntax.coding == PixelCoding::kJpegLs) return marker == 0xfff7;
  const absl::string_view uid = syntax.uid;
  if (uid == "1.2.840.10008.1.2.4.50") return marker == 0xffc0;
  if (uid == "1.2.840.10008.1.2.4.51") {
    return marker == 0xffc0 || marker == 0xffc1;
  }
  return marker == 0xffc3;
}

// Checks the body of a start-of-frame segment.
absl::StatusOr<int> CheckFrame(BigEndianReader& reader,
                               const PixelFormat& format) {
  const int bits = static_cast<int>(reader.Read(1));
  const uint32_t rows = reader.Read(2);
  const uint32_t columns = reader.Read(2);
  const uint32_t components = reader.Read(1);
  if (!reader.ok()) return Damaged("it ends in its header");
  if (rows != static_cast<uint32_t>(format.rows) ||
      columns != static_cast<uint32_t>(format.columns) ||
      components != static_cast<uint32_t>(format.samples)) {
    return absl::InvalidArgumentError(
        absl::StrCat("JPEG of ", columns, " x ", rows, " x ", components,
                     " in a DICOM image of ", format.columns, " x ",
                     format.rows, " x ", format.samples));
  }
  if (bits < 2 || bits > 16 || bits > format.bits_allocated) {
    return absl::InvalidArgumentError(absl::StrCat(
        "JPEG of ", bits, " bits in a DICOM image of ", format.bits_allocated));
  }
  return bits;
}

// Reads the next marker, skipping fill bytes.
uint32_t ReadMarker(BigEndianReader& reader) {
  uint32_t marker = reader.Read(2);
  while (marker == 0xffff && reader.ok()) marker = 0xff00 | reader.Read(1);
  return marker;
}

// Returns the position of the marker after a scan's bytes. In a scan, a 0xff is
// followed by 0 (JPEG) or a byte below 0x80 (JPEG-LS); restart markers are part
// of the scan.
size_t EndOfScan(absl::string_view frame, size_t at, bool jpeg_ls) {
  for (; at + 1 < frame.size(); ++at) {
    if (frame[at] != '\xff') continue;
    const auto next = static_cast<uint8_t>(frame[at + 1]);
    const bool data = jpeg_ls ? next < 0x80 : next == 0;
    const bool restart = next >= 0xd0 && next <= 0xd7;
    if (!data && !restart && next != 0xff) return at;
  }
  return frame.size();
}

}  // namespace

absl::StatusOr<int> CheckJpegHeader(absl::string_view frame,
                                    const TransferSyntax& syntax,
                                    const PixelFormat& format) {
  BigEndianReader reader(frame);
  if (reader.Read(2) != kStartOfImage) return Damaged("no start of image");
  int bits = 0;
  int scans = 0;
  while (!reader.AtEnd()) {
    const uint32_t marker = ReadMarker(reader);
    if (marker == kEndOfImage) break;
    const size_t start = reader.position();
    const uint32_t length = reader.Read(2);
    if (length < 2 || !reader.ok()) return Damaged("it ends in its header");
    if (!IsStartOfFrame(marker) && !IsOther(marker) && marker != kStartOfScan) {
      return Damaged("a marker that has no place in it");
    }
    if (IsStartOfFrame(marker)) {
      if (bits != 0) return Damaged("two headers");
      if (!IsProcessOf(syntax, marker)) {
        return Damaged("another process than its transfer syntax");
      }
      HILUM_ASSIGN_OR_RETURN(bits, CheckFrame(reader, format));
    }
    reader.MoveTo(start + length);
    if (marker != kStartOfScan) continue;
    // Each scan costs a pass over all pixels, however few bytes it has.
    if (++scans > format.samples) return Damaged("too many scans");
    reader.MoveTo(EndOfScan(frame, start + length,
                            syntax.coding == PixelCoding::kJpegLs));
  }
  if (bits == 0 || scans == 0) return Damaged("no image in it");
  return bits;
}

std::string WithoutFillBytes(absl::string_view frame) {
  BigEndianReader reader(frame);
  std::string out;
  size_t kept = 0;  // bytes of the frame that were copied or skipped
  reader.Read(2);
  while (reader.ok() && !reader.AtEnd()) {
    const size_t start = reader.position();
    const uint32_t marker = ReadMarker(reader);
    const size_t fill = reader.position() - start - 2;
    if (fill > 0 && reader.ok()) {
      absl::StrAppend(&out, frame.substr(kept, start - kept));
      kept = start + fill;
    }
    if (marker == kStartOfScan || marker == kEndOfImage) break;
    const size_t segment = reader.position();
    const uint32_t length = reader.Read(2);
    if (length < 2) break;
    reader.MoveTo(segment + length);
  }
  if (kept == 0) return "";
  return out + std::string(frame.substr(kept));
}

}  // namespace hilum
