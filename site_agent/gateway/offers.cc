// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/offers.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/crypto/short_hash.h"

namespace hilum {

std::set<std::string> Offers::Known() const {
  std::set<std::string> known = parts_.approvals.Offered();
  known.merge(parts_.facts.RefusedOffers());
  return known;
}

v1::NextTaskRequest Offers::Question(
    const std::set<std::string>& approved) const {
  return parts_.session.Poll(Known(), approved, parts_.approvals.Refused());
}

absl::Status Offers::Store(const SiteSession::Action& offer) {
  HILUM_RETURN_IF_ERROR(
      parts_.approvals.PutOffer(offer.study_hash, offer.study));
  parts_.log(
      absl::StrCat("study ", ToHex(offer.study_hash),
                   " is offered; see `hilum-site study show`, then `hilum-site "
                   "study approve` or `refuse`"));
  return absl::OkStatus();
}

std::string Offers::NameOf(const std::string& hash) const {
  const absl::StatusOr<std::string> bytes = parts_.approvals.Offer(hash);
  const absl::StatusOr<v1::Study> study =
      bytes.ok() ? ParseStudy(*bytes) : bytes.status();
  return study.ok() ? study->name() : "that cannot be read";
}

absl::Status Offers::RecordDecisions() {
  const Approvals& approvals = parts_.approvals;
  for (bool refused : {false, true}) {
    for (const std::string& hash :
         refused ? approvals.Refused() : approvals.Approved()) {
      if (approvals.IsRecorded(hash, refused)) continue;
      const std::string by = approvals.DecidedBy(hash, refused);
      v1::LedgerEntry entry;
      entry.set_kind(refused ? v1::LedgerEntry::REFUSED
                             : v1::LedgerEntry::APPROVED);
      entry.set_study_hash(ToHex(hash));
      if (!by.empty()) entry.set_detail(absl::StrCat("by ", by));
      HILUM_RETURN_IF_ERROR(parts_.ledger.Append(entry));
      parts_.log(absl::StrCat("study ", NameOf(hash), " (", ShortHash(hash),
                              ") is ", refused ? "refused" : "approved", " by ",
                              by.empty() ? "somebody of this site" : by,
                              refused ? "; the coordinator is told so" : ""));
      HILUM_RETURN_IF_ERROR(approvals.MarkRecorded(hash, refused));
    }
  }
  return absl::OkStatus();
}

absl::Status Offers::NoteStrangers() {
  if (told_strangers_) return absl::OkStatus();
  const size_t strangers = parts_.approvals.Strangers();
  if (strangers == 0) return absl::OkStatus();
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::GATE_REFUSED);
  entry.set_method("NextTask");
  entry.set_detail(absl::StrCat(
      strangers,
      " files in the folder studies/ were not offered to this site, "
      "or were changed since; the coordinator is not told of them"));
  HILUM_RETURN_IF_ERROR(parts_.ledger.Append(entry));
  parts_.log(entry.detail());
  told_strangers_ = true;
  return absl::OkStatus();
}

void Offers::TellRefusals() {
  v1::NextTaskRequest poll = parts_.session.Poll(parts_.approvals.Offered(), {},
                                                 parts_.approvals.Refused());
  poll.set_wait_ms(0);
  v1::NextTaskResponse answer;
  absl::Status told = RecordDecisions();
  if (told.ok()) {
    told = parts_.calls.CallOnce("NextTask", poll, &answer, kPollMargin);
  }
  if (!told.ok()) parts_.log(absl::StrCat("NextTask: ", told.message()));
}

absl::Duration Offers::AskOnce(PollPace& pace) {
  // Tells of no approved study, so that no task comes beside the running one.
  v1::NextTaskResponse answer;
  const std::set<std::string> known = Known();
  pace.Asking();
  absl::Status asked = RecordDecisions();
  if (asked.ok()) {
    const v1::NextTaskRequest poll =
        parts_.session.Poll(known, {}, parts_.approvals.Refused());
    asked =
        parts_.calls.CallOnce("NextTask", poll, &answer,
                              absl::Milliseconds(poll.wait_ms()) + kPollMargin);
  }
  if (!asked.ok() && !absl::IsCancelled(asked) && !absl::IsDataLoss(asked)) {
    return CoordinatorCalls::kLongestPause;
  }
  if (asked.ok() && answer.has_offer()) {
    const absl::StatusOr<SiteSession::Action> offer =
        parts_.session.OnAnswer(answer, {});
    asked = offer.ok() ? Store(*offer) : offer.status();
    if (!asked.ok()) parts_.log(asked.message());
  }
  return pace.After(asked, answer);
}

}  // namespace hilum
