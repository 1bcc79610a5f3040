// SPDX-License-Identifier: Apache-2.0
// The radiographs that `hilum-trainer heatmap` is asked about.
#ifndef HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_CASE_H_
#define HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/load_case.h"

namespace hilum {

// One case of the command line: an image file, or "STORE#CASE" of a case store
// that hilum-ingest keeps.
struct HeatmapCase {
  std::string path;   // as it was given
  std::string bytes;  // the file's; empty: a store's case
  GrayImage image;    // a store's as it is kept
  std::optional<GrayImage> mask;
};

// "STORE" becomes an entry "STORE#CASE" for each of its cases, others stay as
// they are. Errors as CaseStoreReader::Open's.
absl::StatusOr<std::vector<std::string>> ExpandStores(
    const std::vector<std::string>& cases);

// The folders and files that reading these cases opens.
std::vector<std::string> FilesOfCases(const std::vector<std::string>& cases);

// Returns how the case's pictures are called: a file's stem, or a store's case.
std::string NameOfCase(const std::string& path);

// The plane that the network is fed, where it lies on the image, and where the
// lungs lie in it.
struct HeatmapView {
  Plane plane;  // [size * size]
  ImageBox box;
  std::vector<float> lungs;  // [size * size]; empty: no mask
};

// Reads cases and makes what a network sees of them; a store's as its trainer
// sees them. Not thread-safe.
class HeatmapCases {
 public:
  // `mask`: a file, or a folder with NAME.png for some cases; empty: none, and
  // of a store's cases their own.
  HeatmapCases(const std::vector<std::string>& cases, std::string mask);

  // INVALID_ARGUMENT: damaged, of one gray alone, a mask whose levels leave
  // doubt. Else as CaseLoader's.
  absl::StatusOr<HeatmapCase> Read(const std::string& path) const;

  // `segmented`: the lungs alone; INVALID_ARGUMENT: the case has no mask.
  absl::StatusOr<HeatmapView> ViewOf(const HeatmapCase& one, bool segmented,
                                     int size) const;

 private:
  absl::StatusOr<HeatmapView> ViewOfEntry(const HeatmapCase& one,
                                          bool segmented, int size) const;
  std::string MaskFor(const std::string& path) const;

  std::string mask_;
  CaseLoader loader_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_CASE_H_
