// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_SECAGG_CLIENT_H_
#define HILUM_COMMON_SECAGG_CLIENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/secret.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/x25519.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "common/secagg/mask.h"
#include "common/secagg/shamir.h"
#include "hilum/v1/secagg.pb.h"

namespace hilum {

// A site's part in one secure sum, against a coordinator that may do anything
// but forge a signature. One object is one sum: its keys are made with it and
// wiped with it, and it reveals shares once. No I/O.
// Life: AdvertiseKeys ShareKeys MaskedInput Mask* SignVector Confirm Unmask,
// each once. To leave the sum, a site destroys the object at any point.
// Each step fails with
//   FAILED_PRECONDITION: out of order, or a second time;
//   INVALID_ARGUMENT: the coordinator's message is malformed;
//   PERMISSION_DENIED: the step would reveal a site's secrets (too few sites, a
//     stranger, a site that was asked another question, a key shown twice,
//     another list of survivors, signatures over another list): do not trust
//     the coordinator with this study.
// After any failure the object takes no further step.
// Not thread-safe.
// Source: Bonawitz et al. 2017 (ePrint 2017/281), figure 4, the variant
// against active adversaries.
class SecAggClient {
 public:
  // All references outlive this object. `self` is in the context's cohort.
  SecAggClient(SecAggContext context, SiteId self,
               const SiteCredentials& credentials, SecureRng& rng);

  // `checksum`: checksum of this site's vector in the last sum
  // (RoundKeys.checksum); empty: it gave none.
  absl::StatusOr<v1::RoundKeys> AdvertiseKeys(absl::string_view checksum = {});

  // Takes U1 in the paper. Checks the signature of every other entry.
  absl::StatusOr<v1::SealedShares> ShareKeys(const v1::Roster& roster);

  // Takes U2, without this site.
  absl::Status MaskedInput(const v1::Inbox& inbox);
  // Masks the vector in place, block after block from its start. Each element
  // is masked once, since two vectors under one mask reveal their difference.
  // first_element is the end of the last block; it is a multiple of 4 for all
  // blocks but the last.
  void Mask(uint64_t first_element, absl::Span<uint32_t> values);

  // Returns the signature over the masked vector's SHA-256, 32 bytes. Call
  // after Mask.
  std::string SignVector(absl::string_view vector_sha256);

  // Takes U3. Only the first list is ever confirmed. Checks every survivor's
  // signature over its vector.
  absl::StatusOr<v1::Confirmation> Confirm(const v1::Survivors& survivors);

  // Takes U4: t or more signatures over the list that this site confirmed.
  absl::StatusOr<v1::RevealedShares> Unmask(
      const v1::Confirmations& confirmations);

 private:
  enum class Step {
    kAdvertiseKeys,
    kShareKeys,
    kMaskedInput,
    kMask,
    kConfirm,
    kUnmask,
    kDone,
  };
  struct Peer {
    v1::RoundKeys keys;
    uint32_t x = 0;  // for its shares: its place in the roster, from 1
    // Shares that the peer sent to this site; empty until MaskedInput, and for
    // good where the message could not be opened.
    SecretBytes self_mask_share;
    SecretBytes mask_key_share;
  };

  // Returns FAILED_PRECONDITION unless `step` is next; the object counts as
  // failed until Finish.
  absl::Status Begin(Step step);
  void Finish(Step next) { step_ = next; }

  // Each phase has its own file, client_<phase>.cc.
  absl::Status CheckRoster(const v1::Roster& roster) const;
  absl::Status CheckEntry(const v1::Roster::Entry& entry) const;
  absl::StatusOr<v1::SealedShare> Seal(const SiteId& recipient,
                                       const Share& self_mask,
                                       const Share& mask_key) const;
  void Open(const SiteId& sender, const std::string& sealed, Peer& peer) const;
  void KeepOwnShares(const Share& self_mask, const Share& mask_key);
  absl::Status MakeMasks();
  absl::Status CheckSurvivors(const std::set<SiteId>& survivors) const;
  absl::Status CheckVector(const SiteId& site,
                           const v1::SurvivorVector& vector) const;
  std::string OwnStatement() const;

  const SecAggContext context_;
  const SiteId self_;
  const SiteCredentials& credentials_;
  SecureRng& rng_;
  Step step_ = Step::kAdvertiseKeys;

  std::optional<X25519KeyPair> mask_key_;
  std::optional<X25519KeyPair> share_key_;
  SecretBytes self_mask_;  // 32 bytes, shared as the own mask's secret
  v1::RoundKeys own_keys_;
  std::string roster_hash_;
  std::map<SiteId, Peer> roster_;           // with this site
  std::set<SiteId> sharers_;                // U2
  std::set<SiteId> survivors_;              // U3
  std::map<SiteId, SurvivorClaim> claims_;  // of the survivors
  SurvivorClaim own_claim_;
  std::vector<MaskStream> masks_;  // between MaskedInput and Confirm
  uint64_t masked_elements_ = 0;
};

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_CLIENT_H_
