// SPDX-License-Identifier: Apache-2.0
// The calls of sites.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "coordinator/federation_core.h"
#include "coordinator/unable_sites.h"

namespace hilum {
namespace {

constexpr uint32_t kMaxChunkBytes = 4 << 20;

bool Contains(const google::protobuf::RepeatedPtrField<std::string>& hashes,
              const std::string& hash) {
  return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
}

void FillEnded(const ActiveStudy& study, const std::string* exclusion,
               v1::NextTaskResponse& response) {
  v1::StudyEnded& ended = *response.mutable_ended();
  *ended.mutable_header() = study.MakeHeader(study.machine().round());
  ended.set_completed(exclusion == nullptr &&
                      study.machine().phase() == v1::StudyStatus::COMPLETED);
  ended.set_reason(exclusion == nullptr ? study.machine().reason()
                                        : *exclusion);
}

}  // namespace

absl::Status FederationCore::CheckVersion(const v1::Header& header) {
  if (header.protocol_version() == kProtocolVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the site speaks protocol ", header.protocol_version(),
                   ", this coordinator ", kProtocolVersion,
                   "; install the same release on both"));
}

absl::StatusOr<ActiveStudy*> FederationCore::StudyOf(const SiteId& site,
                                                     const v1::Header& header) {
  HILUM_RETURN_IF_ERROR(CheckVersion(header));
  if (shutdown_) return absl::UnavailableError("coordinator shutting down");
  for (const auto& study : studies_) {
    if (study->stored().hash != header.study_hash()) continue;
    if (study->HasSite(site)) return study.get();
    return absl::PermissionDeniedError(absl::StrCat(
        "site ", site.name(), " is not of study ", study->study().name()));
  }
  return absl::NotFoundError(
      absl::StrCat("no study ", ToHex(header.study_hash()), " here"));
}

UploadSpool::Key FederationCore::UploadKey(const SiteId& site,
                                           const v1::Header& header,
                                           const v1::BlobRef& blob) const {
  return {.study_hash = header.study_hash(),
          .site = site,
          .round = header.round(),
          .sha256 = blob.sha256(),
          .size = blob.size()};
}

void FederationCore::Refuse(ActiveStudy& study, const SiteId& site,
                            const absl::Status& reason) {
  if (study.machine().answered().contains(site)) return;
  options_.log(absl::StrCat("warning: study ", study.study().name(), ", round ",
                            study.machine().round(), ": ", site.name(),
                            " is out of this round: ", reason.message()));
  study.machine().Refuse(site, std::string(reason.message()));
  Advance(study);
}

absl::Status FederationCore::Withdraw(ActiveStudy& study, const SiteId& site,
                                      v1::UnableReason reason) {
  StoredStudy& stored = study.stored();
  auto census = stored.census.find(site);
  if (census != stored.census.end()) {
    v1::SubmitCensusRequest withdrawn = census->second;
    withdrawn.set_unable(true);
    withdrawn.set_unable_reason(reason);
    HILUM_RETURN_IF_ERROR(storage_->PutCensus(stored.hash, site, withdrawn));
    census->second = std::move(withdrawn);
  }
  options_.log(absl::StrCat("warning: study ", study.study().name(), ": ",
                            site.name(),
                            " cannot work on it for now: ", WordsOf(reason)));
  study.machine().Withdraw(site, WordsOf(reason));
  Advance(study);
  return absl::OkStatus();
}

absl::Status FederationCore::PutCensus(ActiveStudy& study, const SiteId& site,
                                       const v1::SubmitCensusRequest& census) {
  if (study.machine().IsPrepared(site)) return absl::OkStatus();
  StoredStudy& stored = study.stored();
  // A repeated census does not change the counts: the first ones stay, so that
  // the weights of an open round stay too. The header's round, which is 0, is
  // replaced by the first round in which the census counts.
  v1::SubmitCensusRequest put = census;
  put.mutable_header()->set_round(study.NextCensusRound());
  if (stored.census.contains(site)) put = stored.census.at(site);
  put.clear_unable();
  put.clear_unable_reason();
  HILUM_RETURN_IF_ERROR(storage_->PutCensus(stored.hash, site, put));
  stored.census[site] = std::move(put);
  study.machine().Accept(site);
  Advance(study);
  return absl::OkStatus();
}

v1::SubmitResponse FederationCore::Receipt(
    const SiteId& site, const v1::Header& header, absl::string_view method,
    const google::protobuf::Message& request,
    absl::string_view update_sha256) const {
  v1::ReceiptBody body;
  *body.mutable_header() = header;
  body.set_site(site.name());
  body.set_method(std::string(method));
  body.set_request_sha256(Sha256Of(request.SerializeAsString()));
  body.set_update_sha256(std::string(update_sha256));
  v1::SubmitResponse response;
  v1::Receipt& receipt = *response.mutable_receipt();
  receipt.set_body(body.SerializeAsString());
  if (options_.sign) receipt.set_signature(options_.sign(receipt.body()));
  return response;
}

