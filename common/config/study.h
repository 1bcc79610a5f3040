// SPDX-License-Identifier: Apache-2.0
// Studies: from YAML to the bytes whose hash a site approves.
#ifndef HILUM_COMMON_CONFIG_STUDY_H_
#define HILUM_COMMON_CONFIG_STUDY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config/yaml.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// One model within a study.
struct Track {
  static constexpr int kFinal = -1;
  v1::Arm arm;
  int fold;  // held out: 0 .. folds-1, or kFinal: none

  bool IsFinal() const { return fold == kFinal; }
};

// Returns the tracks in the order that is used everywhere: by arm as the study
// lists them, within an arm fold 0 .. K-1 and then final (unless skipped).
std::vector<Track> StudyTracks(const v1::Study& study);

// Studies with fewer sites have no secure aggregation.
inline constexpr int kMinimumSecureSites = 3;
bool IsSecure(const v1::Study& study);

bool IsSegmentation(const v1::Study& study);

// Returns whether each round's global is tried on patients kept from training.
bool IsValidated(const v1::Study& study);

std::string ArmName(v1::Arm arm);              // "segmented", "whole"
std::string TrackName(const Track& track);     // "fold-1" .. "fold-K", "final"
std::string ArmTrackName(const Track& track);  // "segmented-fold-1"

// Reads a study without filling defaults; with its defaults it is valid.
// INVALID_ARGUMENT "FILE:LINE:COLUMN: what, and what to do".
absl::StatusOr<v1::Study> LoadStudyFile(const std::string& path);

// Reads a file that the caller completes before validation: pass `places` to
// ValidateStudy.
absl::StatusOr<v1::Study> ReadStudyFile(const std::string& path,
                                        FieldPlaces& places);

// Fills omitted fields (defaults in docs/study.md) and sorts the sites.
void FillStudyDefaults(v1::Study& study);

// Checks a filled study; the registry checks the architecture (common/model).
// INVALID_ARGUMENT names the field, its place and its valid range. A study from
// before protocol 5 has no task, and classifies.
absl::Status ValidateStudy(const v1::Study& study,
                           const FieldPlaces& places = FieldPlaces("study"));

// Returns the bytes that are hashed, stored and offered.
std::string SerializeStudy(const v1::Study& study);

// Parses and validates bytes from outside. INVALID_ARGUMENT: not a valid study.
absl::StatusOr<v1::Study> ParseStudy(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_STUDY_H_
