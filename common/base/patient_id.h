// SPDX-License-Identifier: Apache-2.0
// One rule for who is the same patient, in case manifests and in ingest.
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

// Returns `text` with each Latin letter and the one accent behind it as a
// single character, as Unicode's normal form NFC has them. Programs disagree
// on which of the two they write. Other text, and text that is not UTF-8, stays
// as it is.
std::string ComposeLatin(absl::string_view text);

// Returns the id by which a patient is known: without the blanks around it,
// composed. Ids that differ otherwise are two patients.
std::string NormalPatientId(absl::string_view written);

// Returns what ids have in common that a person would take for one patient's:
// lower case, without blanks within, without the zeros that a number begins
// with, without the ".0" that a spreadsheet puts behind a number. Ids of one
// key need not be of one patient; they are worth a look.
std::string PatientIdKey(absl::string_view id);

// Ids that differ and have the same PatientIdKey.
struct SimilarIds {
  size_t first;   // index of the id that comes first
  size_t second;  // the first index of another id of the same key
};

// Returns a pair for each id beyond the first of its key, each id once, by
// `second`. `ids`: as NormalPatientId has them; one id may occur often.
std::vector<SimilarIds> FindSimilarIds(absl::Span<const absl::string_view> ids);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_PATIENT_ID_H_
