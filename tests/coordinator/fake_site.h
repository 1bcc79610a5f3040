// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_FAKE_SITE_H_
#define HILUM_TESTS_COORDINATOR_FAKE_SITE_H_

#include <optional>
#include <string>
#include <vector>

#include "coordinator/federation_core.h"

namespace hilum {

// Sites a and b, two classes, one arm, two folds and the final track, two
// rounds; one site makes a quorum.
v1::Study TinyStudy();

// What every site says of its cases; headers and manifest are to be filled in.
v1::SubmitCensusRequest TinyCensus();
v1::SubmitEvaluationRequest TinyEvaluation();

// A site made of calls: does what a task of a TinyStudy asks, with the values
// given.
class FakeSite {
 public:
  FakeSite(FederationCore& core, const char* name, std::string hash)
      : core_(core), site_(name), hash_(std::move(hash)) {}

  v1::NextTaskResponse Next(uint32_t wait_ms = 60000);
  absl::Status SendCensus(const std::string& manifest, const v1::Task& task);
  // Encoded as the task says, of ten examples and a loss of a half in each
  // track.
  absl::Status SendUpdate(const v1::Task& task,
                          const std::vector<float>& delta);
  // The two halves of SendUpdate.
  absl::StatusOr<v1::BlobRef> Upload(const v1::Task& task,
                                     const std::vector<uint32_t>& vector);
  absl::Status SubmitUpdate(const v1::Task& task, const v1::BlobRef& update);
  absl::Status SendEvaluation(const v1::Task& task);
  std::vector<uint32_t> Encode(const v1::Task& task,
                               const std::vector<float>& delta) const;
  // The same, where the cohort has these training cases, [tracks].
  std::vector<uint32_t> Encode(const std::vector<uint64_t>& track_examples,
                               const std::vector<float>& delta) const;
  // That it is unable to.
  absl::Status SendNoCensus(
      const v1::Task& task,
      v1::UnableReason reason = v1::UNABLE_REASON_UNSPECIFIED);
  absl::Status SendNoEvaluation(const v1::Task& task);

  // Of the model as it came, a case, in a study that validates: in each track
  // two of the ten examples are then for validation.
  std::optional<double> validation_loss;

 private:
  FederationCore& core_;
  SiteId site_;
  std::string hash_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_FAKE_SITE_H_
