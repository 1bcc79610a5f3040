// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_at_site.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/results_folder.h"
#include "site_agent/gateway/trusted_peers.h"
#include "site_agent/gateway/unable_reason.h"

namespace hilum {
namespace {

std::string ChainPath(absl::string_view state_dir, absl::string_view hash) {
  return absl::StrCat(state_dir, "/studies/", ToHex(hash), ".chain");
}

std::string SpoolPath(absl::string_view state_dir, absl::string_view hash) {
  return absl::StrCat(state_dir, "/spool/", ToHex(hash));
}

SecurePart::Options SecurePartOf(const SiteOptions& options) {
  return {.site = options.site,
          .credentials = options.credentials,
          .rng = options.rng,
          .studies_dir = absl::StrCat(options.config.state_dir(), "/studies")};
}

StudyFollower::Options FollowerOf(const ApprovedStudy& approved,
                                  const SiteParts& parts) {
  const SiteOptions& options = parts.options;
  return {
      .study_hash = approved.hash,
      .study = approved.study,
      .parameters = approved.parameters,
      .layout = approved.layout,
      .site = options.site,
      .credentials = options.credentials,
      .blobs = &parts.blobs,
      .transfer = &parts.transfer,
      .state_path = ChainPath(options.config.state_dir(), approved.hash),
      .check_opening =
          [&options, study = approved.study](const v1::SumOpening& opening) {
            return CheckPeers(options.config.policy(), study, options.site,
                              opening);
          },
      .announce =
          [&parts, hash = approved.hash](const v1::BlobRef& blob) {
            parts.facts.AnnounceBlob(hash, blob);
          }};
}

absl::StatusOr<ApprovedStudy> Describe(const std::string& hash,
                                       v1::Study study) {
  ApprovedStudy approved;
  HILUM_ASSIGN_OR_RETURN(approved.parameters, StudyLayout(study));
  approved.tracks = StudyTracks(study);
  approved.layout = {.track_size = approved.parameters.travelling_size,
                     .num_tracks = static_cast<int>(approved.tracks.size()),
                     .num_arms = study.arms_size(),
                     .validates = IsValidated(study)};
  approved.hash = hash;
  approved.study = std::move(study);
  return approved;
}

}  // namespace

StudyAtSite::StudyAtSite(ApprovedStudy approved, const SiteParts& parts)
    : approved_(std::move(approved)),
      state_dir_(parts.options.config.state_dir()),
      is_secure_(IsSecure(approved_.study)),
      spool_(SpoolPath(state_dir_, approved_.hash)),
      secure_(SecurePartOf(parts.options)),
      follower_(FollowerOf(approved_, parts)) {}

std::string StudyAtSite::CensusPath() const {
  return absl::StrCat(state_dir_, "/studies/", ToHex(hash()), ".census");
}

absl::StatusOr<std::optional<v1::SubmitCensusRequest>>
StudyAtSite::GivenCensus() const {
  absl::StatusOr<std::string> bytes = ReadFile(CensusPath());
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  HILUM_RETURN_IF_ERROR(bytes.status());
  v1::SubmitCensusRequest census;
  if (!census.ParseFromString(*bytes) ||
      !CheckCensusShape(study(), census).ok()) {
    return absl::DataLossError(
        absl::StrCat(CensusPath(), ": changed since the census was given"));
  }
  return census;
}

absl::Status StudyAtSite::KeepCensus(
    const v1::SubmitCensusRequest& census) const {
  return WriteFileAtomically(CensusPath(), census.SerializeAsString());
}

absl::StatusOr<std::string> StudyAtSite::MakeResultsFolder() const {
  const std::string folder = ResultsFolder(state_dir_, study(), hash());
  HILUM_RETURN_IF_ERROR(MakeDirectories(folder));
  return folder;
}

absl::Status SiteStudies::CheckAllowed(const std::string& hash,
                                       const v1::Study& study) const {
  const SiteOptions& options = parts_.options;
  HILUM_RETURN_IF_ERROR(parts_.session.CheckPolicy(study));
  return CheckConsent({.site = options.site,
                       .certificate_pem = options.certificate_pem(),
                       .policy = options.config.policy()},
                      parts_.approvals, hash, study);
}

absl::StatusOr<StudyAtSite*> SiteStudies::Open(const std::string& hash) {
  const auto known = studies_.find(hash);
  if (hash == current_ && known != studies_.end()) return known->second.get();
  HILUM_ASSIGN_OR_RETURN(std::string bytes, parts_.approvals.Offer(hash));
  HILUM_ASSIGN_OR_RETURN(v1::Study study, ParseStudy(bytes));
  HILUM_RETURN_IF_ERROR(
      WithReason(CheckAllowed(hash, study), v1::UNABLE_REASON_POLICY));
  if (IsSecure(study) && parts_.options.credentials == nullptr) {
    return absl::FailedPreconditionError(
        "the study has secure aggregation, for which this site has no "
        "certificate");
  }
  current_ = hash;
  if (known != studies_.end()) return known->second.get();
  HILUM_ASSIGN_OR_RETURN(ApprovedStudy approved,
                         Describe(hash, std::move(study)));
  return studies_
      .emplace(hash, std::make_unique<StudyAtSite>(std::move(approved), parts_))
      .first->second.get();
}

void SiteStudies::End(const std::string& hash) {
  SpooledVector(SpoolPath(parts_.options.config.state_dir(), hash)).Clear();
  studies_.erase(hash);
  KeepBlobs();
}

void SiteStudies::KeepBlobs(const v1::BlobRef& more) {
  std::vector<v1::BlobRef> needed = {more};
  const auto keep = [&](const std::vector<v1::BlobRef>& blobs) {
    needed.insert(needed.end(), blobs.begin(), blobs.end());
  };
  for (const auto& [hash, study] : studies_) keep(study->follower().Needed());
  // Includes studies that this process has not opened yet.
  for (const std::string& hash : parts_.approvals.Approved()) {
    keep(StudyFollower::NeededBy(
        ChainPath(parts_.options.config.state_dir(), hash)));
  }
  parts_.blobs.KeepOnly(needed);
}

}  // namespace hilum
