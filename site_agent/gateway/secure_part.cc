// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/secure_part.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/crypto/short_hash.h"
#include "site_agent/gateway/update_file.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using Shown = v1::SecureStep;

constexpr size_t kSumIdSize = 32;
constexpr size_t kSha256Size = 32;

Said SaidIn(const v1::Task& task) {
  Said said;
  *said.mutable_header() = task.header();
  said.set_sum_id(task.secure().sum_id());
  return said;
}

// Returns the error for a fault of this site's own files. It must not blame the
// coordinator, whatever code the file error has: PERMISSION_DENIED would refuse
// the study.
absl::Status OwnFailure(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) return status;
  return absl::AbortedError(status.message());
}

// The keys, the masks and the vector depend on the round, and the revealed
// shares are noted under it, so a sum must stay in its round.
absl::Status CheckSameRound(const v1::Header& began, const v1::Header& now) {
  if (began.round() == now.round() && began.study_hash() == now.study_hash()) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "secure aggregation: the coordinator asks in round ", now.round(),
      " of study ", ShortHash(now.study_hash()), " for a sum of ", "round ",
      began.round(), " of ", ShortHash(began.study_hash())));
}

}  // namespace

std::string SecurePart::RevealedPath(const v1::Header& header) const {
  return absl::StrCat(options_.studies_dir, "/", ToHex(header.study_hash()),
                      ".revealed");
}

absl::StatusOr<std::optional<v1::RevealedOnce>> SecurePart::Revealed(
    const v1::Header& header) const {
  const std::string path = RevealedPath(header);
  absl::StatusOr<std::string> bytes = ReadFile(path);
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  if (!bytes.ok()) return OwnFailure(bytes.status());
  const std::string sha256 = bytes->substr(0, kSha256Size);
  const std::string message = bytes->substr(sha256.size());
  v1::RevealedOnce revealed;
  if (Sha256Of(message) == sha256 && revealed.ParseFromString(message) &&
      revealed.said().header().study_hash() == header.study_hash()) {
    return revealed;
  }
  return absl::DataLossError(absl::StrCat(
      path, ": changed since it was written; without it this site cannot tell ",
      "in which rounds it has revealed shares"));
}

absl::Status SecurePart::CheckRound(const v1::Header& header) const {
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::RevealedOnce> revealed,
                         Revealed(header));
  if (!revealed.has_value() ||
      revealed->said().header().round() < header.round()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("secure aggregation: a sum of round ", header.round(),
                   " is asked for; ", "this site has revealed shares in round ",
                   revealed->said().header().round(),
                   " and takes part in no other sum up to it"));
}

absl::Status SecurePart::CheckOneList(const v1::Task& task, const Asked& asked,
                                      const std::set<SiteId>& survivors) const {
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::RevealedOnce> revealed,
                         Revealed(task.header()));
  std::set<SiteId> before = survivors;
  if (revealed.has_value() &&
      revealed->kind() == static_cast<uint32_t>(task.kind()) &&
      revealed->model_sha256() == model_sha256_) {
    before.clear();
    for (const std::string& name : revealed->survivors()) before.emplace(name);
  }
  if (before == survivors) {
    return lists().Check(subjects_, task.header().study_hash(), survivors,
                         asked.may_differ);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "secure aggregation: this site has revealed shares of a sum about this ",
      "very model, in round ", revealed->said().header().round(),
      ", over other sites; two sums about one model that differ in a site "
      "tell ",
      "that site's part"));
}

absl::Status SecurePart::CheckAsked(const v1::Task& task,
                                    const SecAggContext& context) const {
  if (options_.credentials == nullptr) {
    return absl::FailedPreconditionError(
        "secure aggregation: this site has no certificate");
  }
  if (!context.cohort.contains(options_.site)) {
    return absl::FailedPreconditionError(
        absl::StrCat("secure aggregation: the study does not name this site, ",
                     options_.site.name()));
  }
  if (task.secure().sum_id().size() == kSumIdSize) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("secure aggregation: a sum with an id of ",
                   task.secure().sum_id().size(), " bytes"));
}

