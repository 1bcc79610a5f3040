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

// Site "a" follows a study of four sites, whose sums are made and published
// as a test says. Each of its fixtures' tests has a folder of its own.
class FollowedStudyTest : public testing::Test {
 protected:
  FollowedStudyTest();

  // Begins anew with this study.
  void Open(const v1::Study& study);
  // As a new process on the same folder.
  void Restart();

  // Names what `sums` names.
  v1::Task TaskOf(uint32_t round, const PublishedSums& sums,
                  v1::Task::Kind kind = v1::Task::TRAIN) const;
  // The site is asked for its part in the round.
  absl::Status Follow(const v1::Task& task) {
    return follower_->Follow(task, masked_path_);
  }
  absl::Status Follow(uint32_t round) { return Follow(TaskOf(round, *sums_)); }
  // Is told another opening than the last one.
  absl::Status FollowShown(uint32_t round, const v1::SumOpening& opening);

  // Makes and publishes a sum: round 0 is that of the censuses, a later one of
  // random updates. The lost sites give no vector, the others are not asked.
  void MakeSum(uint32_t round, PublishedSums& sums,
               const std::set<SiteId>& lost = {},
               const std::set<SiteId>& absent = {});
  void MakeSum(uint32_t round) { MakeSum(round, *sums_); }
  // The vector of the last sum of updates, before it was masked.
  const std::vector<uint32_t>& PlainOf(const SiteId& site) const {
    return plain_.at(site);
  }

  // Of the next sum: what sites say of the vectors they gave to the last one.
  v1::Roster Roster() const;
  absl::Status CheckRoster(const v1::Roster& roster) {
    return follower_->CheckRoster(TaskOf(1, *sums_).header(), roster);
  }

  // For good, since what the coordinator shows does not follow.
  static void ExpectUntrusted(const absl::Status& status,
                              const std::string& why);
  // Where the coordinator stands, model and all.
  void ExpectAtTheSame();
  bool WasFetched(const std::string& sha256) const;
  const BlobCache& cache() const { return *cache_; }

  v1::Study study_;
  std::string hash_, folder_, state_path_;
  Blobs blobs_;
  std::optional<PublishedSums> sums_;
  std::string masked_path_;       // what "a" gave to the last sum
  std::set<std::string> hidden_;  // blobs that are not served
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
