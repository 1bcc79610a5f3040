// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SUM_SITE_H_
#define HILUM_TESTS_COORDINATOR_SUM_SITE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/secagg/client.h"
#include "hilum/v1/federation.pb.h"
#include "sim/simulated_consortium.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {

// Returns one consortium for all tests of this program.
const SimulatedConsortium& TestConsortium();
const PeerVerifier& TestVerifier();

// One site's part in masked sums, one after the other, with a SecAggClient for
// each. It answers a repeated message with its first answer; where it has
// revealed shares in a round, it takes part in no other sum of that round.
class SumSite {
 public:
  explicit SumSite(SiteId site);

  // Returns the answer: a `leave` where the client refuses, or where its keys
  // of the sum are gone. The request lacks its header. `vector` is masked and
  // sent, `checksum` goes with the keys.
  v1::SubmitSecureStepRequest Answer(const SecAggContext& context,
                                     const v1::SecureStep& shown,
                                     const std::vector<uint32_t>& vector,
                                     const std::string& checksum = "");
  const SiteCredentials& credentials() const { return member_.credentials; }
  // Returns the masked vector of the last Answer to an Inbox.
  const std::vector<uint32_t>& masked() const { return masked_; }
  // Restarts the site: its keys are gone, but it knows where it has revealed.
  void Forget();

 private:
  absl::Status Fill(const v1::SecureStep& shown,
                    const std::vector<uint32_t>& vector,
                    const std::string& checksum,
                    v1::SubmitSecureStepRequest& said);
  absl::Status FillMasked(const v1::Inbox& inbox,
                          const std::vector<uint32_t>& vector,
                          v1::SubmitSecureStepRequest& said);

  const SiteId site_;
  const SimulatedConsortium::Member member_;
  SeededSecureRng rng_;
  std::string sum_id_;
  std::unique_ptr<SecAggClient> client_;
  std::map<int, v1::SubmitSecureStepRequest> answers_;  // by ShownCase
  std::vector<uint32_t> masked_;
  std::set<uint32_t> revealed_;  // rounds
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SUM_SITE_H_
