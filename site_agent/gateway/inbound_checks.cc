// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/inbound_checks.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "google/protobuf/descriptor.h"

namespace hilum {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kMaxReceiptBody = 512;
constexpr size_t kMaxSignature = 80;
// A task has a census and, for each site, at most one entry of a roster.
constexpr uint64_t kTaskBytes = 128 << 10;
constexpr uint64_t kTaskBytesOfASite = 5 << 10;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::Status CheckHash(absl::string_view what, absl::string_view hash) {
  if (hash.size() == kHashBytes) return absl::OkStatus();
  return Bad(absl::StrCat(what, ": a hash of ", hash.size(), " bytes, not ",
                          kHashBytes));
}

absl::Status CheckVersion(const v1::Header& header) {
  if (header.protocol_version() == kProtocolVersion) return absl::OkStatus();
  return Bad(absl::StrCat(
      "the coordinator speaks protocol ", header.protocol_version(),
      ", this site ", kProtocolVersion, "; install the same release on both"));
}

absl::Status CheckRound(const v1::Task& task, uint32_t last_round) {
  switch (task.kind()) {
    case v1::Task::PREPARE:
    case v1::Task::TRAIN:
    case v1::Task::EVALUATE:
      break;
    default:
      return Bad("task.kind: none that this release knows");
  }
  if (task.header().round() <= last_round) return absl::OkStatus();
  return Bad(absl::StrCat("task.header.round: ", task.header().round(),
                          ", where the study's last one is ", last_round));
}

// Checks a blob that a task names as `name`.
absl::Status CheckBlob(absl::string_view name, const v1::BlobRef& blob,
                       const StudyFacts& study) {
  if (blob.sha256().empty() && blob.size() == 0) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(CheckHash(absl::StrCat("task.", name), blob.sha256()));
  const bool is_start = blob.sha256() == study.study.initial_weights_sha256() &&
                        blob.size() == study.initial_bytes;
  if (name == "global") {
    if (is_start || blob.size() == study.model_bytes) return absl::OkStatus();
    return Bad(absl::StrCat("task.global: a blob of ", blob.size(),
                            " bytes, where the study's model has ",
                            study.model_bytes));
  }
  const uint64_t most = name == "census_opening" || name == "last_opening"
                            ? InboundChecks::kMostOpeningBytes
                            : study.initial_bytes;
  if (blob.size() >= 1 && blob.size() <= most) return absl::OkStatus();
  return Bad(absl::StrCat("task.", name, ": a blob of ", blob.size(),
                          " bytes, of at most ", most));
}

// A blob that the task itself names, with its field.
struct NamedBlob {
  std::string field;
  v1::BlobRef blob;
};

std::vector<NamedBlob> BlobsOf(const v1::Task& task) {
  std::vector<NamedBlob> blobs;
  const auto& type = *v1::Task::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    if (field.message_type() != v1::BlobRef::descriptor() ||
        field.is_repeated() || !task.GetReflection()->HasField(task, &field)) {
      continue;
    }
    NamedBlob& named = blobs.emplace_back();
    named.field = field.name();
    named.blob.CopyFrom(task.GetReflection()->GetMessage(task, &field));
  }
  return blobs;
}

template <typename List>
bool IsAtMost(const List& list, size_t most) {
  return static_cast<size_t>(list.size()) <= most;
}

