// SPDX-License-Identifier: Apache-2.0
// The rule for equal patient ids, for case manifests and for ingest.
#ifndef HILUM_COMMON_BASE_PATIENT_ID_H_
#define HILUM_COMMON_BASE_PATIENT_ID_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// Returns `text` without the blanks around it: ASCII white space and NUL, and
// in UTF-8 the no-break space (U+00A0), the ideographic space (U+3000), the
// zero-width space (U+200B) and the byte order mark (U+FEFF).
absl::string_view StripBlanks(absl::string_view text);

// Returns `text` with each Latin letter and a single accent behind it as one
// character, in Unicode's normal form NFC. Programs write either of the two
// forms. Other text, and text that is not UTF-8, stays unchanged.
std::string ComposeLatin(absl::string_view text);

// Returns the normal form of a patient's id: without the blanks around it,
// composed. Ids with different normal forms are two patients.
std::string NormalPatientId(absl::string_view written);

// Returns a key that is equal for ids that a person may take for the same
// patient: lower case, without blanks within, without the leading zeros of a
// number, without the ".0" that a spreadsheet puts behind a number. Ids with
// one key need not belong to one patient; somebody should check them.
std::string PatientIdKey(absl::string_view id);

// Two different ids with the same PatientIdKey.
struct SimilarIds {
  size_t first;   // index of the id that comes first
  size_t second;  // index of the first other id with the same key
};

// Returns a pair for each id beyond the first of its key, each id once, sorted
// by `second`. `ids`: from NormalPatientId; one id may occur often.
std::vector<SimilarIds> FindSimilarIds(absl::Span<const absl::string_view> ids);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_PATIENT_ID_H_
