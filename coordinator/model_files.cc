// SPDX-License-Identifier: Apache-2.0
#include "coordinator/model_files.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/metrics/fingerprint.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "common/model/lungs_unet.h"
#include "common/model/model_facts.h"
#include "common/model/preprocessing.h"
#include "common/model/safetensors.h"
#include "common/model/torch_writer.h"
#include "common/model/trained_on.h"
#include "coordinator/trained_tracks.h"
#include "coordinator/validation.h"

namespace hilum {
namespace {

// Reads `size` bytes of a blob from `offset`, as numbers.
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

// Returns what the study's models learned from: the images of the starting
// weights, and the sites' cases. These are not listed: whoever has a patient's
// image could find it in a list of digests, and the models leave the hospitals.
TrainedOnList LearnedFrom(const StudyResult& result) {
  TrainedOnList data = result.study.starting_weights().trained_on();
  if (data.size() == kMaxTrainedOn) data.RemoveLast();
  if (result.study.has_starting_weights() && data.empty()) {
    v1::TrainedOn& unknown = *data.Add();
    unknown.set_name(absl::StrCat("unknown images, before the study, of ",
                                  result.study.starting_weights().file()));
    unknown.set_images(1);
  }
  uint64_t cases = 0;
  for (const v1::ArmCensus& arm : result.census_totals.arms()) {
    uint64_t sum = 0;
    for (uint64_t count : arm.fold_class_counts()) sum += count;
    cases = std::max(cases, sum);
  }
  if (cases == 0) return data;
  v1::TrainedOn& own = *data.Add();
  own.set_name(absl::StrCat("hospitals of the study ", result.study.name()));
  own.set_images(cases);
  return data;
}

// The state of one call of WriteModels.
class ModelWriter {
 public:
  ModelWriter(const BlobStore& blobs, std::string directory,
              ParameterLayout layout, StudyResult& result)
      : blobs_(blobs),
        directory_(std::move(directory)),
        layout_(std::move(layout)),
        result_(result) {}

  absl::Status ReadFrozen(const v1::BlobRef& frozen) {
    if (frozen.size() == 0) return absl::OkStatus();
    HILUM_ASSIGN_OR_RETURN(frozen_,
                           ReadValues(blobs_, frozen, 0, frozen.size()));
    return absl::OkStatus();
  }

  // Writes the trained tracks of the global into `folder`; `rounds` [tracks]:
  // the round after which each came. Writes the safetensors files' hashes to
  // `sha256`, where given: [tracks]; empty for a track that is not trained.
  absl::Status WriteGlobal(const v1::BlobRef& global,
                           const std::vector<uint32_t>& rounds,
                           const std::string& folder,
                           std::vector<std::string>* sha256) {
    HILUM_RETURN_IF_ERROR(
        MakeDirectories(absl::StrCat(directory_, "/", folder)));
    const uint64_t track_bytes =
        static_cast<uint64_t>(layout_.travelling_size) * sizeof(float);
    const std::vector<Track> tracks = StudyTracks(result_.study);
    const std::vector<bool> trained =
        TrainedTracks(result_.study, result_.rounds, rounds);
    for (size_t t = 0; t < tracks.size(); ++t) {
      const Track& track = tracks[t];
      if (!trained[t]) {
        if (sha256 != nullptr) sha256->push_back("");
        continue;
      }
      HILUM_ASSIGN_OR_RETURN(
          std::vector<float> travelling,
          ReadValues(blobs_, global, t * track_bytes, track_bytes));
      HILUM_ASSIGN_OR_RETURN(std::vector<float> model,
                             JoinModel(layout_, frozen_, travelling));
      const std::string stem = absl::StrCat(folder, "/", ArmTrackName(track));
      HILUM_RETURN_IF_ERROR(WriteModel(stem, model, track, rounds[t]));
      if (sha256 != nullptr) {
        sha256->push_back((result_.model_files.end() - 2)->sha256);
      }
    }
    return absl::OkStatus();
  }

