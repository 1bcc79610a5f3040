// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/sum_site.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {

using Said = v1::SubmitSecureStepRequest;
using Shown = v1::SecureStep;

const SimulatedConsortium& TestConsortium() {
  static const SimulatedConsortium& consortium =
      *SimulatedConsortium::Create().value().release();
  return consortium;
}

const PeerVerifier& TestVerifier() {
  static const auto& any = *new SimulatedConsortium::Member(
      TestConsortium().Join(SiteId("any")).value());
  return *any.credentials.verifier;
}

SumSite::SumSite(SiteId site)
    : site_(std::move(site)),
      member_(TestConsortium().Join(site_).value()),
      rng_(1, site_.name()) {}

void SumSite::Forget() {
  client_.reset();
  sum_id_.clear();
  answers_.clear();
}

Said SumSite::Answer(const SecAggContext& context, const Shown& shown,
                     const std::vector<uint32_t>& vector,
                     const std::string& checksum) {
  if (shown.sum_id() != sum_id_ && shown.has_advertise_keys() &&
      !revealed_.contains(context.round)) {
    Forget();
    sum_id_ = shown.sum_id();
    client_ = std::make_unique<SecAggClient>(context, site_,
                                             member_.credentials, rng_);
  }
  auto before = answers_.find(shown.shown_case());
  if (before != answers_.end() && shown.sum_id() == sum_id_) {
    return before->second;
  }
  Said said;
  said.set_sum_id(shown.sum_id());
  if (shown.sum_id() != sum_id_ || !Fill(shown, vector, checksum, said).ok()) {
    said.set_leave(true);
    return said;
  }
  if (said.has_revealed()) revealed_.insert(context.round);
  answers_[shown.shown_case()] = said;
  return said;
}

absl::Status SumSite::Fill(const Shown& shown,
                           const std::vector<uint32_t>& vector,
                           const std::string& checksum, Said& said) {
  switch (shown.shown_case()) {
    case Shown::kAdvertiseKeys: {
      HILUM_ASSIGN_OR_RETURN(*said.mutable_keys(),
                             client_->AdvertiseKeys(checksum));
      return absl::OkStatus();
    }
    case Shown::kRoster: {
      HILUM_ASSIGN_OR_RETURN(*said.mutable_shares(),
                             client_->ShareKeys(shown.roster()));
      return absl::OkStatus();
    }
    case Shown::kInbox:
      return FillMasked(shown.inbox(), vector, said);
    case Shown::kSurvivors: {
      HILUM_ASSIGN_OR_RETURN(*said.mutable_confirmation(),
                             client_->Confirm(shown.survivors()));
      return absl::OkStatus();
    }
    case Shown::kConfirmations: {
      HILUM_ASSIGN_OR_RETURN(*said.mutable_revealed(),
                             client_->Unmask(shown.confirmations()));
      return absl::OkStatus();
    }
    default:
      return absl::InvalidArgumentError("no step");
  }
}

absl::Status SumSite::FillMasked(const v1::Inbox& inbox,
                                 const std::vector<uint32_t>& vector,
                                 Said& said) {
  HILUM_RETURN_IF_ERROR(client_->MaskedInput(inbox));
  masked_ = vector;
  client_->Mask(0, absl::MakeSpan(masked_));
  absl::string_view bytes(reinterpret_cast<const char*>(masked_.data()),
                          masked_.size() * sizeof(uint32_t));
  said.mutable_masked()->set_sha256(Sha256Of(bytes));
  said.mutable_masked()->set_size(bytes.size());
  said.set_vector_signature(client_->SignVector(said.masked().sha256()));
  return absl::OkStatus();
}

}  // namespace hilum
