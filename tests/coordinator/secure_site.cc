// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/secure_site.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/study.h"
#include "common/config/track_choice.h"

namespace hilum {
namespace {

VectorLayout LayoutOf(const v1::Study& study) {
  return {.track_size = StudyLayout(study)->travelling_size,
          .num_tracks = static_cast<int>(StudyTracks(study).size()),
          .num_arms = study.arms_size(),
          .validates = IsValidated(study)};
}

}  // namespace

v1::Study FourSiteStudy(bool secure) {
  v1::Study study = TinyStudy();
  for (const char* site : {"c", "d"}) study.add_sites(site);
  // Keeps the vectors at a few thousand words.
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  v1::Aggregation& rules = *study.mutable_aggregation();
  rules.set_minimum_sites(3);
  rules.set_step_deadline_seconds(60);
  rules.set_round_deadline_seconds(600);
  rules.set_secure_aggregation(secure
                                   ? v1::Aggregation::SECURE_AGGREGATION_ON
                                   : v1::Aggregation::SECURE_AGGREGATION_OFF);
  return study;
}

v1::Study ValidatedStudy(bool secure) {
  v1::Study study = FourSiteStudy(secure);
  study.mutable_training()->mutable_validation()->set_share(0.2);
  return study;
}

v1::Study PatientStudy(bool secure) {
  v1::Study study = ValidatedStudy(secure);
  study.mutable_training()->mutable_validation()->set_patience(1);
  return study;
}

std::vector<double> ValidationLossesOf(const std::string& site,
                                       uint32_t round) {
  const double loss = 0.25 * (site[0] - 'a' + 1) + 0.125 * round;
  return {loss, loss, loss};
}

std::vector<double> CrossingLossesOf(const std::string& site, uint32_t round) {
  const double of_site = 0.25 * (site[0] - 'a' + 1);
  return {of_site + 0.125 * round, of_site + 0.125 / round,
          round % 2 == 0 ? of_site : std::nan("")};
}

std::vector<float> DeltaOf(const std::string& site, uint32_t round) {
  static const auto size =
      static_cast<size_t>(StudyLayout(FourSiteStudy(true))->travelling_size) *
      3;
  std::vector<float> delta(size);
  const float most = 0.01f * static_cast<float>(site[0] - 'a' + 3);
  for (size_t i = 0; i < size; ++i) {
    delta[i] = most * static_cast<float>((i * round) % 17) - 0.05f;
  }
  return delta;
}

SecureSite::SecureSite(const std::unique_ptr<FederationCore>& core,
                       std::string name, std::string hash,
                       const v1::Study& study, const std::string& folder)
    : core_(core),
      name_(std::move(name)),
      hash_(std::move(hash)),
      study_(study),
      masked_path_(absl::StrCat(folder, "/masked")),
      sums_(SiteId(name_)),
      blobs_(BlobCache::Open(absl::StrCat(folder, "/blobs")).value()),
      transfer_(
          [this](absl::string_view method,
                 const google::protobuf::Message& request,
                 google::protobuf::Message* response) -> absl::Status {
            if (method != "FetchBlob") return absl::UnimplementedError(method);
            HILUM_ASSIGN_OR_RETURN(
                v1::FetchBlobResponse fetched,
                core_->FetchBlob(
                    SiteId(name_),
                    static_cast<const v1::FetchBlobRequest&>(request)));
            response->CopyFrom(fetched);
            return absl::OkStatus();
          },
          blobs_),
      follower_({.study_hash = hash_,
                 .study = study_,
                 .parameters = StudyLayout(study_).value(),
                 .layout = LayoutOf(study_),
                 .site = SiteId(name_),
                 .credentials = &sums_.credentials(),
                 .blobs = &blobs_,
                 .transfer = &transfer_,
                 .state_path = absl::StrCat(folder, "/chain")}) {
  census = TinyCensus(IsValidated(study_));
}

FakeSite SecureSite::AsFake(uint32_t round) const {
  FakeSite site = AsFake();
  if (!IsValidated(study_)) return site;
  site.validation_loss = 0;
  site.track_losses = losses_of(name_, round);
  return site;
}

std::vector<uint64_t> SecureSite::ExamplesNow() const {
  std::vector<uint64_t> examples = TrackExamples(study_, follower_.cohort());
  LeaveOutStopped(follower_.chain().choices(), examples);
  return examples;
}

std::vector<uint32_t> SecureSite::VectorFor(const v1::Task& task) const {
  switch (task.kind()) {
    case v1::Task::PREPARE:
      return EncodeCensus(study_, census).value();
    case v1::Task::TRAIN:
      return AsFake(task.header().round())
          .Encode(ExamplesNow(), DeltaOf(name_, task.header().round()));
    default:
      return EncodeEvaluation(study_, HeldOut(study_, follower_.cohort()),
                              TinyEvaluation().tracks())
          .value();
  }
}

absl::Status SecureSite::Follow(const v1::Task& task) {
  if (task.secure().has_roster()) {
    return follower_.CheckRoster(task.header(), task.secure().roster());
  }
  if (!task.secure().has_advertise_keys()) return absl::OkStatus();
  if (task.kind() == v1::Task::PREPARE) {
    return follower_.Start(task.header());
  }
  HILUM_RETURN_IF_ERROR(follower_.Follow(task, masked_path_));
  // The next sum follows from the trained model.
  return follower_.ModelPath(task.header(), task.kind()).status();
}

v1::SubmitSecureStepRequest SecureSite::Answer(const v1::Task& task) {
  const absl::Status followed = Follow(task);
  EXPECT_TRUE(followed.ok()) << name_ << ": " << followed;
  const std::vector<uint32_t> vector =
      task.secure().has_inbox() ? VectorFor(task) : std::vector<uint32_t>();
  v1::SubmitSecureStepRequest said = sums_.Answer(
      follower_.ContextOf(task), task.secure(), vector, follower_.checksum());
  *said.mutable_header() = task.header();
  if (said.has_masked()) {
    const absl::string_view bytes(
        reinterpret_cast<const char*>(masked().data()),
        masked().size() * sizeof(uint32_t));
    EXPECT_TRUE(WriteFileAtomically(masked_path_, bytes).ok());
  }
  return said;
}

absl::StatusOr<std::string> SecureSite::Fetch(const std::string& sha256) const {
  v1::FetchBlobRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  request.mutable_header()->set_study_hash(hash_);
  request.set_sha256(sha256);
  request.set_max_bytes(1 << 20);
  std::string bytes;
  for (;;) {
    request.set_offset(bytes.size());
    HILUM_ASSIGN_OR_RETURN(v1::FetchBlobResponse piece,
                           core_->FetchBlob(SiteId(name_), request));
    bytes += piece.data();
    if (piece.data().empty() || bytes.size() >= piece.total_size()) {
      return bytes;
    }
  }
}

absl::StatusOr<v1::BlobRef> SecureSite::Upload(
    const v1::Task& task, const std::vector<uint32_t>& vector) const {
  return AsFake().Upload(task, vector);
}

absl::Status SecureSite::Send(const v1::SubmitSecureStepRequest& said) const {
  return core_->SubmitSecureStep(SiteId(name_), said).status();
}

absl::Status SecureSite::Do(const v1::Task& task) {
  if (!task.has_secure()) {
    v1::SubmitCensusRequest ready;
    *ready.mutable_header() = task.header();
    ready.set_manifest_sha256(StudyLayout(study_)->manifest_sha256);
    return core_->SubmitCensus(SiteId(name_), ready).status();
  }
  const v1::SubmitSecureStepRequest said = Answer(task);
  if (said.has_masked()) {
    HILUM_RETURN_IF_ERROR(Upload(task, masked()).status());
  }
  return Send(said);
}

}  // namespace hilum
