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

// Tracks in their order everywhere: by arm as the study lists them, within
// an arm fold 0 .. K-1 and then final (unless skipped).
std::vector<Track> StudyTracks(const v1::Study& study);

// Fewer have no secure aggregation.
inline constexpr int kMinimumSecureSites = 3;
bool IsSecure(const v1::Study& study);

bool IsSegmentation(const v1::Study& study);

// Each round's global is tried on patients kept from training.
bool IsValidated(const v1::Study& study);

std::string ArmName(v1::Arm arm);              // "segmented", "whole"
std::string TrackName(const Track& track);     // "fold-1" .. "fold-K", "final"
std::string ArmTrackName(const Track& track);  // "segmented-fold-1"

// A study as its file says it, without defaults, that with them is a valid
// one. INVALID_ARGUMENT "FILE:LINE:COLUMN: what, and what to do".
absl::StatusOr<v1::Study> LoadStudyFile(const std::string& path);

// The same for a file that someone else completes before it is validated:
// with `places`, which are for ValidateStudy.
absl::StatusOr<v1::Study> ReadStudyFile(const std::string& path,
                                        FieldPlaces& places);

// Fills what is not given (defaults in docs/study.md) and sorts the sites.
void FillStudyDefaults(v1::Study& study);

// INVALID_ARGUMENT names the field, its place and its valid range. Checks a
// filled study; the registry checks the architecture (common/model). One that
// was submitted with a protocol before 5 has no task, and classifies.
absl::Status ValidateStudy(const v1::Study& study,
                           const FieldPlaces& places = FieldPlaces("study"));

// The bytes that are hashed, stored, offered.
std::string SerializeStudy(const v1::Study& study);

// Parses and validates bytes from outside. INVALID_ARGUMENT.
absl::StatusOr<v1::Study> ParseStudy(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_STUDY_H_
