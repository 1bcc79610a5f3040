// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SITE_SESSION_H_
#define HILUM_SITE_AGENT_GATEWAY_SITE_SESSION_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/policy.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Decides what a site does next: the protocol with the coordinator, without
// I/O. Takes decisions of the officer and answers of the coordinator, and
// returns actions, which the caller carries out.
// Life: (Poll, OnAnswer, then the On... function of the action that was done)*.
// Not thread-safe.
class SiteSession {
 public:
  enum class Do {
    kPollAgain,
    kStoreOffer,  // study, hash
    kPrepare,     // task, hash: load the cases, submit the census
    kTrain,       // task; prepare first where needs_prepare
    kEvaluate,    // task; prepare first where needs_prepare
    kEnd,         // the study is over: completed, reason
  };

  struct Action {
    Do what = Do::kPollAgain;
    std::string study_hash;  // raw
    std::string study;       // kStoreOffer: serialised
    v1::Task task;
    bool needs_prepare = false;
    bool completed = false;
    std::string reason;
  };

  explicit SiteSession(v1::Policy policy) : policy_(std::move(policy)) {}

  // Returns the next question. The sets hold raw hashes.
  v1::NextTaskRequest Poll(const std::set<std::string>& offered,
                           const std::set<std::string>& approved,
                           const std::set<std::string>& refused) const;

  // Returns the action that follows from the answer. PERMISSION_DENIED: a task
  // for a study that the officer did not approve. FAILED_PRECONDITION: another
  // protocol version.
  absl::StatusOr<Action> OnAnswer(const v1::NextTaskResponse& answer,
                                  const std::set<std::string>& approved);

  // Check whether this site may take part. FAILED_PRECONDITION: names the rule
  // of its policy and the number.
  absl::Status CheckPolicy(const v1::Study& study) const;
  absl::Status CheckCases(const std::vector<uint64_t>& cases_per_arm) const;

  // After OnPreparing the trainer holds no study's cases; after OnPrepared it
  // holds the cases of this study.
  void OnPreparing() { prepared_.clear(); }
  void OnPrepared(const std::string& study_hash) { prepared_ = study_hash; }
  bool IsPrepared(const std::string& study_hash) const {
    return prepared_ == study_hash;
  }
  // Stops work on this study until OnMended, or until the site starts again.
  void OnUnusable(const std::string& study_hash) {
    unusable_.insert(study_hash);
  }
  void OnMended(const std::string& study_hash) { unusable_.erase(study_hash); }

 private:
  absl::Status CheckSurvivors(const v1::Study& study) const;

  v1::Policy policy_;
  std::string prepared_;
  std::set<std::string> unusable_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SITE_SESSION_H_