bool FederationCore::Answer(ActiveStudy& study, const SiteId& site,
                            const v1::NextTaskRequest& request,
                            v1::NextTaskResponse& response) {
  const std::string& hash = study.stored().hash;
  const std::string* exclusion = study.machine().ExclusionOf(site);
  bool approved = Contains(request.approved_studies(), hash);
  bool known = Contains(request.known_studies(), hash);
  if (approved && known) {  // the officer refused
    if (!study.Ended() && exclusion == nullptr) {
      options_.log(absl::StrCat("study ", study.study().name(), ": ",
                                site.name(), " declined"));
      study.machine().Exclude(site, "its officer declined the study");
      Advance(study);
    }
    return false;
  }
  if (!approved) {
    if (known || study.Ended()) return false;
    response.mutable_offer()->set_study(study.stored().study);
    return true;
  }
  if (study.Ended() || exclusion != nullptr) {
    FillEnded(study, exclusion, response);
    return true;
  }
  v1::Task::Kind kind = study.machine().TaskFor(site);
  if (kind == v1::Task::KIND_UNSPECIFIED) return false;
  *response.mutable_task() = study.MakeTask(kind, site);
  return true;
}

absl::StatusOr<v1::FetchBlobResponse> FederationCore::FetchBlob(
    const SiteId& site, const v1::FetchBlobRequest& request) {
  std::optional<UploadSpool::Key> vector;
  {
    absl::MutexLock lock(&mutex_);
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           StudyOf(site, request.header()));
    for (const UploadSpool::Key& key : KeptVectors(*study)) {
      if (key.sha256 == request.sha256()) vector = key;
    }
    if (!vector.has_value() && !study->IsServed(request.sha256())) {
      return absl::NotFoundError(absl::StrCat("blob ", ToHex(request.sha256()),
                                              " is not of this round"));
    }
  }
  if (vector.has_value()) return FetchVector(*vector, request);
  HILUM_ASSIGN_OR_RETURN(
      BlobStore::Chunk chunk,
      blobs_.Read(request.sha256(), request.offset(),
                  std::min(request.max_bytes(), kMaxChunkBytes)));
  v1::FetchBlobResponse response;
  response.set_data(std::move(chunk.data));
  response.set_total_size(chunk.total_size);
  return response;
}

absl::StatusOr<v1::FetchBlobResponse> FederationCore::FetchVector(
    const UploadSpool::Key& key, const v1::FetchBlobRequest& request) {
  v1::FetchBlobResponse response;
  HILUM_ASSIGN_OR_RETURN(
      *response.mutable_data(),
      uploads_->Read(key, request.offset(),
                     std::min(request.max_bytes(), kMaxChunkBytes)));
  response.set_total_size(key.size);
  return response;
}

absl::StatusOr<v1::UploadChunkResponse> FederationCore::UploadChunk(
    const SiteId& site, const v1::UploadChunkRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           StudyOf(site, request.header()));
    const uint32_t round = request.header().round();
    if (study->IsSecure()) {
      HILUM_RETURN_IF_ERROR(study->machine().CheckVector(site, round));
      study->machine().OnVectorPiece(clock_.Now());
    } else {
      HILUM_RETURN_IF_ERROR(
          study->machine().Check(site, v1::Task::TRAIN, round));
    }
    auto accepted = study->stored().updates.find(site);
    if (accepted != study->stored().updates.end() &&
        accepted->second.update().sha256() != request.blob().sha256()) {
      return absl::FailedPreconditionError(
          "this site's update of the round is in already");
    }
    absl::Status good = study->CheckVector(request.blob());
    if (!good.ok()) {
      Refuse(*study, site, good);
      return good;
    }
  }
  HILUM_ASSIGN_OR_RETURN(
      uint64_t stored,
      uploads_->Append(UploadKey(site, request.header(), request.blob()),
                       request.offset(), request.data()));
  v1::UploadChunkResponse response;
  response.set_stored(stored);
  return response;
}

