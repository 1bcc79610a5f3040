// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/x25519.h"
#include "common/secagg/server.h"

namespace hilum {

absl::Status SecAggServer::OnKeys(const SiteId& site,
                                  const v1::RoundKeys& keys) {
  HILUM_RETURN_IF_ERROR(Expect(Step::kAdvertiseKeys, site));
  if (keys_.contains(site)) return absl::OkStatus();
  // No site can agree on a secret with such a key; shown to the others, it
  // would end the sum for each of them.
  if (!IsX25519PublicKey(keys.mask_key()) ||
      !IsX25519PublicKey(keys.share_key())) {
    return absl::InvalidArgumentError(
        "secure aggregation: a key that is none of X25519");
  }
  if (keys.question() != context_.question) {
    return absl::InvalidArgumentError(absl::StrCat(
        "secure aggregation: ", site.name(), " takes itself to be asked ",
        "another question than this coordinator asks; it may have followed ",
        "other sums, or started from other weights"));
  }
  HILUM_RETURN_IF_ERROR(verifier_.Verify(site, keys.certificate(),
                                         KeysStatement(context_, site, keys),
                                         keys.signature()));
  // A site that copies another's key must not make all others refuse the
  // roster.
  for (const auto& [other, theirs] : keys_) {
    for (const std::string& key : {theirs.mask_key(), theirs.share_key()}) {
      if (key == keys.mask_key() || key == keys.share_key()) {
        return absl::InvalidArgumentError(
            "secure aggregation: a key that another site has shown");
      }
    }
  }
  if (keys.mask_key() == keys.share_key()) {
    return absl::InvalidArgumentError(
        "secure aggregation: one key in the place of two");
  }
  keys_[site] = keys;
  answered_.insert(site);
  return absl::OkStatus();
}

void SecAggServer::MakeRoster() {
  for (const auto& [site, keys] : keys_) {
    v1::Roster::Entry& entry = *roster_.add_entries();
    entry.set_site(site.name());
    *entry.mutable_keys() = keys;
  }
  roster_hash_ = RosterHash(roster_);
}

uint32_t SecAggServer::PlaceOf(const SiteId& site) const {
  return static_cast<uint32_t>(std::distance(keys_.begin(), keys_.find(site)) +
                               1);
}

}  // namespace hilum