absl::Status SecurePart::Begin(const v1::Task& task, const Asked& asked) {
  HILUM_RETURN_IF_ERROR(CheckRound(task.header()));
  if (!task.secure().has_advertise_keys()) {
    return absl::FailedPreconditionError(
        "secure aggregation: this site has no keys of the sum: it gave "
        "none, or has restarted since");
  }
  client_ = std::make_unique<SecAggClient>(
      asked.context, options_.site, *options_.credentials, *options_.rng);
  sum_id_ = task.secure().sum_id();
  header_ = task.header();
  model_sha256_ = asked.model_sha256;
  // A census and an evaluation are about a model too, but do not train on it.
  subjects_.clear();
  if (task.kind() == v1::Task::TRAIN) {
    subjects_.push_back(asked.model_sha256);
    if (!asked.start_sha256.empty()) subjects_.push_back(asked.start_sha256);
  }
  answered_.clear();
  to_share_.reset();
  to_reveal_.reset();
  left_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::StatusOr<Said> SecurePart::Answer(const v1::Task& task,
                                        const Asked& asked,
                                        const std::string& vector_path,
                                        const std::string& masked_path) {
  const Shown& shown = task.secure();
  HILUM_RETURN_IF_ERROR(CheckAsked(task, asked.context));
  if (shown.sum_id() != sum_id_) {
    HILUM_ASSIGN_OR_RETURN(std::optional<v1::RevealedOnce> revealed,
                           Revealed(task.header()));
    if (revealed.has_value() && revealed->said().sum_id() == shown.sum_id()) {
      HILUM_RETURN_IF_ERROR(
          CheckSameRound(revealed->said().header(), task.header()));
      // The same bytes again reveal nothing more.
      if (shown.has_confirmations()) return revealed->said();
    }
    HILUM_RETURN_IF_ERROR(Begin(task, asked));
  }
  if (!left_.ok()) return left_;
  absl::StatusOr<Said> said = AnswerOnce(task, asked, vector_path, masked_path);
  if (!absl::IsResourceExhausted(said.status())) left_ = said.status();
  return said;
}

absl::StatusOr<Said> SecurePart::AnswerOnce(const v1::Task& task,
                                            const Asked& asked,
                                            const std::string& vector_path,
                                            const std::string& masked_path) {
  HILUM_RETURN_IF_ERROR(CheckSameRound(header_, task.header()));
  const Shown& shown = task.secure();
  const std::string sha256 = Sha256Of(shown.SerializeAsString());
  auto before = answered_.find(shown.shown_case());
  if (before == answered_.end()) {
    HILUM_ASSIGN_OR_RETURN(Said said,
                           Take(task, asked, vector_path, masked_path));
    answered_.emplace(shown.shown_case(), Answered{sha256, said});
    return said;
  }
  if (before->second.shown_sha256 == sha256) return before->second.said;
  return absl::PermissionDeniedError(
      "secure aggregation: the coordinator shows one step of a sum twice, "
      "with differences");
}

absl::StatusOr<Said> SecurePart::Take(const v1::Task& task, const Asked& asked,
                                      const std::string& vector_path,
                                      const std::string& masked_path) {
  switch (task.secure().shown_case()) {
    case Shown::kAdvertiseKeys: {
      Said said = SaidIn(task);
      HILUM_ASSIGN_OR_RETURN(*said.mutable_keys(),
                             client_->AdvertiseKeys(asked.checksum));
      return said;
    }
    case Shown::kRoster:
      return Share(task, asked);
    case Shown::kInbox:
      return Mask(task, asked, vector_path, masked_path);
    case Shown::kSurvivors:
      return Confirm(task, asked);
    case Shown::kConfirmations:
      return Unmask(task);
    default:
      return absl::InvalidArgumentError(
          "secure aggregation: a step that this release does not know");
  }
}

absl::StatusOr<Said> SecurePart::Share(const v1::Task& task,
                                       const Asked& asked) {
  const std::string sha256 =
      Sha256Of(task.secure().roster().SerializeAsString());
  if (!to_share_.has_value()) {
    HILUM_ASSIGN_OR_RETURN(to_share_,
                           client_->ShareKeys(task.secure().roster()));
    roster_sha256_ = sha256;
  }
  // Only the signatures of the first roster were checked.
  if (sha256 != roster_sha256_) {
    return absl::PermissionDeniedError(
        "secure aggregation: the coordinator shows another roster than the "
        "one that this site has begun to check");
  }
  // The keys are now known to be the sites' own, and so are the checksums
  // beside them. A full disk may interrupt the check, which is then repeated.
  HILUM_RETURN_IF_ERROR(asked.check_roster(task.secure().roster()));
  Said said = SaidIn(task);
  *said.mutable_shares() = *to_share_;
  return said;
}

absl::StatusOr<Said> SecurePart::Mask(const v1::Task& task, const Asked& asked,
                                      const std::string& vector_path,
                                      const std::string& masked_path) {
  Said said = SaidIn(task);
  HILUM_RETURN_IF_ERROR(client_->MaskedInput(task.secure().inbox()));
  absl::StatusOr<v1::BlobRef> masked =
      MaskVectorFile(vector_path, asked.vector_sha256, masked_path,
                     [this](uint64_t first, absl::Span<uint32_t> values) {
                       client_->Mask(first, values);
                     });
  // The masks are used up even if the file failed, also on a full disk.
  if (!masked.ok()) return absl::AbortedError(masked.status().message());
  said.set_vector_signature(client_->SignVector(masked->sha256()));
  *said.mutable_masked() = *std::move(masked);
  return said;
}

absl::StatusOr<Said> SecurePart::Confirm(const v1::Task& task,
                                         const Asked& asked) {
  Said said = SaidIn(task);
  std::set<SiteId> survivors;
  for (const std::string& name : task.secure().survivors().sites()) {
    survivors.emplace(name);
  }
  HILUM_RETURN_IF_ERROR(CheckOneList(task, asked, survivors));
  HILUM_RETURN_IF_ERROR(asked.check_survivors(survivors));
  HILUM_ASSIGN_OR_RETURN(*said.mutable_confirmation(),
                         client_->Confirm(task.secure().survivors()));
  survivors_ = std::move(survivors);
  return said;
}

absl::StatusOr<Said> SecurePart::Unmask(const v1::Task& task) {
  if (!to_reveal_.has_value()) {
    HILUM_ASSIGN_OR_RETURN(to_reveal_,
                           client_->Unmask(task.secure().confirmations()));
  }
  v1::RevealedOnce revealed;
  Said& said = *revealed.mutable_said();
  said = SaidIn(task);
  *said.mutable_revealed() = *to_reveal_;
  revealed.set_kind(task.kind());
  revealed.set_model_sha256(model_sha256_);
  for (const SiteId& site : survivors_) revealed.add_survivors(site.name());
  const absl::Status noted =
      lists().Note(subjects_, task.header().study_hash(), survivors_);
  if (!noted.ok()) return OwnFailure(noted);
  const std::string bytes = revealed.SerializeAsString();
  const absl::Status written =
      WriteFileAtomically(RevealedPath(task.header()), Sha256Of(bytes) + bytes,
                          Durability::kSync, 0600);
  if (!written.ok()) return OwnFailure(written);
  return said;
}

}  // namespace hilum
