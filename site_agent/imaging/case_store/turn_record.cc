// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/case_store/turn_record.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"

namespace hilum {
namespace {

// Returns a view into `pixels`, which it fills.
PlaneView Turned(const PlaneView& plane, const Turn& turn,
                 std::vector<uint16_t>& pixels) {
  pixels = TurnPixels(plane.rows, plane.columns, plane.pixels, turn);
  PlaneView out{plane.rows, plane.columns, pixels};
  if (Transposes(turn)) std::swap(out.rows, out.columns);
  return out;
}

// Turns a mask in the format of LungBits.
std::string TurnedBits(int rows, int columns, absl::string_view bits,
                       const Turn& turn) {
  std::vector<uint8_t> each(static_cast<size_t>(rows) * columns);
  for (size_t i = 0; i < each.size(); ++i) each[i] = bits[i / 8] >> i % 8 & 1;
  each = TurnPixels<uint8_t>(rows, columns, each, turn);
  std::string out(bits.size(), '\0');
  for (size_t i = 0; i < each.size(); ++i) {
    out[i / 8] = static_cast<char>(out[i / 8] | each[i] << i % 8);
  }
  return out;
}

}  // namespace

std::string TurnRecord(const CaseRecord& record, const Turn& turn) {
  std::vector<uint16_t> whole, segmented;
  std::string lungs;
  CaseRecord out = record;
  out.whole = Turned(record.whole, turn, whole);
  out.segmented = Turned(record.segmented, turn, segmented);
  if (!record.lungs.empty()) {
    lungs =
        TurnedBits(record.whole.rows, record.whole.columns, record.lungs, turn);
  }
  out.lungs = lungs;
  if (Transposes(turn)) std::swap(out.source_rows, out.source_columns);
  return EncodeCaseRecord(out);
}

absl::StatusOr<std::string> TurnEncodedRecord(absl::string_view encoded,
                                              const Turn& turn) {
  HILUM_ASSIGN_OR_RETURN(
      const RecordHeader header,
      DecodeRecordHeader(encoded.substr(0, kRecordHeaderBytes)));
  encoded.remove_prefix(kRecordHeaderBytes);
  HILUM_ASSIGN_OR_RETURN(const CaseRecord record,
                         DecodeCaseRecord(header, encoded));
  return TurnRecord(record, turn);
}

}  // namespace hilum