absl::Status CheckCensus(const v1::CensusTotals& census,
                         const StudyFacts& study) {
  for (const std::string& site : census.sites()) {
    if (!study.cohort.contains(site)) {
      return Bad("task.census.sites: a site that is not of the study");
    }
  }
  const auto classes = static_cast<size_t>(study.study.classes_size());
  const size_t folds = study.study.cross_validation().folds();
  if (!IsAtMost(census.sites(), study.cohort.size()) ||
      !IsAtMost(census.arms(), static_cast<size_t>(study.study.arms_size())) ||
      !IsAtMost(census.rejected_masks(), classes) ||
      !IsAtMost(census.track_sites(), study.tracks) ||
      !IsAtMost(census.track_class_sites(), study.tracks * classes) ||
      !IsAtMost(census.capped_patients(),
                static_cast<size_t>(study.study.arms_size()) * study.cells) ||
      !IsAtMost(census.capped_unseen_patients(),
                static_cast<size_t>(study.study.arms_size()) * study.cells) ||
      !IsAtMost(census.capped_validation_patients(),
                static_cast<size_t>(study.study.arms_size()) * folds)) {
    return Bad("task.census: not of the study's shape");
  }
  for (const v1::ArmCensus& arm : census.arms()) {
    if (!IsAtMost(arm.fold_class_counts(), study.cells) ||
        !IsAtMost(arm.fold_class_patients(), study.cells) ||
        !IsAtMost(arm.fold_class_seen(), study.cells) ||
        !IsAtMost(arm.fold_class_unseen_patients(), study.cells) ||
        !IsAtMost(arm.fold_validation_patients(), folds) ||
        !IsAtMost(arm.fingerprint().grays(), 32) ||
        !IsAtMost(arm.fingerprint().sides(), 6)) {
      return Bad("task.census.arms: not of the study's shape");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckReceipt(const v1::Receipt& receipt) {
  if (receipt.body().size() <= kMaxReceiptBody &&
      receipt.signature().size() <= kMaxSignature) {
    return absl::OkStatus();
  }
  return Bad(absl::StrCat("receipt: ", receipt.body().size(), " bytes and ",
                          receipt.signature().size(), " of signature, of at ",
                          "most ", kMaxReceiptBody, " and ", kMaxSignature));
}

}  // namespace

absl::Status InboundChecks::CheckOffer(const v1::StudyOffer& offer) const {
  if (offer.study().size() > Approvals::kMaxStudyBytes) {
    return Bad(absl::StrCat("offer: a study of ", offer.study().size(),
                            " bytes, of at most ", Approvals::kMaxStudyBytes));
  }
  absl::StatusOr<StudyFacts> study = FactsOfStudy(offer.study());
  if (!study.ok()) {
    return Bad(absl::StrCat("offer: not a study that this release can work ",
                            "on: ", study.status().message()));
  }
  if (study->study.protocol_version() != kProtocolVersion) {
    return Bad(absl::StrCat("offer: a study of protocol ",
                            study->study.protocol_version(), ", not ",
                            kProtocolVersion));
  }
  if (!study->cohort.contains(facts_.site())) {
    return Bad(absl::StrCat("offer: a study that does not name this site, ",
                            facts_.site()));
  }
  if (approvals_.Offered().contains(Sha256Of(offer.study()))) {
    return Bad("offer: a study that was offered before");
  }
  const Approvals::Waiting waiting = approvals_.Undecided();
  if (waiting.count < kMostUndecided &&
      waiting.bytes + offer.study().size() <= kMostUndecidedBytes) {
    return absl::OkStatus();
  }
  return Bad(absl::StrCat("offer: ", waiting.count, " studies of ",
                          waiting.bytes,
                          " bytes wait for the officer already; "
                          "decide on them with `hilum-site study approve` or "
                          "`refuse`"));
}

absl::Status InboundChecks::CheckApproved(const v1::Header& header) const {
  HILUM_RETURN_IF_ERROR(CheckHash("header.study_hash", header.study_hash()));
  if (approvals_.Approved().contains(header.study_hash())) {
    return absl::OkStatus();
  }
  return Bad(absl::StrCat("header.study_hash: study ",
                          ToHex(header.study_hash()),
                          ", which this site's officer has not approved, or "
                          "which has ended"));
}

absl::Status InboundChecks::CheckEnded(v1::StudyEnded& ended) const {
  HILUM_RETURN_IF_ERROR(CheckApproved(ended.header()));
  ended.set_reason(Printable(ended.reason(), kMaxReason));
  return absl::OkStatus();
}

absl::Status InboundChecks::TakeTask(const v1::Task& task) {
  HILUM_RETURN_IF_ERROR(CheckVersion(task.header()));
  HILUM_RETURN_IF_ERROR(CheckApproved(task.header()));
  const std::string& hash = task.header().study_hash();
  HILUM_ASSIGN_OR_RETURN(auto study, facts_.Study(hash));
  const uint64_t most = kTaskBytes + kTaskBytesOfASite * study->cohort.size();
  if (task.ByteSizeLong() > most) {
    return Bad(absl::StrCat("task: ", task.ByteSizeLong(),
                            " bytes, of at most ", most));
  }
  HILUM_RETURN_IF_ERROR(CheckRound(task, study->last_round));
  HILUM_RETURN_IF_ERROR(CheckCensus(task.census(), *study));
  if (!IsAtMost(task.choices(), study->tracks)) {
    return Bad("task.choices: of more tracks than the study has");
  }
  HILUM_RETURN_IF_ERROR(CheckStepSizes(task.secure(), study->cohort.size()));
  const std::vector<NamedBlob> blobs = BlobsOf(task);
  for (const NamedBlob& named : blobs) {
    HILUM_RETURN_IF_ERROR(CheckBlob(named.field, named.blob, *study));
  }
  for (const NamedBlob& named : blobs) {
    if (named.blob.size() > 0) facts_.AnnounceBlob(hash, named.blob);
  }
  if (!task.secure().sum_id().empty()) {
    facts_.AnnounceSum(hash, task.secure().sum_id());
  }
  return absl::OkStatus();
}

absl::Status InboundChecks::CheckChunk(
    const v1::FetchBlobRequest& request,
    const v1::FetchBlobResponse& response) const {
  if (response.data().size() > request.max_bytes()) {
    return Bad(absl::StrCat("chunk: ", response.data().size(), " bytes, where ",
                            request.max_bytes(), " were asked for"));
  }
  absl::StatusOr<uint64_t> size =
      facts_.SizeOf(request.header().study_hash(), request.sha256());
  if (size.ok() && response.total_size() == *size) return absl::OkStatus();
  return Bad(absl::StrCat("chunk: of a blob of ", response.total_size(),
                          " bytes, another length than was announced"));
}

absl::Status InboundChecks::TakeNext(v1::NextTaskResponse& next) {
  if (next.has_offer()) {
    absl::Status good = CheckOffer(next.offer());
    if (!good.ok()) facts_.RefuseOffer(Sha256Of(next.offer().study()));
    return good;
  }
  if (next.has_ended()) return CheckEnded(*next.mutable_ended());
  if (next.has_task()) return TakeTask(next.task());
  return absl::OkStatus();
}

absl::Status InboundChecks::Take(const google::protobuf::Message& request,
                                 google::protobuf::Message& response) {
  response.DiscardUnknownFields();
  if (auto* next = dynamic_cast<v1::NextTaskResponse*>(&response)) {
    return TakeNext(*next);
  }
  if (const auto* submitted = dynamic_cast<v1::SubmitResponse*>(&response)) {
    return CheckReceipt(submitted->receipt());
  }
  if (const auto* chunk = dynamic_cast<v1::FetchBlobResponse*>(&response)) {
    return CheckChunk(dynamic_cast<const v1::FetchBlobRequest&>(request),
                      *chunk);
  }
  if (const auto* stored = dynamic_cast<v1::UploadChunkResponse*>(&response)) {
    const auto& chunk = dynamic_cast<const v1::UploadChunkRequest&>(request);
    if (stored->stored() <= chunk.blob().size()) return absl::OkStatus();
    return Bad("upload: the coordinator says that it has more than there is");
  }
  return Bad("an answer that this release does not know");
}

}  // namespace hilum
