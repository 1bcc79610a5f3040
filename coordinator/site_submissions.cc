// SPDX-License-Identifier: Apache-2.0
#include "coordinator/site_submissions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/secagg/vector_checksum.h"
#include "coordinator/unable_sites.h"

namespace hilum {
namespace {

constexpr uint32_t kMaxChunkBytes = 4 << 20;

}  // namespace

absl::StatusOr<v1::FetchBlobResponse> SiteSubmissions::FetchBlob(
    const SiteId& site, const v1::FetchBlobRequest& request) {
  std::optional<UploadSpool::Key> vector;
  {
    absl::MutexLock lock(&book_.mutex());
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           book_.StudyOf(site, request.header()));
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
      book_.blobs().Read(request.sha256(), request.offset(),
                         std::min(request.max_bytes(), kMaxChunkBytes)));
  v1::FetchBlobResponse response;
  response.set_data(std::move(chunk.data));
  response.set_total_size(chunk.total_size);
  return response;
}

absl::StatusOr<v1::FetchBlobResponse> SiteSubmissions::FetchVector(
    const UploadSpool::Key& key, const v1::FetchBlobRequest& request) {
  v1::FetchBlobResponse response;
  HILUM_ASSIGN_OR_RETURN(
      *response.mutable_data(),
      book_.uploads().Read(key, request.offset(),
                           std::min(request.max_bytes(), kMaxChunkBytes)));
  response.set_total_size(key.size);
  return response;
}

absl::StatusOr<v1::UploadChunkResponse> SiteSubmissions::UploadChunk(
    const SiteId& site, const v1::UploadChunkRequest& request) {
  {
    absl::MutexLock lock(&book_.mutex());
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           book_.StudyOf(site, request.header()));
    const uint32_t round = request.header().round();
    if (study->IsSecure()) {
      HILUM_RETURN_IF_ERROR(study->machine().CheckVector(site, round));
      study->machine().OnVectorPiece(book_.clock().Now());
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
      book_.Refuse(*study, site, good);
      return good;
    }
  }
  HILUM_ASSIGN_OR_RETURN(
      uint64_t stored,
      book_.uploads().Append(UploadKey(site, request.header(), request.blob()),
                             request.offset(), request.data()));
  v1::UploadChunkResponse response;
  response.set_stored(stored);
  return response;
}

absl::StatusOr<v1::SubmitResponse> SiteSubmissions::SubmitCensus(
    const SiteId& site, const v1::SubmitCensusRequest& request) {
  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                         book_.StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(study->machine().Check(site, v1::Task::PREPARE, 0));
  if (request.unable()) {
    HILUM_RETURN_IF_ERROR(Withdraw(*study, site, request.unable_reason()));
    return Receipt(site, request.header(), "SubmitCensus", request, "");
  }
  absl::Status good = study->CheckCensus(request);
  if (!good.ok()) {
    book_.Log(absl::StrCat("warning: study ", study->study().name(), ": ",
                           site.name(), " is out: ", good.message()));
    study->machine().Exclude(site, std::string(good.message()));
    book_.Advance(*study);
    return good;
  }
  HILUM_RETURN_IF_ERROR(PutCensus(*study, site, request));
  return Receipt(site, request.header(), "SubmitCensus", request, "");
}

absl::Status SiteSubmissions::PutCensus(ActiveStudy& study, const SiteId& site,
                                        const v1::SubmitCensusRequest& census) {
  if (study.machine().IsPrepared(site)) return absl::OkStatus();
  StoredStudy& stored = study.stored();
  // A repeated census does not change the counts: the first ones stay, so that
  // the weights of an open round stay too.
  v1::CensusRecord put;
  if (stored.census.contains(site)) {
    put = stored.census.at(site);
  } else {
    *put.mutable_census() = census;
    put.set_counts_from_round(study.NextCensusRound());
  }
  put.clear_withdrawn();
  put.clear_unable_reason();
  HILUM_RETURN_IF_ERROR(book_.storage().PutCensus(stored.hash, site, put));
  stored.census[site] = std::move(put);
  study.machine().Accept(site);
  book_.Advance(study);
  return absl::OkStatus();
}

absl::Status SiteSubmissions::Withdraw(ActiveStudy& study, const SiteId& site,
                                       v1::UnableReason reason) {
  StoredStudy& stored = study.stored();
  auto census = stored.census.find(site);
  if (census != stored.census.end()) {
    v1::CensusRecord withdrawn = census->second;
    withdrawn.set_withdrawn(true);
    withdrawn.set_unable_reason(reason);
    HILUM_RETURN_IF_ERROR(
        book_.storage().PutCensus(stored.hash, site, withdrawn));
    census->second = std::move(withdrawn);
  }
  book_.Log(absl::StrCat("warning: study ", study.study().name(), ": ",
                         site.name(),
                         " cannot work on it for now: ", WordsOf(reason)));
  study.machine().Withdraw(site, WordsOf(reason));
  book_.Advance(study);
  return absl::OkStatus();
}

