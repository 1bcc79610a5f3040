// SPDX-License-Identifier: Apache-2.0
#include "common/config/study.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace hilum {

bool IsSecure(const v1::Study& study) {
  return study.aggregation().secure_aggregation() ==
         v1::Aggregation::SECURE_AGGREGATION_ON;
}

bool IsSegmentation(const v1::Study& study) {
  return study.task() == v1::STUDY_TASK_SEGMENTATION;
}

bool IsValidated(const v1::Study& study) {
  return study.training().validation().share() > 0;
}

std::vector<Track> StudyTracks(const v1::Study& study) {
  std::vector<Track> tracks;
  for (int arm : study.arms()) {
    int folds = static_cast<int>(study.cross_validation().folds());
    for (int fold = 0; fold < folds; ++fold) {
      tracks.push_back({static_cast<v1::Arm>(arm), fold});
    }
    if (!study.cross_validation().skip_final_track()) {
      tracks.push_back({static_cast<v1::Arm>(arm), Track::kFinal});
    }
  }
  return tracks;
}

std::string ArmName(v1::Arm arm) {
  return arm == v1::ARM_SEGMENTED ? "segmented" : "whole";
}

std::string TrackName(const Track& track) {
  return track.IsFinal() ? "final" : absl::StrCat("fold-", track.fold + 1);
}

std::string ArmTrackName(const Track& track) {
  return absl::StrCat(ArmName(track.arm), "-", TrackName(track));
}

absl::StatusOr<v1::Study> ReadStudyFile(const std::string& path,
                                        FieldPlaces& places) {
  v1::Study study;
  HILUM_RETURN_IF_ERROR(LoadYamlFile(path, &study, &places));
  return study;
}

absl::StatusOr<v1::Study> LoadStudyFile(const std::string& path) {
  FieldPlaces places(path);
  HILUM_ASSIGN_OR_RETURN(v1::Study study, ReadStudyFile(path, places));
  v1::Study filled = study;
  FillStudyDefaults(filled);
  HILUM_RETURN_IF_ERROR(ValidateStudy(filled, places));
  return study;
}

std::string SerializeStudy(const v1::Study& study) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  study.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

absl::StatusOr<v1::Study> ParseStudy(absl::string_view bytes) {
  v1::Study study;
  if (!study.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("these bytes are not a study");
  }
  HILUM_RETURN_IF_ERROR(ValidateStudy(study));
  return study;
}

}  // namespace hilum
