// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CLI_STUDY_REFERENCE_H_
#define HILUM_COMMON_CLI_STUDY_REFERENCE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// A study that a command line can refer to.
struct KnownStudy {
  std::string hash;  // 64 hexadecimal digits, lower case
  std::string name;
  std::string state;  // "training", "waiting for you": for the list in errors
};

// Returns the index in `studies` of the study that `reference` means: the first
// digits of a hash, any number and of either case, or a whole name. A
// UsageError: `reference` can be neither. INVALID_ARGUMENT: several studies
// fit, which the message lists. NOT_FOUND: none fits.
absl::StatusOr<size_t> FindStudy(absl::string_view reference,
                                 absl::Span<const KnownStudy> studies);

// Returns the indices of all studies that `reference` may mean, in their order;
// at least one. Errors: as FindStudy, but several studies are no error.
absl::StatusOr<std::vector<size_t>> FittingStudies(
    absl::string_view reference, absl::Span<const KnownStudy> studies);

// Returns OK where `reference` can be digits of a hash or a name; else a
// UsageError.
absl::Status CheckStudyReference(absl::string_view reference);

// Returns one line a study, "  HASH  NAME  STATE", without the last line end.
std::string StudyLines(absl::Span<const KnownStudy> studies);

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_STUDY_REFERENCE_H_
