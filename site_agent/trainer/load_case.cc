// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/load_case.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/decode.h"
#include "site_agent/imaging/decode_mask.h"
#include "site_agent/imaging/prepare_mask.h"

namespace hilum {
namespace {

absl::Status OfMask(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("lung mask: ", status.message()));
}

Plane ToPlane(absl::Span<const float> shares) {
  Plane plane;
  for (float share : shares) {
    plane.push_back(static_cast<uint16_t>(std::lround(share * 65535)));
  }
  return plane;
}

absl::Status AddLungs(const GrayImage& image, const GrayImage& mask,
                      const CasePlanes& planes, LoadedCase& out) {
  if (planes.segmented) {
    HILUM_ASSIGN_OR_RETURN(std::vector<float> shares,
                           PrepareSegmentedMask(image, mask, planes.size));
    out.segmented_lungs = ToPlane(shares);
  }
  if (planes.whole) {
    HILUM_ASSIGN_OR_RETURN(std::vector<float> shares,
                           PrepareWholeMask(image, mask, planes.size));
    out.whole_lungs = ToPlane(shares);
  }
  return absl::OkStatus();
}

absl::Status AddFileMask(const CaseRow& row, const GrayImage& image,
                         const CasePlanes& planes, LoadedCase& out) {
  if (ParseCaseEntry(row.mask).has_value()) {
    return absl::InvalidArgumentError(
        "a case store's mask fits its own case alone; give the case as `file`, "
        "or a mask file");
  }
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(row.mask, kMaxImageFileBytes));
  HILUM_ASSIGN_OR_RETURN(GrayImage mask, DecodeMask(bytes));
  if (planes.segmented) {
    HILUM_ASSIGN_OR_RETURN(out.segmented,
                           PrepareSegmented(image, mask, planes.size));
  }
  return planes.lungs ? AddLungs(image, mask, planes, out) : absl::OkStatus();
}

bool WantsMask(const CaseRow& row, const CasePlanes& planes) {
  return (planes.segmented || planes.lungs) && !row.mask.empty();
}

absl::Status LoadFile(const CaseRow& row, const CasePlanes& planes,
                      LoadedCase& out) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(row.path, kMaxImageFileBytes));
  out.digest = Sha256Of(bytes);
  HILUM_ASSIGN_OR_RETURN(GrayImage image, DecodeImage(bytes));
  if (planes.whole) {
    HILUM_ASSIGN_OR_RETURN(out.whole, PrepareWhole(image, planes.size));
  }
  if (!WantsMask(row, planes)) return absl::OkStatus();
  return OfMask(AddFileMask(row, image, planes, out));
}

// All or nothing of each pixel, resized.
absl::StatusOr<Plane> ResizeLungs(int rows, int columns, int size,
                                  absl::FunctionRef<bool(size_t)> in_lungs) {
  Plane lungs(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (size_t i = 0; i < lungs.size(); ++i) lungs[i] = in_lungs(i) ? 65535 : 0;
  return ResizePlane({rows, columns, lungs}, size);
}

absl::Status AddEntryLungs(const CaseRecord& record, const CasePlanes& planes,
                           LoadedCase& out) {
  const PlaneView& cut = record.segmented;
  if (planes.segmented) {  // black outside the lungs
    HILUM_ASSIGN_OR_RETURN(
        out.segmented_lungs,
        ResizeLungs(cut.rows, cut.columns, planes.size,
                    [&](size_t i) { return cut.pixels[i] > 0; }));
  }
  if (planes.whole) {
    HILUM_ASSIGN_OR_RETURN(
        out.whole_lungs,
        ResizeLungs(record.whole.rows, record.whole.columns, planes.size,
                    [&](size_t i) {
                      return (record.lungs[i / 8] >> (i % 8) & 1) != 0;
                    }));
  }
  return absl::OkStatus();
}

absl::Status AddEntryMask(const CaseRow& row, const CaseRecord& record,
                          const CasePlanes& planes, LoadedCase& out) {
  if (row.mask != row.path) {
    return absl::InvalidArgumentError(
        "a case of a store has the store's own; write the entry of `file`, or "
        "nothing");
  }
  if (record.segmented.rows == 0) {
    return absl::InvalidArgumentError(
        "the store has none of this case; run `hilum-ingest folder --masks`");
  }
  if (planes.segmented) {
    HILUM_ASSIGN_OR_RETURN(out.segmented,
                           ResizePlane(record.segmented, planes.size));
  }
  return planes.lungs ? AddEntryLungs(record, planes, out) : absl::OkStatus();
}

}  // namespace

CaseLoader::CaseLoader(const CaseManifest& manifest) {
  for (const CaseRow& row : manifest.cases) {
    const std::optional<CaseEntry> entry = ParseCaseEntry(row.path);
    if (!entry.has_value() || stores_.count(entry->store) > 0) continue;
    stores_.emplace(entry->store, CaseStoreReader::Open(entry->store));
  }
}

absl::Status CaseLoader::Load(const CaseRow& row, const CasePlanes& planes,
                              LoadedCase& out) const {
  const std::optional<CaseEntry> entry = ParseCaseEntry(row.path);
  return entry.has_value() ? LoadEntry(row, *entry, planes, out)
                           : LoadFile(row, planes, out);
}

absl::Status CaseLoader::LoadEntry(const CaseRow& row, const CaseEntry& entry,
                                   const CasePlanes& planes,
                                   LoadedCase& out) const {
  auto store = stores_.find(entry.store);
  if (store == stores_.end()) {
    return absl::NotFoundError(
        absl::StrCat(entry.store, ": not opened with this manifest"));
  }
  HILUM_RETURN_IF_ERROR(store->second.status());
  HILUM_ASSIGN_OR_RETURN(const CaseRecord record,
                         store->second->Read(entry.case_id));
  out.digest = entry.case_id;
  if (planes.whole) {
    HILUM_ASSIGN_OR_RETURN(out.whole, ResizePlane(record.whole, planes.size));
  }
  if (!WantsMask(row, planes)) return absl::OkStatus();
  return OfMask(AddEntryMask(row, record, planes, out));
}

}  // namespace hilum
