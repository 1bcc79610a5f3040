// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_SECAGG_SERVER_H_
#define HILUM_COMMON_SECAGG_SERVER_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "common/secagg/shamir.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/secagg.pb.h"

namespace hilum {

// The coordinator's part in one secure sum. One object is one sum. It keeps the
// sites' messages and computes the masks on the sum of their vectors; it never
// sees a vector. No I/O.
// Life: for each step in turn the sites' messages, then Close; after kDone,
// Open. A site that has not answered when a step is closed is out of the
// following steps.
// A site's message fails with FAILED_PRECONDITION: it is for another step, or
// the site is out; INVALID_ARGUMENT or UNAUTHENTICATED: it is malformed or not
// the site's; the caller then takes the site out, and the sum goes on. Of
// repeated messages the first counts.
// Not thread-safe.
// Source: Bonawitz et al. 2017 (ePrint 2017/281), figure 4.
class SecAggServer {
 public:
  enum class Step {
    kAdvertiseKeys,
    kShareKeys,
    kMaskedInput,
    kConfirm,
    kUnmask,
    kDone,
  };

  // `verifier` outlives this object.
  SecAggServer(SecAggContext context, const PeerVerifier& verifier);

  Step step() const { return step_; }
  // The sites that may answer in this step, and those that have.
  const std::set<SiteId>& expected() const { return expected_; }
  const std::set<SiteId>& answered() const { return answered_; }
  int Threshold() const { return context_.Threshold(); }

  absl::Status OnKeys(const SiteId& site, const v1::RoundKeys& keys);
  absl::Status OnShares(const SiteId& site, const v1::SealedShares& shares);
  // Records that the site's masked vector is here and has this SHA-256, which
  // the site signed.
  absl::Status OnMaskedInput(const SiteId& site,
                             const std::string& vector_sha256,
                             const std::string& signature);
  absl::Status OnConfirmation(const SiteId& site,
                              const v1::Confirmation& confirmation);
  absl::Status OnRevealed(const SiteId& site, const v1::RevealedShares& shares);

  // Goes on to the next step with the sites that have answered. ABORTED: they
  // are fewer than the threshold; the sum is lost, and nobody can read any of
  // it.
  absl::Status Close();

  // Messages to a site in ShareKeys, MaskedInput, Confirm and Unmask.
  const v1::Roster& roster() const { return roster_; }
  v1::Inbox InboxFor(const SiteId& site) const;
  v1::Survivors SurvivorsMessage() const;
  const v1::Confirmations& confirmations() const { return confirmations_; }
  // Returns the sites whose vectors are in the sum; from kConfirm on.
  const std::set<SiteId>& survivors() const { return survivors_; }

  // Returns, after kDone, all values that open the sum
  // (common/secagg/opening.h), except those that the coordinator alone knows:
  // round, kind, chain, sizes, the sum. FAILED_PRECONDITION: the sum is lost,
  // or not done. DATA_LOSS: sites revealed more wrong shares than the right
  // ones can make up for.
  absl::StatusOr<v1::SumOpening> Open() const;

 private:
  // Each step has its own file, server_<step>.cc.
  absl::Status Expect(Step step, const SiteId& site) const;
  void MakeRoster();
  absl::Status CheckShares(const SiteId& site,
                           const v1::SealedShares& shares) const;
  absl::Status CheckRevealed(const v1::RevealedShares& shares) const;
  uint32_t PlaceOf(const SiteId& site) const;  // place in the roster, from 1
  // Returns the secret that `fits`; `shares` may hold wrong ones.
  template <typename Fits>
  absl::StatusOr<SecretBytes> Recover(const std::vector<Share>& shares,
                                      const SiteId& site, Fits fits) const;
  absl::StatusOr<std::string> SelfMask(const SiteId& site) const;
  absl::StatusOr<std::string> MaskKey(const SiteId& lost) const;
  std::map<SiteId, SurvivorClaim> Claims() const;  // of the survivors

  const SecAggContext context_;
  const PeerVerifier& verifier_;
  Step step_ = Step::kAdvertiseKeys;
  bool lost_ = false;  // fewer than the threshold were left
  std::set<SiteId> expected_;
  std::set<SiteId> answered_;

  std::map<SiteId, v1::RoundKeys> keys_;
  v1::Roster roster_;
  std::string roster_hash_;
  std::map<SiteId, v1::SealedShares> shares_;
  std::set<SiteId> sharers_;    // U2
  std::set<SiteId> survivors_;  // U3
  std::map<SiteId, v1::SurvivorVector> vectors_;
  std::map<SiteId, std::string> signatures_;
  v1::Confirmations confirmations_;
  // Keyed by the site whose secret is shared.
  std::map<SiteId, std::vector<Share>> revealed_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_SERVER_H_
