// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/secure_site.h"

#include <utility>

#include "common/aggregation/statistics_vector.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"

namespace hilum {
namespace {

SecAggContext ContextOf(const std::string& hash, const v1::Study& study) {
  SecAggContext context{.study_hash = hash};
  for (const std::string& site : study.sites()) context.cohort.emplace(site);
  return context;
}

}  // namespace

v1::Study FourSiteStudy(bool secure) {
  v1::Study study = TinyStudy();
  for (const char* site : {"c", "d"}) study.add_sites(site);
  // Vectors of a few thousand words.
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

double ValidationLossOf(const std::string& site, uint32_t round) {
  return 0.25 * (site[0] - 'a' + 1) + 0.125 * round;
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
                       const v1::Study& study)
    : core_(core),
      name_(std::move(name)),
      hash_(std::move(hash)),
      study_(study),
      sums_(SiteId(name_), ContextOf(hash_, study)) {}

FakeSite SecureSite::AsFake(uint32_t round) const {
  FakeSite site = AsFake();
  if (IsValidated(study_))
    site.validation_loss = ValidationLossOf(name_, round);
  return site;
}

std::vector<uint32_t> SecureSite::VectorFor(const v1::Task& task) const {
  switch (task.kind()) {
    case v1::Task::PREPARE:
      return EncodeCensus(study_, TinyCensus()).value();
    case v1::Task::TRAIN:
      return AsFake(task.header().round())
          .Encode(task, DeltaOf(name_, task.header().round()));
    default:
      return EncodeEvaluation(
                 study_,
                 {task.track_examples().begin(), task.track_examples().end()},
                 TinyEvaluation().tracks())
          .value();
  }
}

v1::SubmitSecureStepRequest SecureSite::Answer(const v1::Task& task) {
  v1::SubmitSecureStepRequest said = sums_.Answer(
      task.header().round(), task.secure(),
      task.secure().has_inbox() ? VectorFor(task) : std::vector<uint32_t>());
  *said.mutable_header() = task.header();
  return said;
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