absl::StatusOr<v1::SubmitResponse> SiteSubmissions::SubmitUpdate(
    const SiteId& site, const v1::SubmitUpdateRequest& request) {
  UploadSpool::Key key = UploadKey(site, request.header(), request.update());
  {
    absl::MutexLock lock(&book_.mutex());
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           book_.StudyOf(site, request.header()));
    if (study->IsSecure()) {
      return absl::FailedPreconditionError(
          "the study has secure aggregation: it takes no update unmasked");
    }
    HILUM_RETURN_IF_ERROR(study->machine().Check(site, v1::Task::TRAIN,
                                                 request.header().round()));
    absl::Status good = study->CheckVector(request.update());
    if (!good.ok()) {
      book_.Refuse(*study, site, good);
      return good;
    }
  }
  HILUM_RETURN_IF_ERROR(book_.uploads().Complete(key).status());

  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                         book_.StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(
      study->machine().Check(site, v1::Task::TRAIN, request.header().round()));
  if (!study->stored().updates.contains(site)) {
    HILUM_RETURN_IF_ERROR(
        book_.storage().PutUpdate(study->stored().hash, site, request));
    study->stored().updates[site] = request;
    study->machine().Accept(site);
    book_.Advance(*study);
  }
  return Receipt(site, request.header(), "SubmitUpdate", request,
                 request.update().sha256());
}

absl::StatusOr<v1::SubmitResponse> SiteSubmissions::SubmitEvaluation(
    const SiteId& site, const v1::SubmitEvaluationRequest& request) {
  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                         book_.StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(study->machine().Check(site, v1::Task::EVALUATE,
                                               request.header().round()));
  if (request.unable()) {
    book_.Refuse(
        *study, site,
        absl::AbortedError("could not evaluate, its own log says why"));
    return Receipt(site, request.header(), "SubmitEvaluation", request, "");
  }
  absl::Status good = study->CheckEvaluation(request);
  if (!good.ok()) {
    book_.Refuse(*study, site, good);
    return good;
  }
  if (!study->stored().evaluations.contains(site)) {
    HILUM_RETURN_IF_ERROR(
        book_.storage().PutEvaluation(study->stored().hash, site, request));
    study->stored().evaluations[site] = request;
    // Beside a masked sum this is the site's published evaluation, not its
    // answer.
    if (!study->IsSecure()) study->machine().Accept(site);
    book_.Advance(*study);
  }
  return Receipt(site, request.header(), "SubmitEvaluation", request, "");
}

absl::Status SiteSubmissions::CheckMasked(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  {
    absl::MutexLock lock(&book_.mutex());
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           book_.StudyOf(site, request.header()));
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
      book_.Refuse(*study, site, good);
      return good;
    }
  }
  return book_.uploads()
      .Complete(UploadKey(site, request.header(), request.masked()))
      .status();
}

absl::Status SiteSubmissions::CheckChecksum(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  std::optional<UploadSpool::Key> vector;
  std::string challenge;
  {
    absl::MutexLock lock(&book_.mutex());
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           book_.StudyOf(site, request.header()));
    HILUM_RETURN_IF_ERROR(
        study->machine().CheckStep(site, request.header().round()));
    challenge = ChecksumChallenge(study->machine().chain());
    for (const UploadSpool::Key& key : KeptVectors(*study)) {
      if (key.site == site) vector = key;
    }
  }
  if (vector.has_value()) {
    absl::StatusOr<std::string> path = book_.uploads().KeptPath(*vector);
    // A vector that is lost here cannot prove a fault of its site.
    if (!path.ok()) return absl::OkStatus();
    absl::StatusOr<VectorChecksum> checksum = ChecksumOfVector(
        *path, static_cast<int64_t>(vector->size / sizeof(uint32_t)),
        challenge);
    if (!checksum.ok() || checksum->ToBytes() == request.keys().checksum()) {
      return absl::OkStatus();
    }
  }
  absl::Status why = absl::InvalidArgumentError(
      absl::StrCat("secure aggregation: the checksum of ", site.name(),
                   " is not that of what it gave to the last sum"));
  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                         book_.StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(
      study->machine().CheckStep(site, request.header().round()));
  book_.Refuse(*study, site, why);
  return why;
}

absl::StatusOr<v1::SubmitResponse> SiteSubmissions::SubmitSecureStep(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  if (request.has_masked()) HILUM_RETURN_IF_ERROR(CheckMasked(site, request));
  if (book_.options().check_checksums && request.has_keys() &&
      !request.keys().checksum().empty()) {
    HILUM_RETURN_IF_ERROR(CheckChecksum(site, request));
  }
  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                         book_.StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(
      study->machine().CheckStep(site, request.header().round()));
  absl::Status taken = study->machine().OnStep(site, request);
  if (absl::IsInvalidArgument(taken) || absl::IsUnauthenticated(taken)) {
    book_.Log(absl::StrCat("warning: study ", study->study().name(), ", round ",
                           study->machine().round(), ": ", site.name(),
                           " is out of its masked sum: ", taken.message()));
  }
  book_.Advance(*study);
  HILUM_RETURN_IF_ERROR(taken);
  return Receipt(site, request.header(), "SubmitSecureStep", request,
                 request.masked().sha256());
}

v1::SubmitResponse SiteSubmissions::Receipt(
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
  if (book_.options().sign)
    receipt.set_signature(book_.options().sign(receipt.body()));
  return response;
}

}  // namespace hilum
