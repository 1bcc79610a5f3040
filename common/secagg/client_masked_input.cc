// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/crypto/aes_gcm.h"
#include "common/secagg/client.h"
#include "common/secagg/derive.h"

namespace hilum {

// Opens a peer's sealed shares. A message that does not open was spoilt by its
// sender: the sum loses this one share only.
void SecAggClient::Open(const SiteId& sender, const std::string& sealed,
                        Peer& peer) const {
  constexpr char kNonce[kGcmNonceSize] = {};
  absl::StatusOr<SecretBytes> key =
      SealingKey(context_, roster_hash_, *share_key_, peer.keys.share_key(),
                 sender, self_);
  if (!key.ok()) return;
  absl::StatusOr<SecretBytes> plain = OpenAes256Gcm(
      *key, absl::string_view(kNonce, kGcmNonceSize), sealed, roster_hash_);
  if (!plain.ok() || plain->size() != 2 * kShareSize) return;
  absl::Span<const uint8_t> bytes = plain->ExposeBytes();
  peer.self_mask_share = SecretBytes::FromBytes(bytes.first(kShareSize));
  peer.mask_key_share = SecretBytes::FromBytes(bytes.subspan(kShareSize));
}

absl::Status SecAggClient::MakeMasks() {
  masks_.emplace_back(SelfMaskSeed(context_, self_mask_), MaskSign::kAdd);
  for (const SiteId& site : sharers_) {
    if (site == self_) continue;
    HILUM_ASSIGN_OR_RETURN(
        SecretBytes seed,
        PairwiseMaskSeed(context_, roster_hash_, *mask_key_,
                         roster_.at(site).keys.mask_key(), self_, site));
    masks_.emplace_back(seed, PairwiseSign(self_, site));
  }
  return absl::OkStatus();
}

absl::Status SecAggClient::MaskedInput(const v1::Inbox& inbox) {
  HILUM_RETURN_IF_ERROR(Begin(Step::kMaskedInput));
  HILUM_ASSIGN_OR_RETURN(sharers_, SitesOf(inbox.shares()));
  if (!sharers_.insert(self_).second) {
    return absl::InvalidArgumentError(
        "secure aggregation: this site is shown a share of itself");
  }
  if (static_cast<int>(sharers_.size()) < context_.LeastSurvivors()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "secure aggregation: only ", sharers_.size(),
        " sites have shared, of at least ", context_.LeastSurvivors()));
  }
  for (const v1::SealedShare& share : inbox.shares()) {
    auto peer = roster_.find(SiteId(share.site()));
    if (peer == roster_.end()) {
      return absl::PermissionDeniedError(
          absl::StrCat("secure aggregation: a share of ", share.site(),
                       ", which is not in the roster"));
    }
    Open(peer->first, share.sealed(), peer->second);
  }
  HILUM_RETURN_IF_ERROR(MakeMasks());
  Finish(Step::kMask);
  return absl::OkStatus();
}

void SecAggClient::Mask(uint64_t first_element, absl::Span<uint32_t> values) {
  HILUM_CHECK(step_ == Step::kMask && first_element == masked_elements_);
  ApplyMaskStreams(absl::MakeSpan(masks_), first_element, values);
  masked_elements_ += values.size();
}

std::string SecAggClient::SignVector(absl::string_view vector_sha256) {
  HILUM_CHECK(step_ == Step::kMask);
  own_claim_.vector_sha256 = std::string(vector_sha256);
  return credentials_.signer->Sign(
      VectorStatement(context_, self_, roster_hash_, sharers_,
                      own_claim_.self_mask_commitment, vector_sha256));
}

}  // namespace hilum
