// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COMMON_SECAGG_COHORT_H_
#define HILUM_TESTS_COMMON_SECAGG_COHORT_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/secure_rng.h"
#include "common/secagg/client.h"
#include "common/secagg/server.h"

namespace hilum {

// A consortium of up to 10 sites (s0, s1, ...) with certificates from one
// authority, made once.
class Consortium {
 public:
  static const Consortium& Get();
  const SiteCredentials& Of(const SiteId& site) const;
  const PeerVerifier& verifier() const { return *verifier_; }
  static SiteId Site(int i) { return SiteId("s" + std::to_string(i)); }
  static SecAggContext Context(int sites, uint32_t round = 1);

 private:
  Consortium();
  struct Member {
    std::unique_ptr<Signer> signer;
    SiteCredentials credentials;
  };
  std::unique_ptr<PeerVerifier> verifier_;
  std::map<SiteId, Member> members_;
};

// One secure sum of `sites` sites with an honest coordinator. Each site has its
// own vector; a site leaves after the step that `leaves` names.
class Cohort {
 public:
  using Step = SecAggServer::Step;

  explicit Cohort(int sites, size_t elements = 37, uint32_t round = 1);
  // `rng` outlives this object; sites draw from it in their order.
  explicit Cohort(const SecAggContext& context, size_t elements = 37,
                  SecureRng& rng = RealSecureRng());

  // `leaves[site]`: the first step it no longer answers.
  void Leave(const SiteId& site, Step step) { leaves_[site] = step; }

  // The steps, one by one, as an honest coordinator runs them.
  absl::Status AdvertiseKeys();
  absl::Status ShareKeys();
  absl::Status MaskedInput();
  absl::Status Confirm();
  absl::Status Unmask();
  // Runs all steps; returns the sum that can be read.
  absl::StatusOr<std::vector<uint32_t>> Run();

  std::vector<uint32_t> PlainSum(const std::set<SiteId>& sites) const;
  // Returns the sum of the masked vectors without the remaining masks, from the
  // server's opening, which it checks first.
  absl::StatusOr<std::vector<uint32_t>> Sum() const;
  // Returns the sum for any opening, which it does not check.
  absl::StatusOr<std::vector<uint32_t>> SumAfter(
      const v1::SumOpening& opening) const;

  const SecAggContext& context() const { return context_; }
  SecAggServer& server() { return *server_; }
  SecAggClient& client(const SiteId& site) { return *clients_.at(site); }
  // Returns the commitment to the site's own mask, as the site shared it.
  const std::string& commitment(const SiteId& site) const {
    return commitments_.at(site);
  }
  const std::map<SiteId, std::vector<uint32_t>>& masked() const {
    return masked_;
  }
  const std::map<SiteId, std::vector<uint32_t>>& plain() const {
    return plain_;
  }

 private:
  bool Stays(const SiteId& site, Step step) const;
  template <typename Answer>
  absl::Status Each(Step step, Answer answer);

  const SecAggContext context_;
  std::unique_ptr<SecAggServer> server_;
  std::map<SiteId, std::unique_ptr<SecAggClient>> clients_;
  std::map<SiteId, Step> leaves_;
  std::map<SiteId, std::string> commitments_;
  std::map<SiteId, std::vector<uint32_t>> plain_;
  std::map<SiteId, std::vector<uint32_t>> masked_;
};

// Returns the SHA-256 of a vector's words as in its file.
std::string DigestOf(const std::vector<uint32_t>& vector);

// Takes the survivor at `index` off the list.
void Remove(int index, v1::Survivors& survivors);

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_SECAGG_COHORT_H_