absl::StatusOr<v1::SubmitResponse> FederationCore::SubmitCensus(
    const SiteId& site, const v1::SubmitCensusRequest& request) {
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(study->machine().Check(site, v1::Task::PREPARE, 0));
  if (request.unable()) {
    HILUM_RETURN_IF_ERROR(Withdraw(*study, site, request.unable_reason()));
    return Receipt(site, request.header(), "SubmitCensus", request, "");
  }
  absl::Status good = study->CheckCensus(request);
  if (!good.ok()) {
    options_.log(absl::StrCat("warning: study ", study->study().name(), ": ",
                              site.name(), " is out: ", good.message()));
    study->machine().Exclude(site, std::string(good.message()));
    Advance(*study);
    return good;
  }
  HILUM_RETURN_IF_ERROR(PutCensus(*study, site, request));
  return Receipt(site, request.header(), "SubmitCensus", request, "");
}

absl::StatusOr<v1::SubmitResponse> FederationCore::SubmitUpdate(
    const SiteId& site, const v1::SubmitUpdateRequest& request) {
  UploadSpool::Key key = UploadKey(site, request.header(), request.update());
  {
    absl::MutexLock lock(&mutex_);
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           StudyOf(site, request.header()));
    if (study->IsSecure()) {
      return absl::FailedPreconditionError(
          "the study has secure aggregation: it takes no update unmasked");
    }
    HILUM_RETURN_IF_ERROR(study->machine().Check(site, v1::Task::TRAIN,
                                                 request.header().round()));
    absl::Status good = study->CheckVector(request.update());
    if (!good.ok()) {
      Refuse(*study, site, good);
      return good;
    }
  }
  HILUM_RETURN_IF_ERROR(uploads_->Complete(key).status());

  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(
      study->machine().Check(site, v1::Task::TRAIN, request.header().round()));
  if (!study->stored().updates.contains(site)) {
    HILUM_RETURN_IF_ERROR(
        storage_->PutUpdate(study->stored().hash, site, request));
    study->stored().updates[site] = request;
    study->machine().Accept(site);
    Advance(*study);
  }
  return Receipt(site, request.header(), "SubmitUpdate", request,
                 request.update().sha256());
}

absl::StatusOr<v1::SubmitResponse> FederationCore::SubmitEvaluation(
    const SiteId& site, const v1::SubmitEvaluationRequest& request) {
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(study->machine().Check(site, v1::Task::EVALUATE,
                                               request.header().round()));
  if (request.unable()) {
    Refuse(*study, site,
           absl::AbortedError("could not evaluate, its own log says why"));
    return Receipt(site, request.header(), "SubmitEvaluation", request, "");
  }
  absl::Status good = study->CheckEvaluation(request);
  if (!good.ok()) {
    Refuse(*study, site, good);
    return good;
  }
  if (!study->stored().evaluations.contains(site)) {
    HILUM_RETURN_IF_ERROR(
        storage_->PutEvaluation(study->stored().hash, site, request));
    study->stored().evaluations[site] = request;
    // Beside a masked sum this is the site's published evaluation, not its
    // answer.
    if (!study->IsSecure()) study->machine().Accept(site);
    Advance(*study);
  }
  return Receipt(site, request.header(), "SubmitEvaluation", request, "");
}

absl::Status FederationCore::CheckMasked(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           StudyOf(site, request.header()));
    const uint32_t round = request.header().round();
    HILUM_RETURN_IF_ERROR(study->machine().CheckStep(site, round));
    const auto& taken = study->machine().sum()->vectors();
    auto own = taken.find(site);
    if (own != taken.end() &&
        own->second.sha256() == request.masked().sha256()) {
      return absl::OkStatus();  // a repeated call
    }
    HILUM_RETURN_IF_ERROR(study->machine().CheckVector(site, round));
    absl::Status good = study->CheckVector(request.masked());
    if (!good.ok()) {
      Refuse(*study, site, good);
      return good;
    }
  }
  return uploads_->Complete(UploadKey(site, request.header(), request.masked()))
      .status();
}

absl::StatusOr<v1::SubmitResponse> FederationCore::SubmitSecureStep(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  if (request.has_masked()) HILUM_RETURN_IF_ERROR(CheckMasked(site, request));
  if (options_.check_checksums && request.has_keys() &&
      !request.keys().checksum().empty()) {
    HILUM_RETURN_IF_ERROR(CheckChecksum(site, request));
  }
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(
      study->machine().CheckStep(site, request.header().round()));
  absl::Status taken = study->machine().OnStep(site, request);
  if (absl::IsInvalidArgument(taken) || absl::IsUnauthenticated(taken)) {
    options_.log(absl::StrCat("warning: study ", study->study().name(),
                              ", round ", study->machine().round(), ": ",
                              site.name(),
                              " is out of its masked sum: ", taken.message()));
  }
  Advance(*study);
  HILUM_RETURN_IF_ERROR(taken);
  return Receipt(site, request.header(), "SubmitSecureStep", request,
                 request.masked().sha256());
}

}  // namespace hilum
