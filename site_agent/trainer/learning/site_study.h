// SPDX-License-Identifier: Apache-2.0
// What every session begins with, whatever the study's task.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_SITE_STUDY_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_SITE_STUDY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hilum/v1/trainer.pb.h"
#include "site_agent/trainer/data/prepared_study.h"
#include "site_agent/trainer/learning/device.h"
#include "site_agent/trainer/learning/trainer_options.h"

namespace hilum {

// A study at a site, the device that it is computed on, and what the site's log
// should know of it. ReadSiteStudy, then ChooseDevice, then LoadCases.
struct SiteStudy {
  PreparedStudy study;
  RankOptions ranks;
  ComputeDevice device;
  int threads = 1;
  std::vector<std::string> warnings;

  // Only the first of several processes writes files.
  bool IsFirst() const { return ranks.rank == 0; }
};

// The study and its plan, without cases. INVALID_ARGUMENT: no study.
absl::StatusOr<SiteStudy> ReadSiteStudy(const v1::PrepareRequest& request,
                                        const TorchTrainerOptions& options);

// INVALID_ARGUMENT: more devices than processes. Else as FindDevice.
absl::Status ChooseDevice(const v1::PrepareRequest& request, SiteStudy& site);

// The cases of the request and of `further`; WriteSiteNotes where there is a
// folder for them. Errors as LoadCasePool and CheckBadShare.
absl::Status LoadCases(const v1::PrepareRequest& request,
                       absl::Span<const CaseSource> further, SiteStudy& site);

v1::PrepareResponse DescribeSite(const SiteStudy& site);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_SITE_STUDY_H_
