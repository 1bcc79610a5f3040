// SPDX-License-Identifier: Apache-2.0
#include "coordinator/secure_sum.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/secagg/mask.h"
#include "common/secagg/opening.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using Step = SecAggServer::Step;

Step StepOf(const Said& said) {
  switch (said.said_case()) {
    case Said::kKeys:
      return Step::kAdvertiseKeys;
    case Said::kShares:
      return Step::kShareKeys;
    case Said::kMasked:
      return Step::kMaskedInput;
    case Said::kConfirmation:
      return Step::kConfirm;
    case Said::kRevealed:
      return Step::kUnmask;
    default:
      return Step::kDone;
  }
}

absl::string_view NameOf(Step step) {
  switch (step) {
    case Step::kAdvertiseKeys:
      return "AdvertiseKeys";
    case Step::kShareKeys:
      return "ShareKeys";
    case Step::kMaskedInput:
      return "MaskedInput";
    case Step::kConfirm:
      return "Confirm";
    case Step::kUnmask:
      return "Unmask";
    case Step::kDone:
      return "its end";
  }
  return "";
}

}  // namespace

SecureSum::SecureSum(Options options, const PeerVerifier& verifier)
    : options_(std::move(options)), server_(options_.context, verifier) {
  record_.set_round(options_.context.round);
  record_.set_sum_id(options_.id);
}

bool SecureSum::Waits(const SiteId& site) const {
  return step() != Step::kDone && server_.expected().contains(site) &&
         !server_.answered().contains(site) && !left_.contains(site);
}

bool SecureSum::HasAnswer(const SiteId& site) const {
  return server_.answered().contains(site) && !left_.contains(site);
}

std::vector<SiteId> SecureSum::waiting() const {
  std::vector<SiteId> waiting;
  for (const SiteId& site : server_.expected()) {
    if (Waits(site)) waiting.push_back(site);
  }
  return waiting;
}

v1::SecureStep SecureSum::StepFor(const SiteId& site) const {
  v1::SecureStep shown;
  shown.set_sum_id(options_.id);
  switch (step()) {
    case Step::kAdvertiseKeys:
      shown.mutable_advertise_keys();
      break;
    case Step::kShareKeys:
      *shown.mutable_roster() = server_.roster();
      break;
    case Step::kMaskedInput:
      *shown.mutable_inbox() = server_.InboxFor(site);
      break;
    case Step::kConfirm:
      *shown.mutable_survivors() = server_.SurvivorsMessage();
      break;
    case Step::kUnmask:
      *shown.mutable_confirmations() = server_.confirmations();
      break;
    case Step::kDone:
      break;
  }
  return shown;
}

absl::Status SecureSum::Pass(const SiteId& site, const Said& said) {
  switch (said.said_case()) {
    case Said::kKeys:
      return server_.OnKeys(site, said.keys());
    case Said::kShares:
      return server_.OnShares(site, said.shares());
    case Said::kMasked:
      return server_.OnMaskedInput(site, said.masked().sha256(),
                                   said.vector_signature());
    case Said::kConfirmation:
      return server_.OnConfirmation(site, said.confirmation());
    case Said::kRevealed:
      return server_.OnRevealed(site, said.revealed());
    default:
      return absl::InvalidArgumentError(
          "secure aggregation: an answer that says nothing");
  }
}

absl::Status SecureSum::On(const SiteId& site, const Said& said) {
  if (said.sum_id() != options_.id || left_.contains(site)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "secure aggregation: ", site.name(), " is not of the sum that is ",
        "open in round ", options_.context.round));
  }
  if (said.said_case() == Said::kLeave) {
    Leave(site);
    return absl::OkStatus();
  }
  const bool repeated = server_.answered().contains(site);
  absl::Status status = Pass(site, said);
  if (absl::IsInvalidArgument(status) || absl::IsUnauthenticated(status)) {
    Leave(site);
  }
  if (!status.ok() || repeated) return status;
  if (said.has_masked()) vectors_[site] = said.masked();
  if (step() != Step::kUnmask) {
    v1::SecureSumRecord::Entry& entry = *record_.add_entries();
    entry.set_site(site.name());
    *entry.mutable_said() = said;
  }
  return status;
}

void SecureSum::Leave(const SiteId& site) { left_.insert(site); }

void SecureSum::Touch(absl::Time now) {
  if (step() != Step::kMaskedInput) return;
  step_deadline_ = now + options_.step_deadline;
}

// Sites whose vectors are in are in the sum; from there on only the protocol's
// threshold counts.
size_t SecureSum::Needed() const {
  const size_t threshold = static_cast<size_t>(server_.Threshold());
  return step() > Step::kMaskedInput
             ? threshold
             : std::max<size_t>(threshold, options_.minimum_sites);
}

void SecureSum::Close(absl::Time now) {
  const Step closed = step();
  const size_t answered = server_.answered().size(), needed = Needed();
  absl::Status status = server_.Close();
  if (status.ok() && answered < needed) {
    status = absl::AbortedError(
        absl::StrCat(answered, " sites are left, the study asks for ", needed));
  }
  step_deadline_ = now + options_.step_deadline;
  if (status.ok()) return;
  lost_ = true;
  reason_ = absl::StrCat("in step ", NameOf(closed), ": ", status.message());
}

void SecureSum::Begin(absl::Time now) { Close(now); }

SecureSum::State SecureSum::Advance(absl::Time now, absl::Time last) {
  while (!lost_ && step() != Step::kDone) {
    const size_t awaited = waiting().size();
    const size_t answered = server_.answered().size();
    const size_t needed = Needed();
    const bool unmasks = step() == Step::kUnmask;
    const absl::Time until =
        unmasks && answered < needed ? last : std::min(step_deadline_, last);
    if (awaited > 0 && answered + awaited >= needed && now < until) {
      wake_ = until;
      return State::kOpen;
    }
    Close(now);
    if (lost_ && unmasks) return State::kLostRevealed;
  }
  return lost_ ? State::kLost : State::kDone;
}

absl::StatusOr<v1::SumOpening> SecureSum::Open() const {
  HILUM_ASSIGN_OR_RETURN(v1::SumOpening opening, server_.Open());
  opening.set_round(options_.context.round);
  for (v1::SumOpening::Survivor& survivor : *opening.mutable_survivors()) {
    *survivor.mutable_vector() = vectors_.at(SiteId(survivor.site()));
  }
  return opening;
}

absl::StatusOr<VectorMask> SecureSum::Unmask(
    const v1::SumOpening& opening) const {
  HILUM_ASSIGN_OR_RETURN(std::vector<MaskStream> streams,
                         LeftoverMasks(options_.context, opening));
  // Shared by all copies of the std::function.
  auto shared = std::make_shared<std::vector<MaskStream>>(std::move(streams));
  return [shared](uint64_t first_element, absl::Span<uint32_t> values) {
    ApplyMaskStreams(absl::MakeSpan(*shared), first_element, values);
  };
}

absl::Status SecureSum::Replay(const v1::SecureSumRecord& record,
                               absl::Time now) {
  for (const v1::SecureSumRecord::Entry& entry : record.entries()) {
    while (!lost_ && step() < StepOf(entry.said())) Close(now);
    HILUM_RETURN_IF_ERROR(On(SiteId(entry.site()), entry.said()));
  }
  while (!lost_ && step() < Step::kUnmask) Close(now);
  if (!lost_) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("no record of a sum that can be read: ", reason_));
}

}  // namespace hilum
