// SPDX-License-Identifier: Apache-2.0
// How a case store keeps one case (docs/ingest.md).
#ifndef HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_RECORD_H_
#define HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// A plane in memory of the caller's: row-major, 0 black, 65535 white.
struct PlaneView {
  int rows = 0;  // 0: there is none
  int columns = 0;
  absl::Span<const uint16_t> pixels;  // [rows * columns]
};

// One case as it is kept: planes of PrepareWholeWithin and
// PrepareSegmentedWithin, and the lungs of the whole plane as LungBits has
// them. Views; what they point into outlives it.
struct CaseRecord {
  std::string case_id;  // kCaseIdDigits
  PlaneView whole;
  PlaneView segmented;       // rows 0: no lung mask was given
  absl::string_view lungs;   // empty: as above
  uint32_t source_rows = 0;  // of the image, displayed
  uint32_t source_columns = 0;
};

inline constexpr size_t kCaseIdDigits = 16;  // lower-case hexadecimal
inline constexpr size_t kRecordAlignment = 64;
inline constexpr int kMaxPlaneSide = 1 << 14;

// 16 lower-case hexadecimal digits.
bool IsCaseId(absl::string_view text);

// In front of each record's payload; little-endian, 128 bytes:
// "HILUMCAS", version, payload bytes (with padding), case id, sizes of whole,
// segmented and source, SHA-256 of the payload, SHA-256 of what is before.
inline constexpr size_t kRecordHeaderBytes = 128;

struct RecordHeader {
  uint64_t payload_bytes = 0;  // a multiple of kRecordAlignment
  std::string case_id;
  uint32_t whole_rows = 0, whole_columns = 0;
  uint32_t segmented_rows = 0, segmented_columns = 0;
  uint32_t source_rows = 0, source_columns = 0;
  std::string payload_sha256;  // 32 raw bytes
};

// Header and payload, padded to kRecordAlignment.
std::string EncodeCaseRecord(const CaseRecord& record);

// Of exactly kRecordHeaderBytes. DATA_LOSS: not a header, damaged, or one
// whose sizes contradict its length. FAILED_PRECONDITION: of a newer version.
absl::StatusOr<RecordHeader> DecodeRecordHeader(absl::string_view bytes);

// Views into `payload`, which is aligned to 2 bytes. DATA_LOSS: it is not what
// the header's SHA-256 says.
absl::StatusOr<CaseRecord> DecodeCaseRecord(const RecordHeader& header,
                                            absl::string_view payload);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_RECORD_H_
