// SPDX-License-Identifier: Apache-2.0
// Radiographs for `hilum-trainer heatmap`.
#ifndef HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_CASE_H_
#define HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_CASE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/case_list.h"
#include "site_agent/trainer/data/load_case.h"

namespace hilum {

// One case of the command line: an image file, or "STORE#CASE" of a case store
// that hilum-ingest keeps.
struct HeatmapCase {
  std::string path;   // as given on the command line or in a manifest
  std::string bytes;  // the file's bytes; empty: a store's case
  GrayImage image;    // a store's image as stored
  std::optional<GrayImage> mask;
};

// Returns the name of the case's pictures: a file's stem, or a store's case.
std::string NameOfCase(const std::string& path);

// The plane that the network gets, its place on the image, and the lungs in it.
struct HeatmapView {
  Plane plane;  // [size * size]
  ImageBox box;
  std::vector<float> lungs;  // [size * size]; empty: no mask
};

// Reads cases and makes the network's inputs from them; a store's cases as in
// training. Not thread-safe.
class HeatmapCases {
 public:
  // `mask`: a file, or a folder with NAME.png for some cases; empty: the masks
  // that a manifest lists and a store has for its cases.
  HeatmapCases(absl::Span<const ListedCase> cases, std::string mask);

  // Reads one case. INVALID_ARGUMENT: damaged, a single gray, or a mask whose
  // levels are ambiguous. Otherwise errors as CaseLoader.
  absl::StatusOr<HeatmapCase> Read(const std::string& path) const;

  // `segmented`: shows only the lungs; INVALID_ARGUMENT: the case has no mask.
  absl::StatusOr<HeatmapView> ViewOf(const HeatmapCase& one, bool segmented,
                                     int size) const;

 private:
  absl::StatusOr<HeatmapView> ViewOfEntry(const HeatmapCase& one,
                                          bool segmented, int size) const;
  std::string MaskFor(const std::string& path) const;

  std::string mask_;
  std::map<std::string, std::string> listed_masks_;  // files, by case path
  CaseLoader loader_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_CASE_H_
