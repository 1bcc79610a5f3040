// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_FOLLOWED_STUDY_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_FOLLOWED_STUDY_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "site_agent/gateway/study_follower.h"
#include "tests/site_agent/gateway/published_sums.h"

namespace hilum {

// Site "a" follows a study of four sites. Tests choose which sums are made and
// published. Each test has a folder of its own.
class FollowedStudyTest : public testing::Test {
 protected:
  FollowedStudyTest();

  // Begins anew with this study.
  void Open(const v1::Study& study);
  // Restarts the site like a new process on the same folder.
  void Restart();

  // Returns a task that names the model and the openings of `sums`.
  v1::Task TaskOf(uint32_t round, const PublishedSums& sums,
                  v1::Task::Kind kind = v1::Task::TRAIN) const;
  // Asks the site for its part in the round.
  absl::Status Follow(const v1::Task& task) {
    return follower_->Follow(task, masked_path_);
  }
  absl::Status Follow(uint32_t round) { return Follow(TaskOf(round, *sums_)); }
  // Shows the site another opening than the last one.
  absl::Status FollowShown(uint32_t round, const v1::SumOpening& opening);

  // Makes and publishes a sum: round 0 sums the censuses, later rounds random
  // updates. Lost sites give no vector; absent sites are not asked.
  void MakeSum(uint32_t round, PublishedSums& sums,
               const std::set<SiteId>& lost = {},
               const std::set<SiteId>& absent = {});
  void MakeSum(uint32_t round) { MakeSum(round, *sums_); }
  // Returns a site's vector in the last sum of updates, before it was masked.
  const std::vector<uint32_t>& PlainOf(const SiteId& site) const {
    return plain_.at(site);
  }

  // Returns the roster of the next sum, with the checksums of the vectors in
  // the last sum.
  v1::Roster Roster() const;
  absl::Status CheckRoster(const v1::Roster& roster) {
    return follower_->CheckRoster(TaskOf(1, *sums_).header(), roster);
  }

  // Expects PERMISSION_DENIED: what the coordinator shows does not follow.
  static void ExpectUntrusted(const absl::Status& status,
                              const std::string& why);
  // Expects that site and coordinator have the same state and the same model.
  void ExpectAtTheSame();
  bool WasFetched(const std::string& sha256) const;
  const BlobCache& cache() const { return *cache_; }

  v1::Study study_;
  std::string hash_, folder_, state_path_;
  Blobs blobs_;
  std::optional<PublishedSums> sums_;
  std::string masked_path_;       // the vector that "a" gave to the last sum
  std::set<std::string> hidden_;  // blobs that the coordinator withholds
  std::unique_ptr<StudyFollower> follower_;

 private:
  absl::Status Serve(const v1::FetchBlobRequest& request,
                     v1::FetchBlobResponse& response);
  PublishedSums::Vectors VectorsOf(uint32_t round) const;

  PublishedSums::Vectors plain_;
  std::optional<BlobCache> cache_;
  std::optional<BlobTransfer> transfer_;
  int sums_made_ = 0;
  mutable absl::Mutex mutex_;
  std::set<std::string> fetched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_FOLLOWED_STUDY_H_
