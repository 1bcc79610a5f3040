// SPDX-License-Identifier: Apache-2.0
#include "common/base/status_macros.h"
#include "common/secagg/client.h"

namespace hilum {

absl::StatusOr<v1::RoundKeys> SecAggClient::AdvertiseKeys(
    absl::string_view checksum) {
  HILUM_RETURN_IF_ERROR(Begin(Step::kAdvertiseKeys));
  mask_key_.emplace(X25519KeyPair::Generate(rng_));
  share_key_.emplace(X25519KeyPair::Generate(rng_));
  own_keys_.set_mask_key(mask_key_->public_key());
  own_keys_.set_share_key(share_key_->public_key());
  own_keys_.set_question(context_.question);
  own_keys_.set_checksum(checksum.data(), checksum.size());
  own_keys_.set_certificate(credentials_.certificate_pem);
  own_keys_.set_signature(
      credentials_.signer->Sign(KeysStatement(context_, self_, own_keys_)));
  Finish(Step::kShareKeys);
  return own_keys_;
}

}  // namespace hilum
