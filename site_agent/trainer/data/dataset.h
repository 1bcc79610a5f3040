// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_DATASET_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_DATASET_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/case_manifest.h"
#include "site_agent/trainer/data/load_case.h"

namespace hilum {

// A site's radiographs, prepared, in memory: 18 KB a case and arm at 96 px.
struct Dataset {
  CaseManifest manifest;             // only usable cases
  std::vector<Plane> whole;          // [cases], empty if the arm is not wanted
  std::vector<Plane> segmented;      // [cases]; an empty plane: no lung mask
  std::vector<std::string> digests;  // [cases], LoadedCase's
  std::vector<std::string> image_digests;  // [cases], LoadedCase's
  // LoadedCase's; no planes: not wanted.
  std::vector<Plane> whole_lungs, segmented_lungs;  // [cases]
  std::vector<ImageFacts> facts;                    // [cases]
};

struct DatasetOptions {
  int input_size;
  bool whole;
  bool segmented;
  bool lungs;  // the masks of each arm, too
  bool judge_masks;
  int threads;  // >= 1; the result does not depend on it
};

// Reads and prepares every image of `manifest`, a file or a case of a store
// (CaseLoader). Rejects in `manifest` each case whose image or mask is missing,
// damaged or a duplicate. Without `segmented` and `lungs`, masks are not
// opened.
Dataset LoadDataset(CaseManifest manifest, const DatasetOptions& options);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_DATASET_H_
