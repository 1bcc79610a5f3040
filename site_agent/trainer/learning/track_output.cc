// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/track_output.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/blobs.h"

namespace hilum {

void Withhold(size_t travelling_size, const absl::Status& reason,
              TrainedTrack& trained) {
  trained.delta.assign(travelling_size, 0);
  trained.local.clear();
  trained.warning =
      absl::StrCat(reason.message(), "; this track's update is withheld");
}

void LeaveOut(size_t travelling_size, TrainedTrack& trained) {
  trained.update.Clear();
  trained.delta.assign(travelling_size, 0);
  trained.local.clear();
}

absl::StatusOr<std::vector<float>> ReadTrack(const std::string& path,
                                             size_t track, int64_t size) {
  std::vector<float> values(static_cast<size_t>(size));
  const size_t bytes = values.size() * sizeof(float);
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  HILUM_RETURN_IF_ERROR(ReadAt(fd.get(), track * bytes,
                               reinterpret_cast<char*>(values.data()), bytes,
                               path));
  return values;
}

absl::StatusOr<TrainOutput> TrainOutput::Open(const std::string& path) {
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  return TrainOutput(std::move(fd), path);
}

absl::Status TrainOutput::Add(size_t track, TrainedTrack& trained) {
  *response_.add_tracks() = std::exchange(trained.update, {});
  if (!trained.warning.empty()) {
    response_.add_warnings(std::exchange(trained.warning, {}));
  }
  return WriteAt(fd_.get(), track * trained.delta.size() * sizeof(float),
                 BlobBytes(trained.delta), path_);
}

EvaluateOutput::EvaluateOutput(const v1::EvaluateRequest& request,
                               absl::string_view header)
    : path_(request.predictions_path()),
      model_(request.model().empty() ? "federated" : request.model()),
      predictions_(absl::StrCat(header, "\n")) {}

void EvaluateOutput::Add(EvaluatedTrack&& evaluated) {
  predictions_ += evaluated.predictions;
  *response_.add_tracks() = std::move(evaluated.evaluation);
}

absl::StatusOr<v1::EvaluateResponse> EvaluateOutput::Finish() {
  if (!path_.empty()) {
    HILUM_RETURN_IF_ERROR(
        WriteFileAtomically(path_, predictions_, Durability::kSync, 0600));
  }
  return std::move(response_);
}

}  // namespace hilum
