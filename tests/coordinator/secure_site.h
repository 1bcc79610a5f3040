// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SECURE_SITE_H_
#define HILUM_TESTS_COORDINATOR_SECURE_SITE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "site_agent/gateway/blob_cache.h"
#include "site_agent/gateway/blob_transfer.h"
#include "site_agent/gateway/study_follower.h"
#include "tests/coordinator/fake_site.h"
#include "tests/coordinator/sum_site.h"

namespace hilum {

// Returns a TinyStudy of sites a to d, of which three are enough, with secure
// aggregation or without.
v1::Study FourSiteStudy(bool secure);

// Returns the same study with validation.
v1::Study ValidatedStudy(bool secure);

// Returns the same with a patience of 1.
v1::Study PatientStudy(bool secure);

// Returns the site's losses [tracks] of the models with which a round begins.
// They grow.
std::vector<double> ValidationLossesOf(const std::string& site, uint32_t round);
// Returns others: track 0's grow, track 1's fall, and track 2 is tried in even
// rounds only.
std::vector<double> CrossingLossesOf(const std::string& site, uint32_t round);

// Returns the site's update in a round; the numbers differ from round to round.
std::vector<float> DeltaOf(const std::string& site, uint32_t round);

// A site of FourSiteStudy(true) made of calls. It adds the same values to sums
// as a FakeSite sends in a study without masks. It goes from one sum to the
// next as a real site does, with a StudyFollower.
class SecureSite {
 public:
  // `core` may change from call to call: the site stays the same when the
  // coordinator restarts. Creates `folder`.
  SecureSite(const std::unique_ptr<FederationCore>& core, std::string name,
             std::string hash, const v1::Study& study,
             const std::string& folder);

  v1::NextTaskResponse Next(uint32_t wait_ms = 60000) const {
    return AsFake().Next(wait_ms);
  }
  // Does the task: reports that it is ready, or takes a step.
  absl::Status Do(const v1::Task& task);
  // The parts of taking a step. A vector is uploaded before it is named.
  v1::SubmitSecureStepRequest Answer(const v1::Task& task);
  absl::StatusOr<v1::BlobRef> Upload(const v1::Task& task,
                                     const std::vector<uint32_t>& vector) const;
  absl::Status Send(const v1::SubmitSecureStepRequest& said) const;

  // Returns the vector without masks.
  std::vector<uint32_t> VectorFor(const v1::Task& task) const;
  const std::vector<uint32_t>& masked() const { return sums_.masked(); }
  // Returns a whole blob, fetched in pieces.
  absl::StatusOr<std::string> Fetch(const std::string& sha256) const;
  const v1::StudyChain& chain() const { return follower_.chain(); }

  // The site's census.
  v1::SubmitCensusRequest census;
  std::function<std::vector<double>(const std::string&, uint32_t)> losses_of =
      ValidationLossesOf;

 private:
  // Returns the cohort's cases of the tracks that have not stopped.
  std::vector<uint64_t> ExamplesNow() const;
  FakeSite AsFake() const { return FakeSite(*core_, name_.c_str(), hash_); }
  FakeSite AsFake(uint32_t round) const;
  absl::Status Follow(const v1::Task& task);

  const std::unique_ptr<FederationCore>& core_;
  const std::string name_;
  const std::string hash_;
  const v1::Study study_;
  const std::string masked_path_;
  SumSite sums_;
  const BlobCache blobs_;
  const BlobTransfer transfer_;
  StudyFollower follower_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SECURE_SITE_H_
