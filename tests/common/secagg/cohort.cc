// SPDX-License-Identifier: Apache-2.0
#include "tests/common/secagg/cohort.h"

#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/secagg/chain.h"
#include "common/secagg/opening.h"

namespace hilum {

Consortium::Consortium() {
  const absl::Time now = RealClock().Now();
  Authority authority = MakeAuthority("lungs", now).value();
  verifier_ = std::make_unique<PeerVerifier>(authority.certificate_pem, "lungs",
                                             RealClock());
  for (int i = 0; i < 10; ++i) {
    Request request = MakeRequest({.site = Site(i).name()}).value();
    Member& member = members_[Site(i)];
    member.signer = std::make_unique<Signer>(
        Signer::Create(request.private_key_pem).value());
    member.credentials = {
        .certificate_pem =
            SignRequest(authority, request.request_pem, 1, now).value(),
        .signer = member.signer.get(),
        .verifier = verifier_.get()};
  }
}

const Consortium& Consortium::Get() {
  static const Consortium& consortium = *new Consortium;
  return consortium;
}

const SiteCredentials& Consortium::Of(const SiteId& site) const {
  return members_.at(site).credentials;
}

SecAggContext Consortium::Context(int sites, uint32_t round) {
  SecAggContext context{.study_hash = std::string(32, 'h'),
                        .round = round,
                        .question = std::string(32, 'q')};
  for (int i = 0; i < sites; ++i) context.cohort.insert(Site(i));
  return context;
}

Cohort::Cohort(int sites, size_t elements, uint32_t round)
    : Cohort(Consortium::Context(sites, round), elements) {}

Cohort::Cohort(const SecAggContext& context, size_t elements, SecureRng& rng)
    : context_(context),
      server_(std::make_unique<SecAggServer>(context,
                                             Consortium::Get().verifier())) {
  for (const SiteId& site : context.cohort) {
    clients_[site] = std::make_unique<SecAggClient>(
        context, site, Consortium::Get().Of(site), rng);
    Rng values(context.round, site.name());
    for (size_t e = 0; e < elements; ++e) {
      plain_[site].push_back(static_cast<uint32_t>(values.Next()));
    }
  }
}

bool Cohort::Stays(const SiteId& site, Step step) const {
  auto leaves = leaves_.find(site);
  return leaves == leaves_.end() || leaves->second > step;
}

template <typename Answer>
absl::Status Cohort::Each(Step step, Answer answer) {
  const std::set<SiteId> expected = server_->expected();
  for (const SiteId& site : expected) {
    if (Stays(site, step)) HILUM_RETURN_IF_ERROR(answer(site));
  }
  return server_->Close();
}

absl::Status Cohort::AdvertiseKeys() {
  return Each(Step::kAdvertiseKeys, [&](const SiteId& site) -> absl::Status {
    HILUM_ASSIGN_OR_RETURN(v1::RoundKeys keys, client(site).AdvertiseKeys());
    return server_->OnKeys(site, keys);
  });
}

absl::Status Cohort::ShareKeys() {
  return Each(Step::kShareKeys, [&](const SiteId& site) -> absl::Status {
    HILUM_ASSIGN_OR_RETURN(v1::SealedShares shares,
                           client(site).ShareKeys(server_->roster()));
    commitments_[site] = shares.self_mask_commitment();
    return server_->OnShares(site, shares);
  });
}

absl::Status Cohort::MaskedInput() {
  return Each(Step::kMaskedInput, [&](const SiteId& site) -> absl::Status {
    HILUM_RETURN_IF_ERROR(client(site).MaskedInput(server_->InboxFor(site)));
    std::vector<uint32_t>& vector = masked_[site] = plain_.at(site);
    // Masks in blocks, as for a long vector.
    for (size_t at = 0; at < vector.size(); at += 16) {
      client(site).Mask(at, absl::MakeSpan(vector).subspan(
                                at, std::min<size_t>(16, vector.size() - at)));
    }
    const std::string digest = DigestOf(vector);
    return server_->OnMaskedInput(site, digest,
                                  client(site).SignVector(digest));
  });
}

absl::Status Cohort::Confirm() {
  return Each(Step::kConfirm, [&](const SiteId& site) -> absl::Status {
    HILUM_ASSIGN_OR_RETURN(v1::Confirmation confirmation,
                           client(site).Confirm(server_->SurvivorsMessage()));
    return server_->OnConfirmation(site, confirmation);
  });
}

absl::Status Cohort::Unmask() {
  return Each(Step::kUnmask, [&](const SiteId& site) -> absl::Status {
    HILUM_ASSIGN_OR_RETURN(v1::RevealedShares revealed,
                           client(site).Unmask(server_->confirmations()));
    return server_->OnRevealed(site, revealed);
  });
}

absl::StatusOr<std::vector<uint32_t>> Cohort::Sum() const {
  HILUM_ASSIGN_OR_RETURN(v1::SumOpening opening, server_->Open());
  HILUM_RETURN_IF_ERROR(
      CheckOpening(context_, Consortium::Get().verifier(), opening));
  return SumAfter(opening);
}

absl::StatusOr<std::vector<uint32_t>> Cohort::SumAfter(
    const v1::SumOpening& opening) const {
  std::vector<uint32_t> sum(plain_.begin()->second.size());
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    const std::vector<uint32_t>& vector = masked_.at(SiteId(survivor.site()));
    for (size_t e = 0; e < sum.size(); ++e) sum[e] += vector[e];
  }
  HILUM_ASSIGN_OR_RETURN(std::vector<MaskStream> masks,
                         LeftoverMasks(context_, opening));
  ApplyMaskStreams(absl::MakeSpan(masks), 0, absl::MakeSpan(sum));
  return sum;
}

std::vector<uint32_t> Cohort::PlainSum(const std::set<SiteId>& sites) const {
  std::vector<uint32_t> sum(plain_.begin()->second.size());
  for (const SiteId& site : sites) {
    for (size_t e = 0; e < sum.size(); ++e) sum[e] += plain_.at(site)[e];
  }
  return sum;
}

absl::StatusOr<std::vector<uint32_t>> Cohort::Run() {
  HILUM_RETURN_IF_ERROR(AdvertiseKeys());
  HILUM_RETURN_IF_ERROR(ShareKeys());
  HILUM_RETURN_IF_ERROR(MaskedInput());
  HILUM_RETURN_IF_ERROR(Confirm());
  HILUM_RETURN_IF_ERROR(Unmask());
  return Sum();
}

std::string DigestOf(const std::vector<uint32_t>& vector) {
  return DigestOfWords(vector);
}

void Remove(int index, v1::Survivors& survivors) {
  survivors.mutable_sites()->DeleteSubrange(index, 1);
  survivors.mutable_vectors()->DeleteSubrange(index, 1);
}

}  // namespace hilum
