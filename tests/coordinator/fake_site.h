// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_FAKE_SITE_H_
#define HILUM_TESTS_COORDINATOR_FAKE_SITE_H_

#include <optional>
#include <string>
#include <vector>

#include "coordinator/federation_core.h"

namespace hilum {

// Returns a study with sites a and b, two classes, one arm, two folds and the
// final track, two rounds; one site makes a quorum.
v1::Study TinyStudy();

// Returns every site's census; headers and manifest are to be filled in.
// `validates`: with five validation patients in each fold.
v1::SubmitCensusRequest TinyCensus(bool validates = false);
v1::SubmitEvaluationRequest TinyEvaluation();

// A site made of calls: answers the tasks of a TinyStudy with the given values.
class FakeSite {
 public:
  FakeSite(FederationCore& core, const char* name, std::string hash)
      : core_(core), site_(name), hash_(std::move(hash)) {}

  v1::NextTaskResponse Next(uint32_t wait_ms = 60000);
  absl::Status SendCensus(const std::string& manifest, const v1::Task& task);
  // Sends an update encoded for the task, with ten examples and a loss of a
  // half in each track.
  absl::Status SendUpdate(const v1::Task& task,
                          const std::vector<float>& delta);
  // The two halves of SendUpdate.
  absl::StatusOr<v1::BlobRef> Upload(const v1::Task& task,
                                     const std::vector<uint32_t>& vector);
  absl::Status SubmitUpdate(const v1::Task& task, const v1::BlobRef& update);
  absl::Status SendEvaluation(const v1::Task& task);
  std::vector<uint32_t> Encode(const v1::Task& task,
                               const std::vector<float>& delta) const;
  // Encodes for a cohort with these training cases, [tracks].
  std::vector<uint32_t> Encode(const std::vector<uint64_t>& track_examples,
                               const std::vector<float>& delta) const;
  // Reports that the site is unable.
  absl::Status SendNoCensus(
      const v1::Task& task,
      v1::UnableReason reason = v1::UNABLE_REASON_UNSPECIFIED);
  absl::Status SendNoEvaluation(const v1::Task& task);

  // Loss per case of the received model, in a study that validates; in each
  // track two of the ten examples are then for validation.
  std::optional<double> validation_loss;
  // The same for each track, [tracks]; NaN: none for validation. Empty: all
  // have validation_loss.
  std::vector<double> track_losses;

 private:
  double LossOf(size_t track) const;

  FederationCore& core_;
  SiteId site_;
  std::string hash_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_FAKE_SITE_H_
