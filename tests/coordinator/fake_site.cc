// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/fake_site.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/aggregation/ring.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/study.h"
#include "common/config/track_choice.h"
#include "common/crypto/sha256.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

constexpr int kBins = 16;
constexpr size_t kTracks = 3;
constexpr uint32_t kExamples = 10;
constexpr uint32_t kTried = 2;

}  // namespace

v1::Study TinyStudy() {
  v1::Study study;
  study.set_name("tiny");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const char* site : {"a", "b"}) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_training()->set_rounds(2);
  study.mutable_evaluation()->set_score_bins(kBins);
  study.mutable_aggregation()->set_minimum_sites(1);
  FillStudyDefaults(study);
  return study;
}

v1::SubmitCensusRequest TinyCensus(bool validates) {
  v1::SubmitCensusRequest census;
  census.add_arms();
  for (int fold = 0; validates && fold < 2; ++fold) {
    census.mutable_arms(0)->add_fold_validation_patients(5);
  }
  for (int i = 0; i < 4; ++i) {
    census.mutable_arms(0)->add_fold_class_counts(5);
  }
  FillFingerprints(2, census);
  return census;
}

v1::SubmitEvaluationRequest TinyEvaluation() {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation* track = evaluation.add_tracks();
    track->set_track(t);
    for (uint64_t count : {4, 1, 2, 3}) track->add_confusion(count);
    for (int c = 0; c < 2; ++c) {
      v1::ScoreHistogram* scores = track->add_classes();
      for (int b = 0; b < kBins; ++b) {
        scores->add_positives(b == 12 ? 5 : 0);
        scores->add_negatives(b == 3 ? 5 : 0);
      }
    }
    track->set_loss_sum(5);
    track->set_mapped(4);
    track->set_map_in_lungs_sum(2.5);
    track->set_lung_share_sum(1.25);
  }
  return evaluation;
}

v1::NextTaskResponse FakeSite::Next(uint32_t wait_ms) {
  v1::NextTaskRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  request.add_approved_studies(hash_);
  request.set_wait_ms(wait_ms);
  auto response = core_.NextTask(site_, request);
  EXPECT_TRUE(response.ok()) << response.status();
  return *response;
}

absl::Status FakeSite::SendCensus(const std::string& manifest,
                                  const v1::Task& task) {
  v1::SubmitCensusRequest request = TinyCensus(validation_loss.has_value());
  *request.mutable_header() = task.header();
  request.set_manifest_sha256(manifest);
  return core_.SubmitCensus(site_, request).status();
}

std::vector<uint32_t> FakeSite::Encode(const v1::Task& task,
                                       const std::vector<float>& delta) const {
  std::vector<uint64_t> examples = TrackExamples(TinyStudy(), task.census());
  LeaveOutStopped(task.choices(), examples);
  return Encode(examples, delta);
}

std::vector<uint32_t> FakeSite::Encode(
    const std::vector<uint64_t>& track_examples,
    const std::vector<float>& delta) const {
  std::vector<uint32_t> vector(delta.size()), tail;
  const size_t size = delta.size() / kTracks;
  uint64_t all = 0, all_trained = 0;
  for (size_t t = 0; t < kTracks; ++t) {
    const uint64_t total = track_examples.at(t);
    all += total;
    const double loss = LossOf(t);
    const bool tries = total > 0 && !std::isnan(loss);
    const uint32_t tried = tries ? kTried : 0;
    const uint32_t trained =
        total == 0 ? 0 : kExamples - (validation_loss ? kTried : 0);
    all_trained += trained;
    const double share =
        total == 0 ? 0
                   : static_cast<double>(trained) / static_cast<double>(total);
    EncodeDelta(absl::MakeSpan(delta).subspan(t * size, size),
                std::ldexp(share, FractionBits(0)),
                RoundingStream(t, site_.name()), 0,
                absl::MakeSpan(vector).subspan(t * size, size));
    tail.push_back(trained);
    if (!validation_loss) continue;
    tail.push_back(tried);
    tail.push_back(tries ? EncodeLoss(tried * loss, tried, total) : 0);
  }
  tail.push_back(
      EncodeLoss(static_cast<double>(all_trained) * 0.5, all_trained, all));
  vector.insert(vector.end(), tail.begin(), tail.end());
  return vector;
}

double FakeSite::LossOf(size_t track) const {
  if (!track_losses.empty()) return track_losses.at(track);
  return validation_loss.value_or(std::nan(""));
}

absl::StatusOr<v1::BlobRef> FakeSite::Upload(
    const v1::Task& task, const std::vector<uint32_t>& vector) {
  absl::string_view bytes(reinterpret_cast<const char*>(vector.data()),
                          vector.size() * sizeof(uint32_t));
  v1::UploadChunkRequest chunk;
  *chunk.mutable_header() = task.header();
  chunk.mutable_blob()->set_sha256(Sha256Of(bytes));
  chunk.mutable_blob()->set_size(bytes.size());
  // Uploads in two pieces, as over a network.
  size_t half = bytes.size() / 8 * 4;
  for (auto [at, size] :
       {std::pair{size_t{0}, half}, std::pair{half, bytes.size() - half}}) {
    chunk.set_offset(at);
    chunk.set_data(std::string(bytes.substr(at, size)));
    HILUM_RETURN_IF_ERROR(core_.UploadChunk(site_, chunk).status());
  }
  return chunk.blob();
}

absl::Status FakeSite::SubmitUpdate(const v1::Task& task,
                                    const v1::BlobRef& update) {
  v1::SubmitUpdateRequest request;
  *request.mutable_header() = task.header();
  *request.mutable_update() = update;
  return core_.SubmitUpdate(site_, request).status();
}

absl::Status FakeSite::SendUpdate(const v1::Task& task,
                                  const std::vector<float>& delta) {
  HILUM_ASSIGN_OR_RETURN(v1::BlobRef update, Upload(task, Encode(task, delta)));
  return SubmitUpdate(task, update);
}

absl::Status FakeSite::SendEvaluation(const v1::Task& task) {
  v1::SubmitEvaluationRequest request = TinyEvaluation();
  *request.mutable_header() = task.header();
  return core_.SubmitEvaluation(site_, request).status();
}

absl::Status FakeSite::SendNoCensus(const v1::Task& task,
                                    v1::UnableReason reason) {
  v1::SubmitCensusRequest request;
  request.set_unable_reason(reason);
  *request.mutable_header() = task.header();
  request.set_unable(true);
  return core_.SubmitCensus(site_, request).status();
}

absl::Status FakeSite::SendNoEvaluation(const v1::Task& task) {
  v1::SubmitEvaluationRequest request;
  *request.mutable_header() = task.header();
  request.set_unable(true);
  return core_.SubmitEvaluation(site_, request).status();
}

}  // namespace hilum