 private:
  std::map<std::string, std::string> Metadata(const Track& track,
                                              uint32_t round) const {
    const v1::Model& model = result_.study.model();
    std::map<std::string, std::string> metadata = {
        {kArchitectureKey, layout_.architecture.name},
        {kArmKey, ArmName(track.arm)},
        {kClassesKey, absl::StrJoin(result_.study.classes(), ",")},
        {"head_units", absl::StrCat(model.head_units())},
        {"input_channels", absl::StrCat(model.input_channels())},
        {kInputSizeKey, absl::StrCat(model.input_size())},
        {kJudgeMasksKey,
         result_.study.data_rules().judge_masks() ? "true" : "false"},
        {kPreprocessingKey, PreprocessingName(model.preprocessing())},
        {"round", absl::StrCat(round)},
        {"study_hash", ToHex(result_.study_hash)},
        {kTaskKey,
         IsSegmentation(result_.study) ? "segmentation" : "classification"},
        {kTrackKey, ArmTrackName(track)}};
    // They are of all cases, so the file of a fold must not have them: it would
    // tell of the cases that it holds out.
    const std::string quantiles =
        track.IsFinal() ? GrayQuantilesOf(track.arm) : std::string();
    if (!quantiles.empty()) metadata[kGrayQuantilesKey] = quantiles;
    if (!result_.stopped.empty()) {
      metadata["partial"] = absl::StrCat(
          "stopped after round ", result_.rounds.size(), " of ",
          result_.study.training().rounds(), "; not trained to the end");
    }
    metadata[kTrainedOnKey] = TrainedOnText(LearnedFrom(result_));
    // `hilum-trainer segment run` needs this key to open the file.
    if (IsSegmentation(result_.study)) {
      metadata[std::string(kSegmenterSizeKey)] =
          absl::StrCat(model.input_size());
    }
    return metadata;
  }

  // Returns the grays of the cohort's images at kGrayQuantiles, as the report
  // shows them; empty: not known.
  std::string GrayQuantilesOf(v1::Arm arm) const {
    std::vector<std::string> grays;
    for (int a = 0; a < result_.census_totals.arms_size(); ++a) {
      if (result_.study.arms(a) != arm) continue;
      for (double p : kGrayQuantiles) {
        const std::optional<double> gray =
            GrayQuantile(result_.census_totals.arms(a).fingerprint(), p);
        if (!gray.has_value()) return "";
        grays.push_back(absl::StrFormat("%.4f", *gray));
      }
    }
    return absl::StrJoin(grays, ",");
  }

  // Writes a model in both formats.
  absl::Status WriteModel(const std::string& stem,
                          const std::vector<float>& model, const Track& track,
                          uint32_t round) {
    const std::string safetensors = stem + ".safetensors", pth = stem + ".pth";
    HILUM_ASSIGN_OR_RETURN(
        std::string sha256,
        WriteSafetensors(absl::StrCat(directory_, "/", safetensors),
                         layout_.architecture, model, Metadata(track, round)));
    result_.model_files.push_back({safetensors, ToHex(sha256), round});
    HILUM_ASSIGN_OR_RETURN(sha256,
                           WriteTorchFile(absl::StrCat(directory_, "/", pth),
                                          layout_.architecture, model));
    result_.model_files.push_back({pth, ToHex(sha256), round});
    return absl::OkStatus();
  }

  const BlobStore& blobs_;
  const std::string directory_;
  const ParameterLayout layout_;
  StudyResult& result_;
  std::vector<float> frozen_;
};

}  // namespace

absl::Status WriteModels(const StoredStudy& stored, const BlobStore& blobs,
                         const std::string& directory, StudyResult& result) {
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(result.study));
  ModelWriter writer(blobs, directory, std::move(layout), result);
  HILUM_RETURN_IF_ERROR(writer.ReadFrozen(stored.frozen));
  HILUM_RETURN_IF_ERROR(writer.WriteGlobal(
      stored.evaluated(), result.model_rounds, "model", &result.model_sha256));
  if (stored.evaluated().sha256() == stored.global.sha256()) {
    return absl::OkStatus();
  }
  return writer.WriteGlobal(stored.global,
                            LastRounds(result.study, result.rounds),
                            "model/last", nullptr);
}

}  // namespace hilum
