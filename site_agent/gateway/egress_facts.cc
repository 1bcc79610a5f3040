// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_facts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/starting_weights.h"

namespace hilum {
namespace {

// Longer than a poll waits, but too small a range to carry data.
constexpr uint32_t kMostWaitMs = 60000;
constexpr uint32_t kMostChunk = 4 << 20;

absl::Status Refused(absl::string_view field, absl::string_view why) {
  return absl::PermissionDeniedError(
      absl::StrCat("not sent: hilum.v1.", field, " ", why));
}

bool Same(const v1::BlobRef& a, const v1::BlobRef& b) {
  return a.sha256() == b.sha256() && a.size() == b.size();
}

template <typename T>
void Keep(std::deque<T>& list, T value, size_t most) {
  list.push_back(std::move(value));
  if (list.size() > most) list.pop_front();
}

// Checks that each entry's site is in the cohort and occurs once.
template <typename Entries>
absl::Status CheckSites(absl::string_view field, const Entries& entries,
                        const std::set<std::string>& cohort) {
  std::set<std::string> seen;
  for (const auto& entry : entries) {
    if (!cohort.contains(entry.site())) {
      return Refused(field, "names a site that is not of the study");
    }
    if (!seen.insert(entry.site()).second) {
      return Refused(field, "names a site twice");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckVersion(const v1::Header& header) {
  if (header.protocol_version() == kProtocolVersion) return absl::OkStatus();
  return Refused("Header.protocol_version", "is not that of this release");
}

template <typename Numbers>
bool AllAtMost(const Numbers& numbers, uint64_t most) {
  return std::all_of(numbers.begin(), numbers.end(),
                     [most](uint64_t number) { return number <= most; });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const StudyFacts>> EgressFacts::Study(
    absl::string_view hash) const {
  const std::string key(hash);
  {
    absl::MutexLock lock(&mutex_);
    auto found = studies_.find(key);
    if (found != studies_.end()) return found->second;
  }
  HILUM_ASSIGN_OR_RETURN(std::string bytes, approvals_.Offer(hash));
  HILUM_ASSIGN_OR_RETURN(StudyFacts facts, FactsOfStudy(bytes));
  auto study = std::make_shared<const StudyFacts>(std::move(facts));
  absl::MutexLock lock(&mutex_);
  studies_[key] = study;
  return study;
}

void EgressFacts::AnnounceBlob(absl::string_view study_hash,
                               const v1::BlobRef& blob) {
  absl::MutexLock lock(&mutex_);
  std::deque<v1::BlobRef>& blobs = named_[std::string(study_hash)].blobs;
  for (const v1::BlobRef& known : blobs) {
    if (Same(known, blob)) return;
  }
  Keep(blobs, blob, kMostNamed);
}

void EgressFacts::AnnounceSum(absl::string_view study_hash,
                              absl::string_view sum_id) {
  absl::MutexLock lock(&mutex_);
  std::deque<std::string>& sums = named_[std::string(study_hash)].sums;
  if (std::find(sums.begin(), sums.end(), sum_id) != sums.end()) return;
  Keep(sums, std::string(sum_id), kMostNamed);
}

absl::Status EgressFacts::AnnounceSumBlob(absl::string_view study_hash,
                                          const v1::BlobRef& sum) {
  HILUM_ASSIGN_OR_RETURN(auto study, Study(study_hash));
  const uint64_t most = 2 * study->vector_bytes;
  if (sum.sha256().size() != 32 || sum.size() == 0 || sum.size() > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        "opening.sum: a blob of ", sum.size(), " bytes, of at most ", most,
        ", by a hash of ", sum.sha256().size(), " bytes"));
  }
  AnnounceBlob(study_hash, sum);
  return absl::OkStatus();
}

void EgressFacts::RegisterUpload(absl::string_view study_hash,
                                 const v1::BlobRef& blob) {
  absl::MutexLock lock(&mutex_);
  Keep(named_[std::string(study_hash)].uploads, blob, kMostNamed);
}

void EgressFacts::RefuseOffer(absl::string_view study_hash) {
  const absl::Time until = clock_.Now() + absl::Hours(1);
  absl::MutexLock lock(&mutex_);
  Keep(refused_offers_, {std::string(study_hash), until}, kMostNamed);
}

std::set<std::string> EgressFacts::RefusedOffers() const {
  const absl::Time now = clock_.Now();
  std::set<std::string> refused;
  absl::MutexLock lock(&mutex_);
  for (const Refusal& refusal : refused_offers_) {
    if (now < refusal.until) refused.insert(refusal.study_hash);
  }
  return refused;
}

void EgressFacts::Forget(absl::string_view study_hash) {
  absl::MutexLock lock(&mutex_);
  named_.erase(std::string(study_hash));
  studies_.erase(std::string(study_hash));
}

absl::StatusOr<uint64_t> EgressFacts::SizeOf(absl::string_view study_hash,
                                             absl::string_view sha256) const {
  HILUM_ASSIGN_OR_RETURN(auto study, Study(study_hash));
  {
    absl::MutexLock lock(&mutex_);
    auto named = named_.find(std::string(study_hash));
    if (named != named_.end()) {
      for (const v1::BlobRef& blob : named->second.blobs) {
        if (blob.sha256() == sha256) return blob.size();
      }
    }
  }
  if (sha256.size() == 32 && study->study.initial_weights_sha256() == sha256) {
    return study->initial_bytes;
  }
  return absl::NotFoundError("no such blob was named");
}

absl::Status EgressFacts::CheckHeader(const v1::Header& header) const {
  HILUM_RETURN_IF_ERROR(CheckVersion(header));
  absl::StatusOr<std::shared_ptr<const StudyFacts>> study =
      Study(header.study_hash());
  if (!study.ok()) {
    return Refused("Header.study_hash",
                   "is not of a study that this site was offered");
  }
  if (header.round() <= (*study)->last_round) return absl::OkStatus();
  return Refused("Header.round", "is not a round of the study");
}

absl::Status EgressFacts::CheckPoll(const v1::NextTaskRequest& request) const {
  HILUM_RETURN_IF_ERROR(CheckVersion(request.header()));
  if (!request.header().study_hash().empty() || request.header().round() != 0) {
    return Refused("NextTaskRequest.header", "is of a study");
  }
  std::set<std::string> offered = approvals_.Offered();
  {
    // Includes refusals of over an hour ago: a question that waits for the
    // network is repeated unchanged.
    absl::MutexLock lock(&mutex_);
    for (const Refusal& refusal : refused_offers_) {
      offered.insert(refusal.study_hash);
    }
  }
  for (const auto* list :
       {&request.approved_studies(), &request.known_studies(),
        &request.refused_studies()}) {
    std::set<std::string> told;
    for (const std::string& hash : *list) {
      if (!offered.contains(hash)) {
        return Refused("NextTaskRequest",
                       "has a hash that is not of a study that this site was "
                       "offered");
      }
      if (!told.insert(hash).second) {
        return Refused("NextTaskRequest", "has a hash twice in a list");
      }
    }
  }
  if (request.wait_ms() > kMostWaitMs) {
    return Refused("NextTaskRequest.wait_ms", "is over a minute");
  }
  if (request.software_version() == SoftwareVersion()) return absl::OkStatus();
  return Refused("NextTaskRequest.software_version",
                 "is not that of this release");
}

absl::Status EgressFacts::CheckFetch(
    const v1::FetchBlobRequest& request) const {
  absl::StatusOr<uint64_t> size =
      SizeOf(request.header().study_hash(), request.sha256());
  if (!size.ok()) {
    return Refused("FetchBlobRequest.sha256",
                   "is neither of a blob that the coordinator named nor of the "
                   "approved starting weights");
  }
  if (request.offset() > *size || request.max_bytes() > kMostChunk) {
    return Refused("FetchBlobRequest", "asks past the end of the blob");
  }
  return absl::OkStatus();
}

absl::Status EgressFacts::CheckUpload(absl::string_view study_hash,
                                      const v1::BlobRef& blob) const {
  absl::MutexLock lock(&mutex_);
  auto named = named_.find(std::string(study_hash));
  if (named != named_.end()) {
    for (const v1::BlobRef& made : named->second.uploads) {
      if (Same(made, blob)) return absl::OkStatus();
    }
  }
  return Refused("BlobRef", "is not of a file that this gateway has made");
}

absl::Status EgressFacts::CheckChunk(
    const v1::UploadChunkRequest& request) const {
  const v1::BlobRef& blob = request.blob();
  HILUM_RETURN_IF_ERROR(CheckUpload(request.header().study_hash(), blob));
  if (request.offset() <= blob.size() &&
      request.data().size() <= blob.size() - request.offset()) {
    return absl::OkStatus();
  }
  return Refused("UploadChunkRequest.offset", "is past the end of the blob");
}

absl::Status EgressFacts::CheckCensus(
    const v1::SubmitCensusRequest& request) const {
  if (request.unable()) {
    v1::SubmitCensusRequest bare;
    *bare.mutable_header() = request.header();
    bare.set_unable(true);
    bare.set_unable_reason(request.unable_reason());
    if (!v1::UnableReason_IsValid(request.unable_reason())) {
      return Refused("SubmitCensusRequest.unable_reason",
                     "is none that this release knows");
    }
    if (bare.ByteSizeLong() == request.ByteSizeLong()) return absl::OkStatus();
    return Refused("SubmitCensusRequest.unable", "comes with a census");
  }
  if (request.unable_reason() != v1::UNABLE_REASON_UNSPECIFIED) {
    return Refused("SubmitCensusRequest.unable_reason", "comes with a census");
  }
  HILUM_ASSIGN_OR_RETURN(auto study, Study(request.header().study_hash()));
  if (request.manifest_sha256() != study->manifest_sha256) {
    return Refused("SubmitCensusRequest.manifest_sha256",
                   "is not that of the study's network: another release of "
                   "hilum-trainer?");
  }
  if (request.arms_size() > study->study.arms_size() ||
      request.rejected_masks_size() > study->study.classes_size()) {
    return Refused("SubmitCensusRequest", "is not of the study's shape");
  }
  const size_t seen = ListsImages(study->study) ? study->cells : 0;
  for (const v1::ArmCensus& arm : request.arms()) {
    if (static_cast<size_t>(arm.fold_class_counts_size()) > study->cells ||
        static_cast<size_t>(arm.fold_class_patients_size()) > study->cells ||
        !AllAtMost(arm.fold_class_counts(), kMaxArmCases) ||
        static_cast<size_t>(arm.fold_class_seen_size()) > seen ||
        static_cast<size_t>(arm.fold_class_unseen_patients_size()) > seen ||
        !AllAtMost(arm.fold_class_patients(), kMaxArmCases) ||
        !AllAtMost(arm.fold_class_seen(), kMaxArmCases) ||
        !AllAtMost(arm.fold_class_unseen_patients(), kMaxArmCases) ||
        static_cast<size_t>(arm.fold_validation_patients_size()) >
            study->study.cross_validation().folds() ||
        !AllAtMost(arm.fold_validation_patients(), kMaxArmCases)) {
      return Refused("ArmCensus", "is not of the study's shape");
    }
  }
  if (request.rows() <= kMaxRows && request.rejected_rows() <= kMaxRows &&
      request.lungs_network_cases() <= kMaxRows &&
      request.orientation_network_cases() <= kMaxRows &&
      request.cases_not_compared() <= kMaxRows &&
      AllAtMost(request.rejected_masks(), kMaxRows)) {
    return absl::OkStatus();
  }
  return Refused("SubmitCensusRequest",
                 "counts more rows than a site can have");
}

absl::Status EgressFacts::CheckEvaluation(
    const v1::SubmitEvaluationRequest& request) const {
  HILUM_ASSIGN_OR_RETURN(auto study, Study(request.header().study_hash()));
  const int classes = study->study.classes_size();
  const auto bins = static_cast<int>(study->study.evaluation().score_bins());
  std::set<uint32_t> seen;
  for (const v1::TrackEvaluation& track : request.tracks()) {
    if (track.track() >= study->tracks || !seen.insert(track.track()).second) {
      return Refused("TrackEvaluation.track", "is not a track of the study");
    }
    if (track.confusion_size() > classes * classes ||
        track.classes_size() > classes || track.overlaps_size() > classes + 1) {
      return Refused("TrackEvaluation", "is not of the study's classes");
    }
    for (const v1::ScoreHistogram& scores : track.classes()) {
      if (scores.positives_size() > bins || scores.negatives_size() > bins) {
        return Refused("ScoreHistogram", "has more bins than the study");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status EgressFacts::CheckStep(
    const v1::SubmitSecureStepRequest& request) const {
  const std::string& hash = request.header().study_hash();
  // Only an answer that leaves may lack the id: the coordinator gave none.
  if (!request.sum_id().empty() || !request.leave()) {
    absl::MutexLock lock(&mutex_);
    auto named = named_.find(hash);
    if (named == named_.end() ||
        std::find(named->second.sums.begin(), named->second.sums.end(),
                  request.sum_id()) == named->second.sums.end()) {
      return Refused("SubmitSecureStepRequest.sum_id",
                     "is not of a sum that the coordinator named");
    }
  }
  if (request.has_keys() &&
      request.keys().certificate() != options_.certificate_pem) {
    return Refused("RoundKeys.certificate", "is not this site's own");
  }
  if (request.has_masked()) return CheckUpload(hash, request.masked());
  HILUM_ASSIGN_OR_RETURN(auto study, Study(hash));
  HILUM_RETURN_IF_ERROR(
      CheckSites("SealedShare.site", request.shares().shares(), study->cohort));
  return CheckSites("RevealedShare.site", request.revealed().shares(),
                    study->cohort);
}

absl::Status EgressFacts::Check(
    absl::string_view method, const google::protobuf::Message& request) const {
  if (const auto* poll = dynamic_cast<const v1::NextTaskRequest*>(&request)) {
    return CheckPoll(*poll);
  }
  const auto* field = request.GetDescriptor()->FindFieldByName("header");
  if (field == nullptr || field->message_type() != v1::Header::descriptor()) {
    return Refused(method, "is not a call that this site makes");
  }
  v1::Header header;
  header.CopyFrom(request.GetReflection()->GetMessage(request, field));
  HILUM_RETURN_IF_ERROR(CheckHeader(header));
  if (const auto* fetch = dynamic_cast<const v1::FetchBlobRequest*>(&request)) {
    return CheckFetch(*fetch);
  }
  if (const auto* chunk =
          dynamic_cast<const v1::UploadChunkRequest*>(&request)) {
    return CheckChunk(*chunk);
  }
  if (const auto* census =
          dynamic_cast<const v1::SubmitCensusRequest*>(&request)) {
    return CheckCensus(*census);
  }
  if (const auto* update =
          dynamic_cast<const v1::SubmitUpdateRequest*>(&request)) {
    return CheckUpload(header.study_hash(), update->update());
  }
  if (const auto* evaluation =
          dynamic_cast<const v1::SubmitEvaluationRequest*>(&request)) {
    return CheckEvaluation(*evaluation);
  }
  if (const auto* step =
          dynamic_cast<const v1::SubmitSecureStepRequest*>(&request)) {
    return CheckStep(*step);
  }
  return Refused(method, "is not a call that this site makes");
}

}  // namespace hilum
