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

// Facts about an image besides its planes.
struct ImageFacts {
  int rows = 0;  // before resizing
  int columns = 0;
  double lung_share = 0;  // share of pixels; 0: no mask is used
  // Why its mask is not used; empty: it is used, not opened, or missing.
  std::string mask_fault;
  std::vector<std::string> notes;  // GrayImage's
};

struct LoadedCase {
  ImageFacts facts;
  // Identifies the image: a file's PixelDigest, a store's case id.
  std::string digest;
  // The first kDigestPrefix bytes of the PixelDigest of the image as its file
  // has it (common/config/starting_weights.h); empty: an earlier release has
  // stored the case without it.
  std::string image_digest;
  Plane whole;      // [size * size], where wanted
  Plane segmented;  // [size * size]; empty also: no lung mask
  // The share of each pixel of the planes that the lung mask covers, 65535 =
  // all; empty: not wanted, or no mask.
  Plane whole_lungs, segmented_lungs;
};

struct CasePlanes {
  int size;  // pixels of a side
  bool whole;
  bool segmented;
  bool lungs;  // the mask too, in the geometry of the wanted planes
  // Ignores a mask that does not show two lungs (JudgeLungMask).
  bool judge_masks;
};

// Loads a row whose image file is decoded already. Errors as CaseLoader::Load.
absl::Status LoadImage(const GrayImage& image, const CaseRow& row,
                       const CasePlanes& planes, LoadedCase& out);

// Loads a manifest's rows one by one: an image file (DICOM, PNG, JPEG), or an
// entry "STORE#CASE" of a store that hilum-ingest keeps (docs/ingest.md). Opens
// each store of the manifest once, at construction. Thread-safe.
class CaseLoader {
 public:
  explicit CaseLoader(const CaseManifest& manifest);

  // Loads one row. INVALID_ARGUMENT: damaged, an image of a single gray, or a
  // mask that does not belong to the case. DATA_LOSS: a record has changed
  // since it was written. NOT_FOUND, PERMISSION_DENIED: file, store or case.
  // Errors of the mask begin with "lung mask: ". No message names a path. Sets
  // `out.digest` as soon as the digest is known.
  absl::Status Load(const CaseRow& row, const CasePlanes& planes,
                    LoadedCase& out) const;

  // Returns the full image; a store's image as stored. Errors as Load.
  absl::StatusOr<GrayImage> Image(const CaseRow& row) const;
  // Returns the mask at rows x columns. INVALID_ARGUMENT also: none is listed.
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
