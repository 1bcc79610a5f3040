// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/refusals.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {

absl::Status Refusals::Record(const v1::Task& task, const absl::Status& why) {
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::SUM_REFUSED);
  if (task.has_secure()) entry.set_method("SubmitSecureStep");
  entry.set_study_hash(ToHex(task.header().study_hash()));
  entry.set_round(task.header().round());
  entry.set_detail(std::string(why.message()));
  HILUM_RETURN_IF_ERROR(ledger_.Append(entry));
  log_(absl::StrCat("round ", task.header().round(), ": ", why.message()));
  if (!absl::IsPermissionDenied(why)) return absl::OkStatus();
  return approvals_.Refuse(
      task.header().study_hash(),
      "hilum-site itself, as what the coordinator asked for is "
      "against the study; SUM_REFUSED in the ledger says what");
}

absl::Status Refusals::RefuseModel(const v1::Task& task,
                                   absl::string_view why) {
  const absl::Status refused = absl::PermissionDeniedError(absl::StrCat(
      "the coordinator's model of round ", task.header().round(), ": ", why));
  HILUM_RETURN_IF_ERROR(Record(task, refused));
  return refused;
}

absl::Status Refusals::NoteIfNotTaken(const std::string& hash,
                                      const absl::Status& may) {
  if (!absl::IsFailedPrecondition(may) && !absl::IsPermissionDenied(may)) {
    return may;
  }
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::ANSWER_REFUSED);
  entry.set_method("NextTask");
  entry.set_study_hash(ToHex(hash));
  entry.set_detail(
      absl::StrCat("a task of a study in which this site does not "
                   "take part: ",
                   may.message()));
  HILUM_RETURN_IF_ERROR(ledger_.Append(entry));
  return may;
}

}  // namespace hilum
