// SPDX-License-Identifier: Apache-2.0
#include "sim/finished_study.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "coordinator/export.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "coordinator/trained_tracks.h"

namespace hilum {
namespace {

absl::StatusOr<StoredStudy> ReadStored(const std::string& state) {
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Storage> storage,
                         Storage::Open(absl::StrCat(state, "/coordinator.db")));
  HILUM_ASSIGN_OR_RETURN(std::vector<StoredStudy> studies,
                         storage->LoadStudies());
  if (studies.size() != 1 || studies[0].phase != v1::StudyStatus::COMPLETED) {
    return absl::FailedPreconditionError(
        absl::StrCat(state, ": not of one completed study"));
  }
  return std::move(studies[0]);
}

}  // namespace

absl::StatusOr<FinishedStudy> ReadFinishedStudy(const std::string& out) {
  const std::string state = absl::StrCat(out, "/coordinator/state");
  HILUM_ASSIGN_OR_RETURN(StoredStudy stored, ReadStored(state));
  HILUM_ASSIGN_OR_RETURN(BlobStore blobs,
                         BlobStore::Open(absl::StrCat(state, "/blobs")));
  FinishedStudy finished;
  if (stored.frozen.size() > 0) {
    finished.frozen_path = blobs.Path(stored.frozen.sha256());
  }
  finished.global_path = blobs.Path(stored.evaluated().sha256());
  HILUM_ASSIGN_OR_RETURN(finished.result, ResultOf(stored));
  StudyResult& result = finished.result;
  const std::vector<Track> tracks = StudyTracks(result.study);
  const std::vector<bool> trained = TrainedTracks(result);
  for (size_t t = 0; t < tracks.size(); ++t) {
    std::string& sha256 = result.model_sha256.emplace_back();
    if (!trained[t]) continue;
    HILUM_ASSIGN_OR_RETURN(
        std::string model,
        ReadFile(absl::StrCat(out, "/model/", ArmTrackName(tracks[t]),
                              ".safetensors")));
    sha256 = ToHex(Sha256Of(model));
  }
  return finished;
}

}  // namespace hilum
