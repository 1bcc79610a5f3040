// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/big_endian_reader.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

// Markers of ISO 15444-1, annex A.
constexpr uint32_t kStartOfCodestream = 0xff4f;
constexpr uint32_t kSize = 0xff51;
constexpr uint32_t kCodingDefault = 0xff52;
constexpr uint32_t kCodingComponent = 0xff53;
constexpr uint32_t kStartOfTilePart = 0xff90;
constexpr uint32_t kStartOfData = 0xff93;

constexpr uint64_t kMaxTiles = 4096;
// Limits as base-2 logarithms. Encoders write blocks of 32 x 32 or 64 x 64 and
// precincts of 128 x 128 or more.
constexpr uint32_t kMinBlockArea = 8;
constexpr uint32_t kMinPrecinctSide = 5;

absl::Status Damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("damaged JPEG 2000: ", what));
}

absl::Status CheckComponents(BigEndianReader& reader,
                             const PixelFormat& format) {
  const uint32_t components = reader.Read(2);
  if (components != static_cast<uint32_t>(format.samples)) {
    return absl::InvalidArgumentError(
        absl::StrCat("JPEG 2000 of ", components,
                     " components in a DICOM image of ", format.samples));
  }
  for (uint32_t i = 0; i < components; ++i) {
    const int bits = static_cast<int>(reader.Read(1) & 0x7f) + 1;
    if (bits > format.bits_allocated || bits > 16) {
      return absl::InvalidArgumentError(
          absl::StrCat("JPEG 2000 of ", bits, " bits in a DICOM image of ",
                       format.bits_allocated));
    }
    if (reader.Read(2) != 0x0101) return Damaged("subsampled");
  }
  return absl::OkStatus();
}

// Checks the SIZ segment (A.5.1), after its length.
absl::Status CheckSize(BigEndianReader& reader, const PixelFormat& format) {
  reader.Read(2);
  const uint64_t x1 = reader.Read(4), y1 = reader.Read(4);
  const uint64_t x0 = reader.Read(4), y0 = reader.Read(4);
  const uint64_t tile_columns = reader.Read(4), tile_rows = reader.Read(4);
  const uint64_t tile_x = reader.Read(4), tile_y = reader.Read(4);
  if (!reader.ok()) return Damaged("it ends in its header");
  if (x0 > x1 || y0 > y1 || x1 - x0 != static_cast<uint64_t>(format.columns) ||
      y1 - y0 != static_cast<uint64_t>(format.rows)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "JPEG 2000 of ", x1 - x0, " x ", y1 - y0, " in a DICOM image of ",
        format.columns, " x ", format.rows));
  }
  if (tile_columns == 0 || tile_rows == 0 || tile_x > x0 || tile_y > y0) {
    return Damaged("its tiles do not cover it");
  }
  const uint64_t across = (x1 - tile_x + tile_columns - 1) / tile_columns;
  const uint64_t down = (y1 - tile_y + tile_rows - 1) / tile_rows;
  if (across > kMaxTiles || down > kMaxTiles || across * down > kMaxTiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat("JPEG 2000 in more than ", kMaxTiles, " tiles"));
  }
  return CheckComponents(reader, format);
}

// Checks the SPcod or SPcoc parameters (A.6.1).
absl::Status CheckCoding(BigEndianReader& reader, bool own_precincts) {
  const uint32_t levels = reader.Read(1);
  const uint32_t block_area = reader.Read(1) + reader.Read(1) + 4;
  reader.Read(2);
  if (levels > 32) return Damaged("too many resolutions");
  bool small = block_area < kMinBlockArea;
  for (uint32_t r = 0; own_precincts && r <= levels; ++r) {
    const uint32_t sides = reader.Read(1);
    small = small || (sides & 15) < kMinPrecinctSide ||
            (sides >> 4) < kMinPrecinctSide;
  }
  if (!reader.ok()) return Damaged("it ends in its header");
  if (!small) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "JPEG 2000 in code blocks or precincts too small to be meant");
}

