// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SUM_STEPS_H_
#define HILUM_SITE_AGENT_GATEWAY_SUM_STEPS_H_

#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/secure_part.h"
#include "site_agent/gateway/site_parts.h"
#include "site_agent/gateway/site_tasks.h"
#include "site_agent/gateway/study_at_site.h"

namespace hilum {

// Takes the steps of masked sums. In a study with secure aggregation a site
// sends its figures in such sums only. Refuses a request that would open a
// masked sum, and refuses the whole study for good if the request shows that
// the coordinator cheats. Not thread-safe.
class SumSteps {
 public:
  // All references outlive this object.
  SumSteps(const SiteParts& parts, SiteTasks& tasks)
      : parts_(parts), tasks_(tasks) {}

  // PERMISSION_DENIED: in a study with secure aggregation, a task that would
  // tell the coordinator this site's own figures, or a sum of another kind than
  // its round has. FAILED_PRECONDITION: a sum in a study without secure
  // aggregation.
  static absl::Status CheckTask(const StudyAtSite& study, const v1::Task& task);

  // Answers the task's step. A step that is refused is answered too: this site
  // leaves the sum.
  absl::Status TakeStep(StudyAtSite& study, const v1::Task& task);

 private:
  // Checks, before keys are given, that this site has followed the earlier
  // sums, may train on this cohort, and has its vector. Fails as the step is to
  // be refused.
  absl::Status MakeReady(StudyAtSite& study, const v1::Task& task);
  // PERMISSION_DENIED: names the rule of this site's policy that the cohort's
  // census breaks.
  absl::Status CheckCohort(const StudyAtSite& study) const;
  // Logs what an officer should know of an accepted cohort.
  absl::Status TellOfCohort(const StudyAtSite& study) const;
  SecurePart::Asked AskedBy(StudyAtSite& study, const v1::Task& task) const;
  absl::Status CheckAreOfTheCensus(const StudyAtSite& study,
                                   const std::set<SiteId>& survivors) const;
  // FAILED_PRECONDITION: too few of the survivors are trusted by this site's
  // policy.
  absl::Status CheckSurvivors(const StudyAtSite& study,
                              std::set<SiteId> survivors) const;
  // Whether the officer accepts site_updates_inferable for the study.
  bool MayDiffer(const StudyAtSite& study) const;
  // Returns the vector of the round's sum, in the spool.
  absl::StatusOr<v1::BlobRef> VectorOf(StudyAtSite& study,
                                       const v1::Task& task);
  static absl::StatusOr<v1::BlobRef> MakeCensusVector(StudyAtSite& study);
  absl::StatusOr<v1::BlobRef> MakeEvaluationVector(StudyAtSite& study,
                                                   const v1::Task& task);
  // Records the refusal and leaves the sum. Fails with `why` if the study is
  // refused.
  absl::Status RefuseStep(const v1::Task& task, const absl::Status& why);
  // Call after the step's answer was sent, or came too late.
  void AfterStep(const StudyAtSite& study, const v1::Task& task,
                 const absl::Status& answered);

  const SiteParts& parts_;
  SiteTasks& tasks_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SUM_STEPS_H_
