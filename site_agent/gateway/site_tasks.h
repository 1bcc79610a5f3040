// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SITE_TASKS_H_
#define HILUM_SITE_AGENT_GATEWAY_SITE_TASKS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/trainer.pb.h"
#include "site_agent/gateway/offers.h"
#include "site_agent/gateway/site_parts.h"
#include "site_agent/gateway/study_at_site.h"

namespace hilum {

// Carries out the three kinds of task: loads cases, trains, evaluates, and
// submits the results where no masked sum is asked for (SumSteps). A task that
// fails is still answered, with an update of weight 0 or by saying that this
// site is unable, so that the other sites need not wait. Not thread-safe.
class SiteTasks {
 public:
  // All references outlive this object.
  SiteTasks(const SiteParts& parts, SiteStudies& studies, Offers& offers)
      : parts_(parts), studies_(studies), offers_(offers) {}

  // Lets the trainer load the study's cases, and checks the policy's and the
  // officer's rules for them.
  absl::StatusOr<v1::PrepareResponse> Prepare(StudyAtSite& study);
  // Returns the given census in the form of the trainer's answer to Prepare, if
  // the trainer has loaded the study's cases; none otherwise.
  absl::StatusOr<std::optional<v1::PrepareResponse>> KnownCases(
      const StudyAtSite& study) const;
  // Submits the census. The first census of a study counts for the whole study:
  // it is kept, and given again where another one is asked for.
  absl::Status SubmitCensus(StudyAtSite& study, const v1::Task& task,
                            const v1::PrepareResponse& prepared);
  absl::Status Train(StudyAtSite& study, const v1::Task& task);
  absl::Status Evaluate(StudyAtSite& study, const v1::Task& task);

  // Returns the encoded update in the spool; trains first if the spool has none
  // for this task.
  absl::StatusOr<v1::BlobRef> UpdateOf(StudyAtSite& study,
                                       const v1::Task& task);
  // Evaluates the round's model. The predictions stay at this site.
  absl::StatusOr<v1::EvaluateResponse> EvaluateModel(StudyAtSite& study,
                                                     const v1::Task& task);
  absl::Status SubmitEvaluation(
      StudyAtSite& study, const v1::Task& task,
      const absl::StatusOr<v1::EvaluateResponse>& evaluated);
  // Whether the policy lets the coordinator have this site's own figures.
  bool PublishesFigures() const;

 private:
  absl::Status CheckOwnCases(const StudyAtSite& study,
                             const v1::PrepareResponse& prepared) const;
  // Fetches the starting weights, and checks that they are the approved ones.
  // PERMISSION_DENIED: they are not; the study is refused, with a line in the
  // ledger.
  absl::Status FetchStart(StudyAtSite& study, const v1::Task& task);
  // Returns the cohort's census from which the task's weights follow: from this
  // site's own sum or, without secure aggregation, as the coordinator says.
  absl::StatusOr<v1::CensusTotals> CohortOf(StudyAtSite& study,
                                            const v1::Task& task);
  // Returns the choices by validation before the task: this site's own or,
  // without secure aggregation, the coordinator's.
  static const TrackChoices& ChoicesOf(StudyAtSite& study,
                                       const v1::Task& task);
  // Returns the path of the frozen parameters, split off the starting weights
  // first if they are not here. Fails like FetchStart.
  absl::StatusOr<std::string> FrozenOf(StudyAtSite& study,
                                       const v1::Task& task);
  // Returns the path of the model that the task is about: this site's own or,
  // without secure aggregation, the coordinator's, if all its values are
  // finite.
  absl::StatusOr<std::string> ModelPath(StudyAtSite& study,
                                        const v1::Task& task);
  // Returns the request, which names the round's model.
  absl::StatusOr<v1::TrainRequest> MakeTrainRequest(StudyAtSite& study,
                                                    const v1::Task& task,
                                                    const std::string& path);
  // Trains, and writes the encoded update to `path`.
  absl::StatusOr<v1::BlobRef> MakeUpdate(StudyAtSite& study,
                                         const v1::Task& task,
                                         const std::string& path);
  absl::StatusOr<v1::BlobRef> EncodeUpdate(StudyAtSite& study,
                                           const v1::Task& task,
                                           const v1::TrainResponse& trained,
                                           const std::string& path);

  const SiteParts& parts_;
  SiteStudies& studies_;
  Offers& offers_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SITE_TASKS_H_
