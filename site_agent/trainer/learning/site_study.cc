// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/site_study.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/trainer/data/site_notes.h"

namespace hilum {

absl::StatusOr<SiteStudy> ReadSiteStudy(const v1::PrepareRequest& request,
                                        const TorchTrainerOptions& options) {
  SiteStudy site;
  PreparedStudy& study = site.study;
  HILUM_ASSIGN_OR_RETURN(study.study, ParseStudy(request.study()));
  HILUM_ASSIGN_OR_RETURN(study.layout, StudyLayout(study.study));
  study.hash = Sha256Of(request.study());
  study.tracks = StudyTracks(study.study);
  study.site = request.site();
  study.draws_key = DrawsKeyOf(request.patient_key(), study.study);
  study.minimum_steps = request.minimum_steps();
  site.ranks = options.ranks;
  site.threads =
      request.threads() > 0
          ? static_cast<int>(request.threads())
          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return site;
}

absl::Status ChooseDevice(const v1::PrepareRequest& request, SiteStudy& site) {
  SetDeterministic(!request.nondeterministic());
  if (request.devices_size() > std::max(1, site.ranks.size)) {
    return absl::InvalidArgumentError(
        "several devices, but one process to use them");
  }
  const std::string name =
      request.devices().empty() ? "cpu" : request.devices(site.ranks.rank);
  HILUM_ASSIGN_OR_RETURN(site.device, FindDevice(name));
  return absl::OkStatus();
}

absl::Status LoadCases(const v1::PrepareRequest& request,
                       absl::Span<const CaseSource> further, SiteStudy& site) {
  PreparedStudy& study = site.study;
  std::vector<CaseSource> sources = {{.manifest = request.manifest(),
                                      .site_column = request.site_column(),
                                      .site = request.site(),
                                      .patient_key = request.patient_key()}};
  sources.insert(sources.end(), further.begin(), further.end());
  HILUM_ASSIGN_OR_RETURN(study.pool,
                         LoadCasePool(sources, study.study, site.threads));
  study.LeaveOutThinArms();
  if (site.IsFirst() && !request.notes_dir().empty()) {
    HILUM_RETURN_IF_ERROR(WriteSiteNotes(study, request.notes_dir()));
  }
  HILUM_RETURN_IF_ERROR(CheckBadShare(
      study.pool.data.manifest, study.study.data_rules().max_bad_share()));
  for (std::string& warning : SiteWarnings(study)) {
    site.warnings.push_back(std::move(warning));
  }
  return absl::OkStatus();
}

v1::PrepareResponse DescribeSite(const SiteStudy& site) {
  const PreparedStudy& study = site.study;
  v1::PrepareResponse response;
  response.set_manifest_sha256(
      ManifestSha256(study.layout.architecture.tensors));
  for (int arm : study.study.arms()) {
    *response.add_arms() = study.Census(static_cast<v1::Arm>(arm));
  }
  const CaseManifest& used = study.pool.data.manifest;
  response.set_rows(static_cast<uint64_t>(used.rows));
  response.set_rejected_rows(used.rejected.size());
  const std::vector<uint64_t> masks = study.RejectedMasks();
  response.mutable_rejected_masks()->Add(masks.begin(), masks.end());
  const SeenByTools& tools = study.pool.seen_by_tools;
  response.set_lungs_network_cases(tools.lungs_network);
  response.set_orientation_network_cases(tools.orientation_network);
  response.set_cases_not_compared(tools.not_compared);
  *response.mutable_warnings() = {site.warnings.begin(), site.warnings.end()};
  return response;
}

}  // namespace hilum
