// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "site_agent/gateway/inbound_checks.h"

namespace hilum {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kKeyBytes = 32;
constexpr size_t kMaxCertificate = 4096;
constexpr size_t kMaxSignature = 80;
constexpr size_t kMaxSealed = 96;
constexpr size_t kChecksumBytes = 16;

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("task.secure.", field, ": ", what));
}

absl::Status CheckLength(absl::string_view field, absl::string_view value,
                         size_t most) {
  if (value.size() <= most) return absl::OkStatus();
  return Bad(field, absl::StrCat(value.size(), " bytes, of at most ", most));
}

absl::Status CheckCount(absl::string_view field, int count, size_t num_sites) {
  if (static_cast<size_t>(count) <= num_sites) return absl::OkStatus();
  return Bad(field, absl::StrCat(count, " entries, of a study of ", num_sites,
                                 " sites"));
}

absl::Status CheckSite(absl::string_view field, absl::string_view name) {
  if (IsValidName(name)) return absl::OkStatus();
  return Bad(field, "an entry without the name of a site");
}

absl::Status CheckKeys(const v1::RoundKeys& keys) {
  HILUM_RETURN_IF_ERROR(
      CheckLength("roster.mask_key", keys.mask_key(), kKeyBytes));
  HILUM_RETURN_IF_ERROR(
      CheckLength("roster.share_key", keys.share_key(), kKeyBytes));
  HILUM_RETURN_IF_ERROR(
      CheckLength("roster.certificate", keys.certificate(), kMaxCertificate));
  HILUM_RETURN_IF_ERROR(
      CheckLength("roster.signature", keys.signature(), kMaxSignature));
  HILUM_RETURN_IF_ERROR(
      CheckLength("roster.question", keys.question(), kHashBytes));
  return CheckLength("roster.checksum", keys.checksum(), kChecksumBytes);
}

absl::Status CheckRoster(const v1::Roster& roster, size_t num_sites) {
  HILUM_RETURN_IF_ERROR(CheckCount("roster", roster.entries_size(), num_sites));
  for (const v1::Roster::Entry& entry : roster.entries()) {
    HILUM_RETURN_IF_ERROR(CheckSite("roster", entry.site()));
    HILUM_RETURN_IF_ERROR(CheckKeys(entry.keys()));
  }
  return absl::OkStatus();
}

absl::Status CheckInbox(const v1::Inbox& inbox, size_t num_sites) {
  HILUM_RETURN_IF_ERROR(CheckCount("inbox", inbox.shares_size(), num_sites));
  for (const v1::SealedShare& share : inbox.shares()) {
    HILUM_RETURN_IF_ERROR(CheckSite("inbox", share.site()));
    HILUM_RETURN_IF_ERROR(
        CheckLength("inbox.sealed", share.sealed(), kMaxSealed));
  }
  return absl::OkStatus();
}

absl::Status CheckSurvivors(const v1::Survivors& survivors, size_t num_sites) {
  HILUM_RETURN_IF_ERROR(
      CheckCount("survivors.sites", survivors.sites_size(), num_sites));
  HILUM_RETURN_IF_ERROR(
      CheckCount("survivors.vectors", survivors.vectors_size(), num_sites));
  for (const std::string& site : survivors.sites()) {
    HILUM_RETURN_IF_ERROR(CheckSite("survivors.sites", site));
  }
  for (const v1::SurvivorVector& vector : survivors.vectors()) {
    HILUM_RETURN_IF_ERROR(
        CheckLength("survivors.sha256", vector.sha256(), kHashBytes));
    HILUM_RETURN_IF_ERROR(
        CheckLength("survivors.signature", vector.signature(), kMaxSignature));
  }
  return absl::OkStatus();
}

absl::Status CheckConfirmations(const v1::Confirmations& confirmations,
                                size_t num_sites) {
  HILUM_RETURN_IF_ERROR(
      CheckCount("confirmations", confirmations.entries_size(), num_sites));
  for (const v1::Confirmations::Entry& entry : confirmations.entries()) {
    HILUM_RETURN_IF_ERROR(CheckSite("confirmations", entry.site()));
    HILUM_RETURN_IF_ERROR(CheckLength("confirmations.signature",
                                      entry.signature(), kMaxSignature));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStepSizes(const v1::SecureStep& step, size_t num_sites) {
  // SecurePart refuses an empty id with an error about the sum.
  if (!step.sum_id().empty() && step.sum_id().size() != kHashBytes) {
    return Bad("sum_id",
               absl::StrCat(step.sum_id().size(), " bytes, not ", kHashBytes));
  }
  switch (step.shown_case()) {
    case v1::SecureStep::kRoster:
      return CheckRoster(step.roster(), num_sites);
    case v1::SecureStep::kInbox:
      return CheckInbox(step.inbox(), num_sites);
    case v1::SecureStep::kSurvivors:
      return CheckSurvivors(step.survivors(), num_sites);
    case v1::SecureStep::kConfirmations:
      return CheckConfirmations(step.confirmations(), num_sites);
    default:
      return absl::OkStatus();
  }
}

}  // namespace hilum
