// SPDX-License-Identifier: Apache-2.0
#include "common/cli/study_reference.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"

namespace hilum {
namespace {

constexpr size_t kHashDigits = 64;

bool IsHashPrefix(absl::string_view text) {
  return !text.empty() && text.size() <= kHashDigits && IsHex(text);
}

}  // namespace

absl::Status CheckStudyReference(absl::string_view reference) {
  if (IsHashPrefix(reference) || IsValidName(reference)) {
    return absl::OkStatus();
  }
  return UsageError(absl::StrCat(
      "'", absl::Utf8SafeCHexEscape(reference),
      "' is no study: give the first digits of its hash (0-9 and a-f, at most ",
      kHashDigits, ") or its name"));
}

std::string StudyLines(absl::Span<const KnownStudy> studies) {
  return absl::StrJoin(studies, "\n",
                       [](std::string* out, const KnownStudy& study) {
                         absl::StrAppend(out, "  ", study.hash, "  ",
                                         study.name, "  ", study.state);
                       });
}

absl::StatusOr<std::vector<size_t>> FittingStudies(
    absl::string_view reference, absl::Span<const KnownStudy> studies) {
  HILUM_RETURN_IF_ERROR(CheckStudyReference(reference));
  const std::string prefix = absl::AsciiStrToLower(reference);
  std::vector<size_t> fitting;
  for (size_t i = 0; i < studies.size(); ++i) {
    const bool by_hash =
        IsHashPrefix(prefix) && absl::StartsWith(studies[i].hash, prefix);
    if (by_hash || studies[i].name == reference) fitting.push_back(i);
  }
  if (!fitting.empty()) return fitting;
  return absl::NotFoundError(absl::StrCat(
      "no study here is called '", reference, "' or has a hash that begins so",
      studies.empty() ? "; there are none"
                      : absl::StrCat("; there are\n", StudyLines(studies))));
}

absl::StatusOr<size_t> FindStudy(absl::string_view reference,
                                 absl::Span<const KnownStudy> studies) {
  HILUM_ASSIGN_OR_RETURN(const std::vector<size_t> fitting,
                         FittingStudies(reference, studies));
  if (fitting.size() == 1) return fitting[0];
  std::vector<KnownStudy> candidates;
  for (size_t i : fitting) candidates.push_back(studies[i]);
  return absl::InvalidArgumentError(
      absl::StrCat("'", reference, "' means any of ", fitting.size(),
                   " studies; give more digits of the hash of one:\n",
                   StudyLines(candidates)));
}

}  // namespace hilum
