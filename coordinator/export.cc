// SPDX-License-Identifier: Apache-2.0
#include "coordinator/export.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "common/model/safetensors.h"
#include "coordinator/report/report.h"

namespace hilum {
namespace {

// `size` bytes of a blob from `offset`, as numbers.
absl::StatusOr<std::vector<float>> ReadValues(const BlobStore& blobs,
                                              const v1::BlobRef& blob,
                                              uint64_t offset, uint64_t size) {
  HILUM_ASSIGN_OR_RETURN(BlobStore::Chunk chunk,
                         blobs.Read(blob.sha256(), offset, size));
  if (chunk.data.size() != size) {
    return absl::DataLossError(
        absl::StrCat("blob ", ToHex(blob.sha256()), " is shorter than known"));
  }
  return BlobValues(chunk.data);
}

}  // namespace

absl::StatusOr<StudyResult> ResultOf(const StoredStudy& stored) {
  StudyResult result;
  HILUM_ASSIGN_OR_RETURN(result.study, ParseStudy(stored.study));
  result.study_hash = stored.hash;
  result.census = stored.census;
  result.evaluations = stored.evaluations;
  result.census_totals = stored.census_totals.has_value()
                             ? *stored.census_totals
                             : SumCensus(result.study, result.census);
  result.evaluation_totals =
      stored.evaluation_totals.has_value()
          ? *stored.evaluation_totals
          : SumEvaluations(result.study, result.evaluations);
  result.rounds = stored.rounds;
  return result;
}

absl::StatusOr<std::vector<std::string>> WriteExport(
    const StoredStudy& stored, const BlobStore& blobs,
    const std::string& directory) {
  HILUM_ASSIGN_OR_RETURN(StudyResult result, ResultOf(stored));
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(result.study));
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(directory, "/model")));
  std::vector<float> frozen;
  if (stored.frozen.size() > 0) {
    HILUM_ASSIGN_OR_RETURN(
        frozen, ReadValues(blobs, stored.frozen, 0, stored.frozen.size()));
  }

  std::vector<std::string> files;
  uint64_t track_bytes =
      static_cast<uint64_t>(layout.travelling_size) * sizeof(float);
  uint64_t offset = 0;
  for (const Track& track : StudyTracks(result.study)) {
    HILUM_ASSIGN_OR_RETURN(
        std::vector<float> travelling,
        ReadValues(blobs, stored.global, offset, track_bytes));
    offset += track_bytes;
    HILUM_ASSIGN_OR_RETURN(std::vector<float> model,
                           JoinModel(layout, frozen, travelling));
    files.push_back(
        absl::StrCat("model/", ArmTrackName(track), ".safetensors"));
    HILUM_ASSIGN_OR_RETURN(
        std::string sha256,
        WriteSafetensors(absl::StrCat(directory, "/", files.back()),
                         layout.architecture, model,
                         {{"architecture", layout.architecture.name},
                          {"study_hash", ToHex(stored.hash)},
                          {"track", ArmTrackName(track)}}));
    result.model_sha256.push_back(ToHex(sha256));
  }
  HILUM_RETURN_IF_ERROR(WriteReports(result, directory));
  files.push_back("report.json");
  files.push_back("report.html");
  return files;
}

}  // namespace hilum