absl::Status CheckMainSegment(uint32_t marker, BigEndianReader& reader,
                              const PixelFormat& format) {
  if (marker == kSize) return CheckSize(reader, format);
  if (marker == kCodingDefault) {
    const bool own_precincts = (reader.Read(1) & 1) != 0;
    reader.Read(4);
    return CheckCoding(reader, own_precincts);
  }
  if (marker == kCodingComponent) {
    reader.Read(1);  // at most 3 components: their numbers take one byte
    const bool own_precincts = (reader.Read(1) & 1) != 0;
    return CheckCoding(reader, own_precincts);
  }
  return absl::OkStatus();
}

// Checks the current header, up to the marker that ends it. Refuses a tile's
// own coding parameters: no encoder of radiographs writes them, and they would
// bypass the checks above.
absl::Status WalkHeader(BigEndianReader& reader, const PixelFormat& format,
                        uint32_t end) {
  const bool main = end == kStartOfTilePart;
  for (;;) {
    const uint32_t marker = reader.Read(2);
    if (marker == end) return absl::OkStatus();
    const size_t start = reader.position();
    const uint32_t length = reader.Read(2);
    if (marker < 0xff00 || length < 2 || !reader.ok()) {
      return Damaged("it ends in its header");
    }
    if (main) {
      HILUM_RETURN_IF_ERROR(CheckMainSegment(marker, reader, format));
    } else if (marker == kCodingDefault || marker == kCodingComponent) {
      return absl::UnimplementedError(
          "JPEG 2000 with parameters of a tile's own is not taken");
    }
    reader.MoveTo(start + length);
  }
}

// Returns the number of tiles in the SIZ segment, which has been checked.
size_t TileCount(absl::string_view frame) {
  BigEndianReader reader(frame);
  reader.MoveTo(8);
  const uint64_t x1 = reader.Read(4), y1 = reader.Read(4);
  reader.Read(4), reader.Read(4);
  const uint64_t width = reader.Read(4), height = reader.Read(4);
  const uint64_t x0 = reader.Read(4), y0 = reader.Read(4);
  return (x1 - x0 + width - 1) / width * ((y1 - y0 + height - 1) / height);
}

// Counts the parts of each tile.
class TileParts {
 public:
  // `total`: the tile's number of parts, if this part has it, else 0.
  void Add(uint32_t tile, uint32_t total) {
    Parts& parts = tiles_[tile];
    ++parts.seen;
    parts.total = std::max(parts.total, total);
  }

  // Returns whether all parts of `tiles` tiles have been seen.
  bool AreAll(size_t tiles) const {
    return tiles_.size() == tiles &&
           std::all_of(tiles_.begin(), tiles_.end(), [](const auto& tile) {
             return tile.second.seen == tile.second.total;
           });
  }

 private:
  struct Parts {
    uint32_t seen = 0, total = 0;
  };
  std::map<uint32_t, Parts> tiles_;
};

}  // namespace

absl::StatusOr<Jpeg2000End> CheckJpeg2000Header(absl::string_view frame,
                                                const PixelFormat& format) {
  BigEndianReader reader(frame);
  if (reader.Read(2) != kStartOfCodestream || reader.Read(2) != kSize) {
    return Damaged("no codestream");
  }
  reader.MoveTo(2);
  HILUM_RETURN_IF_ERROR(WalkHeader(reader, format, kStartOfTilePart));
  TileParts parts;
  for (;;) {
    const size_t start = reader.position() - 2;
    reader.Read(2);  // the segment's length
    const uint32_t tile = reader.Read(2);
    const uint32_t length = reader.Read(4);
    reader.Read(1);  // the part's number
    parts.Add(tile, reader.Read(1));
    HILUM_RETURN_IF_ERROR(WalkHeader(reader, format, kStartOfData));
    // 0: the last part, up to the end of the frame.
    if (length == 0) return Jpeg2000End{frame.size(), false};
    if (start + length < reader.position()) return Damaged("tile part");
    if (start + length > frame.size()) return Damaged("it is cut short");
    reader.MoveTo(start + length);
    if (reader.Read(2) != kStartOfTilePart) {
      return Jpeg2000End{start + length, parts.AreAll(TileCount(frame))};
    }
  }
}

}  // namespace hilum
