// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/x25519.h"
#include "common/secagg/server.h"

namespace hilum {
namespace {

absl::string_view BytesOf(const SecretBytes& secret) {
  absl::Span<const uint8_t> bytes = secret.ExposeBytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

absl::Status SecAggServer::CheckRevealed(
    const v1::RevealedShares& shares) const {
  HILUM_ASSIGN_OR_RETURN(std::set<SiteId> sites, SitesOf(shares.shares()));
  for (const v1::RevealedShare& share : shares.shares()) {
    const SiteId site(share.site());
    if (!sharers_.contains(site) ||
        share.self_mask() != survivors_.contains(site) ||
        share.share().size() != kShareSize) {
      return absl::InvalidArgumentError(
          "secure aggregation: a share that was not asked for, or of another "
          "size");
    }
  }
  return absl::OkStatus();
}

absl::Status SecAggServer::OnRevealed(const SiteId& site,
                                      const v1::RevealedShares& shares) {
  HILUM_RETURN_IF_ERROR(Expect(Step::kUnmask, site));
  if (answered_.contains(site)) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(CheckRevealed(shares));
  for (const v1::RevealedShare& share : shares.shares()) {
    revealed_[SiteId(share.site())].push_back(
        {.x = PlaceOf(site),
         .y = SecretBytes::FromBytes(absl::MakeSpan(
             reinterpret_cast<const uint8_t*>(share.share().data()),
             share.share().size()))});
  }
  answered_.insert(site);
  return absl::OkStatus();
}

template <typename Fits>
absl::StatusOr<SecretBytes> SecAggServer::Recover(
    const std::vector<Share>& shares, const SiteId& site, Fits fits) const {
  const size_t threshold = static_cast<size_t>(context_.Threshold());
  // Tries runs of t shares, cyclically: one of them leaves out all wrong shares
  // as long as the right ones stand together.
  for (size_t first = 0; first < shares.size(); ++first) {
    if (shares.size() < threshold) break;
    std::vector<const Share*> run;
    for (size_t i = 0; i < threshold; ++i) {
      run.push_back(&shares[(first + i) % shares.size()]);
    }
    absl::StatusOr<SecretBytes> secret =
        CombineShares(absl::MakeConstSpan(run), context_.Threshold());
    if (secret.ok() && fits(*secret)) return secret;
  }
  return absl::DataLossError(absl::StrCat(
      "secure aggregation: what the sites revealed of ", site.name(), " (",
      shares.size(), " shares) does not give its secret"));
}

absl::StatusOr<std::string> SecAggServer::SelfMask(const SiteId& site) const {
  const std::string& commitment = shares_.at(site).self_mask_commitment();
  HILUM_ASSIGN_OR_RETURN(
      SecretBytes secret,
      Recover(revealed_.at(site), site, [&](const SecretBytes& found) {
        return SelfMaskCommitment(context_, site, BytesOf(found)) == commitment;
      }));
  return std::string(BytesOf(secret));
}

absl::StatusOr<std::string> SecAggServer::MaskKey(const SiteId& lost) const {
  HILUM_ASSIGN_OR_RETURN(
      SecretBytes secret,
      Recover(revealed_.at(lost), lost, [&](const SecretBytes& found) {
        absl::StatusOr<X25519KeyPair> key = X25519KeyPair::FromPrivate(found);
        return key.ok() && key->public_key() == keys_.at(lost).mask_key();
      }));
  return std::string(BytesOf(secret));
}

absl::StatusOr<v1::SumOpening> SecAggServer::Open() const {
  if (lost_ || step_ != Step::kDone) {
    return absl::FailedPreconditionError(
        "secure aggregation: there is no sum to read");
  }
  v1::SumOpening opening;
  *opening.mutable_roster() = roster_;
  *opening.mutable_confirmations() = confirmations_;
  for (const SiteId& site : sharers_) {
    opening.add_sharers(site.name());
    if (!revealed_.contains(site)) {
      return absl::DataLossError(absl::StrCat(
          "secure aggregation: nobody revealed a share of ", site.name()));
    }
    if (!survivors_.contains(site)) {
      v1::SumOpening::Lost& lost = *opening.add_lost();
      lost.set_site(site.name());
      HILUM_ASSIGN_OR_RETURN(*lost.mutable_mask_key(), MaskKey(site));
      continue;
    }
    const v1::SurvivorVector& vector = vectors_.at(site);
    v1::SumOpening::Survivor& survivor = *opening.add_survivors();
    survivor.set_site(site.name());
    survivor.mutable_vector()->set_sha256(vector.sha256());
    survivor.set_signature(vector.signature());
    survivor.set_self_mask_commitment(vector.self_mask_commitment());
    HILUM_ASSIGN_OR_RETURN(*survivor.mutable_self_mask(), SelfMask(site));
  }
  return opening;
}

}  // namespace hilum
