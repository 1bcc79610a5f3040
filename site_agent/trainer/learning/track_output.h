// SPDX-License-Identifier: Apache-2.0
// The results of the tracks in one call, and the files for them.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_OUTPUT_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_OUTPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file.h"
#include "hilum/v1/trainer.pb.h"

namespace hilum {

// The result of training one track in one round. If `warning` is set, the track
// has diverged: no examples, a delta of zeros.
struct TrainedTrack {
  std::vector<float> delta;  // [travelling_size]
  std::vector<float> local;  // [local_size], after training
  v1::TrackUpdate update;
  std::string warning;
};

// Makes `trained` the result of a diverged track; `reason` says why.
void Withhold(size_t travelling_size, const absl::Status& reason,
              TrainedTrack& trained);

// Makes `trained` the result of a track without cases here: no change.
void LeaveOut(size_t travelling_size, TrainedTrack& trained);

struct EvaluatedTrack {
  v1::TrackEvaluation evaluation;
  std::string predictions;  // rows of the CSV
};

// Returns a track's part, [size], of a global blob [tracks, size]. NOT_FOUND,
// DATA_LOSS: a file that is missing, or too short.
absl::StatusOr<std::vector<float>> ReadTrack(const std::string& path,
                                             size_t track, int64_t size);

// A round's answer. Call Add for each track, from 0; then Take, once.
class TrainOutput {
 public:
  // `path`: the file of deltas [tracks, travelling_size].
  static absl::StatusOr<TrainOutput> Open(const std::string& path);
  // Moves the update and the warning out of `trained`.
  absl::Status Add(size_t track, TrainedTrack& trained);
  v1::TrainResponse Take() { return std::move(response_); }

 private:
  TrainOutput(ScopedFd fd, std::string path)
      : fd_(std::move(fd)), path_(std::move(path)) {}

  ScopedFd fd_;
  std::string path_;
  v1::TrainResponse response_;
};

// An evaluation's answer. Call Add for each track that holds cases out, in
// their order; then Finish, once.
class EvaluateOutput {
 public:
  // `header`: the header of the CSV of predictions, which is written if the
  // request has a path.
  EvaluateOutput(const v1::EvaluateRequest& request, absl::string_view header);
  // Returns the CSV's column `model`.
  const std::string& model() const { return model_; }
  void Add(EvaluatedTrack&& evaluated);
  absl::StatusOr<v1::EvaluateResponse> Finish();

 private:
  const std::string path_, model_;
  std::string predictions_;
  v1::EvaluateResponse response_;
};

// The first cells of a row of predictions: case, arm, model, track, label.
inline constexpr char kPredictionCells[] = "case,arm,model,track,label";

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_OUTPUT_H_
