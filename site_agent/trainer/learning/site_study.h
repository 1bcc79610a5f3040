// SPDX-License-Identifier: Apache-2.0
// Reads a study and its cases: the first part of every session.
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

// A study at a site, its compute device, and warnings for the site's log.
// ReadSiteStudy, then ChooseDevice, then LoadCases.
struct SiteStudy {
  PreparedStudy study;
  RankOptions ranks;
  ComputeDevice device;
  int threads = 1;
  std::vector<std::string> warnings;

  // Only the first of several processes writes files.
  bool IsFirst() const { return ranks.rank == 0; }
};

// Reads the study and its plan, without cases. INVALID_ARGUMENT: no study.
absl::StatusOr<SiteStudy> ReadSiteStudy(const v1::PrepareRequest& request,
                                        const TorchTrainerOptions& options);

// INVALID_ARGUMENT: more devices than processes. Otherwise errors as
// FindDevice.
absl::Status ChooseDevice(const v1::PrepareRequest& request, SiteStudy& site);

// Loads the cases of the request and of `further`; writes WriteSiteNotes' files
// if a folder is given. Errors as LoadCasePool and CheckBadShare.
absl::Status LoadCases(const v1::PrepareRequest& request,
                       absl::Span<const CaseSource> further, SiteStudy& site);

v1::PrepareResponse DescribeSite(const SiteStudy& site);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_SITE_STUDY_H_
