// SPDX-License-Identifier: Apache-2.0
// The format of one case in a case store (docs/ingest.md).
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

// A plane in the caller's memory: row-major, 0 black, 65535 white.
struct PlaneView {
  int rows = 0;  // 0: no plane
  int columns = 0;
  absl::Span<const uint16_t> pixels;  // [rows * columns]
};

// One case as stored: planes of PrepareWholeWithin and PrepareSegmentedWithin,
// and the lungs of the whole plane from LungBits. The views point into memory
// that outlives the record.
struct CaseRecord {
  std::string case_id;  // kCaseIdDigits
  PlaneView whole;
  PlaneView segmented;       // rows 0: no lung mask was given
  absl::string_view lungs;   // empty: no lung mask was given
  uint32_t source_rows = 0;  // the displayed image's
  uint32_t source_columns = 0;
  // The first kRecordDigestBytes bytes of the PixelDigest of the image as its
  // file had it; empty: an earlier release has written the record without.
  absl::string_view image_digest;
};

inline constexpr size_t kRecordDigestBytes = 8;
inline constexpr size_t kCaseIdDigits = 16;  // lower-case hexadecimal
inline constexpr size_t kRecordAlignment = 64;
inline constexpr int kMaxPlaneSide = 1 << 14;

// Returns whether the text is 16 lower-case hexadecimal digits.
bool IsCaseId(absl::string_view text);

// Size of the header in front of each record's payload. Little-endian:
// "HILUMCAS", version, payload bytes (with padding), case id, sizes of whole,
// segmented and source, SHA-256 of the payload, SHA-256 of all header bytes
// before it. The payload has the whole plane, the segmented one, the lungs and,
// from version 2 on, the image's digest. A record without a digest is written
// as version 1.
inline constexpr size_t kRecordHeaderBytes = 128;

struct RecordHeader {
  uint64_t payload_bytes = 0;  // a multiple of kRecordAlignment
  std::string case_id;
  uint32_t whole_rows = 0, whole_columns = 0;
  uint32_t segmented_rows = 0, segmented_columns = 0;
  uint32_t source_rows = 0, source_columns = 0;
  std::string payload_sha256;  // 32 raw bytes
  bool has_digest = false;     // version 2
};

// Returns header and payload, padded to kRecordAlignment.
std::string EncodeCaseRecord(const CaseRecord& record);

// Decodes exactly kRecordHeaderBytes bytes. DATA_LOSS: not a header, damaged,
// or its sizes contradict its length. FAILED_PRECONDITION: a newer version.
absl::StatusOr<RecordHeader> DecodeRecordHeader(absl::string_view bytes);

// Returns views into `payload`, which is aligned to 2 bytes. DATA_LOSS: the
// payload does not match the header's SHA-256.
absl::StatusOr<CaseRecord> DecodeCaseRecord(const RecordHeader& header,
                                            absl::string_view payload);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_CASE_STORE_CASE_RECORD_H_
