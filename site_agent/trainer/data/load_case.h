// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_LOAD_CASE_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_LOAD_CASE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/lungs/lung_mask.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

// What is known of an image beside its planes.
struct ImageFacts {
  int rows = 0;  // before it was resized
  int columns = 0;
  double lung_share = 0;   // of its pixels; 0: no mask is used
  std::string mask_fault;  // why its mask is not used; empty: it has none, it
                           // was not opened, or it is used
  std::vector<std::string> notes;  // GrayImage's
};

struct LoadedCase {
  ImageFacts facts;
  // Names the image: a file's PixelDigest, a store's case id.
  std::string digest;
  Plane whole;      // [size * size], where it is wanted
  Plane segmented;  // the same; empty also: no lung mask
  // How much of each pixel of the planes the lung mask covers, 65535 all of
  // it; empty: not wanted, or no mask.
  Plane whole_lungs, segmented_lungs;
};

struct CasePlanes {
  int size;  // of a side, pixels
  bool whole;
  bool segmented;
  bool lungs;  // the mask itself, in the geometry of the planes wanted
  // A mask that is not of two lungs (JudgeLungMask) counts as none.
  bool judge_masks;
};

// Loads a manifest's rows one by one: an image file (DICOM, PNG, JPEG), or an
// entry "STORE#CASE" of a store that hilum-ingest keeps (docs/ingest.md). The
// stores that the manifest names are opened once, as they are then.
// Thread-safe.
class CaseLoader {
 public:
  explicit CaseLoader(const CaseManifest& manifest);

  // INVALID_ARGUMENT: damaged, of one gray alone, or a mask from elsewhere than
  // the case.
  // DATA_LOSS: a record that is not what was written. NOT_FOUND,
  // PERMISSION_DENIED: file, store or case. What cannot be had of the mask
  // begins with "lung mask: ". No message names a path. `out.digest` is set as
  // soon as it is known.
  absl::Status Load(const CaseRow& row, const CasePlanes& planes,
                    LoadedCase& out) const;

  // The image itself; a store's as it is kept. Errors as Load's.
  absl::StatusOr<GrayImage> Image(const CaseRow& row) const;
  // Its mask at rows x columns. INVALID_ARGUMENT also: none is listed.
  absl::StatusOr<BinaryMask> Mask(const CaseRow& row, int rows,
                                  int columns) const;

 private:
  absl::StatusOr<CaseRecord> Record(const CaseEntry& entry) const;
  absl::Status LoadEntry(const CaseRow& row, const CaseEntry& entry,
                         const CasePlanes& planes, LoadedCase& out) const;

  std::map<std::string, absl::StatusOr<CaseStoreReader>> stores_;  // by folder
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_LOAD_CASE_H_
