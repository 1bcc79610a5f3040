// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/aes_gcm.h"
#include "common/crypto/sha256.h"
#include "common/secagg/client.h"
#include "common/secagg/derive.h"

namespace hilum {
namespace {

// The key is used once, so the nonce may be zero.
constexpr char kNonce[kGcmNonceSize] = {};

absl::string_view BytesOf(const SecretBytes& secret) {
  absl::Span<const uint8_t> bytes = secret.ExposeBytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

absl::Status Untrusted(absl::string_view why) {
  return absl::PermissionDeniedError(
      absl::StrCat("secure aggregation: the coordinator's roster ", why));
}

}  // namespace

absl::Status SecAggClient::CheckEntry(const v1::Roster::Entry& entry) const {
  const SiteId site(entry.site());
  if (!context_.cohort.contains(site)) {
    return Untrusted(
        absl::StrCat("names ", site.name(), ", which is not of the study"));
  }
  if (site == self_) {
    if (entry.keys().mask_key() == own_keys_.mask_key() &&
        entry.keys().share_key() == own_keys_.share_key() &&
        entry.keys().checksum() == own_keys_.checksum()) {
      return absl::OkStatus();
    }
    return Untrusted("has other keys for this site than it gave");
  }
  SecAggContext asked = context_;
  asked.question = entry.keys().question();
  absl::Status signature = credentials_.verifier->Verify(
      site, entry.keys().certificate(),
      KeysStatement(asked, site, entry.keys()), entry.keys().signature());
  if (!signature.ok()) {
    return Untrusted(absl::StrCat("has keys that ", site.name(),
                                  " did not sign: ", signature.message()));
  }
  if (asked.question == context_.question) return absl::OkStatus();
  return Untrusted(absl::StrCat(
      "shows that ", site.name(), " was asked something else than this site: ",
      "it signed question ", ToHex(asked.question), " with ",
      ToHex(entry.keys().signature()), ", this site question ",
      ToHex(context_.question), " with ", ToHex(own_keys_.signature())));
}

absl::Status SecAggClient::CheckRoster(const v1::Roster& roster) const {
  HILUM_ASSIGN_OR_RETURN(std::set<SiteId> sites, SitesOf(roster.entries()));
  if (!sites.contains(self_)) return Untrusted("does not name this site");
  if (static_cast<int>(sites.size()) < context_.LeastSurvivors()) {
    return Untrusted(absl::StrCat("has ", sites.size(), " sites, of at least ",
                                  context_.LeastSurvivors()));
  }
  std::set<std::string> keys;
  for (const v1::Roster::Entry& entry : roster.entries()) {
    HILUM_RETURN_IF_ERROR(CheckEntry(entry));
    keys.insert(entry.keys().mask_key());
    keys.insert(entry.keys().share_key());
  }
  if (keys.size() == 2 * sites.size()) return absl::OkStatus();
  return Untrusted("shows one key twice");
}

absl::StatusOr<v1::SealedShare> SecAggClient::Seal(
    const SiteId& recipient, const Share& self_mask,
    const Share& mask_key) const {
  HILUM_ASSIGN_OR_RETURN(
      SecretBytes key,
      SealingKey(context_, roster_hash_, *share_key_,
                 roster_.at(recipient).keys.share_key(), self_, recipient));
  SecretBytes plain =
      SecretBytes::FilledBy(2 * kShareSize, [&](absl::Span<uint8_t> bytes) {
        absl::Span<const uint8_t> first = self_mask.y.ExposeBytes();
        absl::Span<const uint8_t> second = mask_key.y.ExposeBytes();
        std::copy(first.begin(), first.end(), bytes.begin());
        std::copy(second.begin(), second.end(), bytes.begin() + kShareSize);
      });
  v1::SealedShare sealed;
  sealed.set_site(recipient.name());
  sealed.set_sealed(SealAes256Gcm(key, absl::string_view(kNonce, kGcmNonceSize),
                                  BytesOf(plain), roster_hash_));
  return sealed;
}

void SecAggClient::KeepOwnShares(const Share& self_mask,
                                 const Share& mask_key) {
  Peer& self = roster_.at(self_);
  self.self_mask_share = self_mask.y.Copy();
  self.mask_key_share = mask_key.y.Copy();
}

absl::StatusOr<v1::SealedShares> SecAggClient::ShareKeys(
    const v1::Roster& roster) {
  HILUM_RETURN_IF_ERROR(Begin(Step::kShareKeys));
  HILUM_RETURN_IF_ERROR(CheckRoster(roster));
  roster_hash_ = RosterHash(roster);
  for (const v1::Roster::Entry& entry : roster.entries()) {
    Peer& peer = roster_[SiteId(entry.site())];
    peer.keys = entry.keys();
    peer.x = static_cast<uint32_t>(roster_.size());
  }
  self_mask_ = SecretBytes::Random(rng_, kSharedSecretSize);
  const int sites = static_cast<int>(roster_.size());
  HILUM_ASSIGN_OR_RETURN(
      std::vector<Share> self_mask,
      SplitSecret(self_mask_, context_.Threshold(), sites, rng_));
  HILUM_ASSIGN_OR_RETURN(
      std::vector<Share> mask_key,
      SplitSecret(mask_key_->private_key(), context_.Threshold(), sites, rng_));
  v1::SealedShares message;
  for (const auto& [site, peer] : roster_) {
    const size_t i = peer.x - 1;
    if (site == self_) {
      KeepOwnShares(self_mask[i], mask_key[i]);
      continue;
    }
    HILUM_ASSIGN_OR_RETURN(*message.add_shares(),
                           Seal(site, self_mask[i], mask_key[i]));
  }
  own_claim_.self_mask_commitment =
      SelfMaskCommitment(context_, self_, BytesOf(self_mask_));
  message.set_self_mask_commitment(own_claim_.self_mask_commitment);
  Finish(Step::kMaskedInput);
  return message;
}

}  // namespace hilum
