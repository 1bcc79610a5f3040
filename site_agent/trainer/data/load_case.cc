// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/load_case.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/starting_weights.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/lungs/prepare_mask.h"

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

// Returns whether the mask is used.
bool Judge(const BinaryMask& mask, const CasePlanes& planes, ImageFacts& out) {
  const LungMeasures measures = MeasureLungMask(mask);
  if (planes.judge_masks) {
    out.mask_fault = JudgeLungMask(measures).reason;
    if (!out.mask_fault.empty()) {
      if (LooksInverted(mask)) {
        out.mask_fault = absl::StrCat(
            "it looks inverted, as what it leaves out are two lungs: write "
            "lungs as 255 and everything else as 0; ",
            out.mask_fault);
      }
      return false;
    }
  }
  out.lung_share = measures.area;
  return true;
}

absl::StatusOr<GrayImage> ReadMaskFile(const CaseRow& row) {
  if (ParseCaseEntry(row.mask).has_value()) {
    return absl::InvalidArgumentError(
        "a case store's mask fits its own case alone; give the case as `file`, "
        "or a mask file");
  }
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(row.mask, kMaxImageFileBytes));
  return DecodeMask(bytes);
}

absl::Status AddFileMask(const CaseRow& row, const GrayImage& image,
                         const CasePlanes& planes, LoadedCase& out) {
  HILUM_ASSIGN_OR_RETURN(const GrayImage mask, ReadMaskFile(row));
  const absl::Status doubt = WhyMaskIsDoubtful(mask);
  if (!doubt.ok() && planes.judge_masks) {
    out.facts.mask_fault = std::string(doubt.message());
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(doubt);
  if (!Judge(ToBinaryMask(mask), planes, out.facts)) return absl::OkStatus();
  if (planes.segmented) {
    HILUM_ASSIGN_OR_RETURN(out.segmented,
                           PrepareSegmented(image, mask, planes.size));
  }
  return planes.lungs ? AddLungs(image, mask, planes, out) : absl::OkStatus();
}

// Returns `status` without the row's paths: they may contain a patient's name,
// and the log shows the message beside the row's number.
absl::Status WithoutPaths(const absl::Status& status, const CaseRow& row,
                          absl::string_view store) {
  std::vector<std::pair<std::string, absl::string_view>> names;
  for (const absl::string_view path :
       {absl::string_view(row.path), absl::string_view(row.mask), store}) {
    if (path.empty()) continue;
    names.emplace_back(absl::StrCat(path, ": "), "");
    names.emplace_back(std::string(path),
                       path == store ? "the case store" : "the file");
  }
  return absl::Status(status.code(),
                      absl::StrReplaceAll(status.message(), names));
}

bool WantsMask(const CaseRow& row, const CasePlanes& planes) {
  return (planes.segmented || planes.lungs) && !row.mask.empty();
}

absl::Status LoadFile(const CaseRow& row, const CasePlanes& planes,
                      LoadedCase& out) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(row.path, kMaxImageFileBytes));
  HILUM_ASSIGN_OR_RETURN(GrayImage image, DecodeImage(bytes));
  return LoadImage(image, row, planes, out);
}

// Resizes a plane that is 65535 in the lungs and 0 outside.
absl::StatusOr<Plane> ResizeLungs(const BinaryMask& mask, int size) {
  Plane lungs;
  for (uint8_t set : mask.pixels) lungs.push_back(set != 0 ? 65535 : 0);
  return ResizePlane({mask.rows, mask.columns, lungs}, size);
}

// Returns the pixels that are not black: the cut is black outside the lungs.
BinaryMask LungsOfCut(const PlaneView& cut) {
  BinaryMask mask{cut.rows, cut.columns, {}};
  for (uint16_t gray : cut.pixels) mask.pixels.push_back(gray > 0);
  return mask;
}

BinaryMask LungsOfWhole(const CaseRecord& record) {
  BinaryMask mask{record.whole.rows, record.whole.columns, {}};
  for (size_t i = 0; i < record.whole.pixels.size(); ++i) {
    mask.pixels.push_back(record.lungs[i / 8] >> (i % 8) & 1);
  }
  return mask;
}

absl::Status CheckEntryMask(const CaseRow& row, const CaseRecord& record) {
  if (row.mask != row.path) {
    return absl::InvalidArgumentError(
        "a case of a store has the store's own; write the entry of `file`, or "
        "nothing");
  }
  if (record.segmented.rows > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the store has none of this case; `hilum-ingest masks` takes it in");
}

absl::Status AddEntryMask(const CaseRow& row, const CaseRecord& record,
                          const CasePlanes& planes, LoadedCase& out) {
  HILUM_RETURN_IF_ERROR(CheckEntryMask(row, record));
  const BinaryMask lungs = LungsOfWhole(record);
  if (!Judge(lungs, planes, out.facts)) return absl::OkStatus();
  if (planes.segmented) {
    HILUM_ASSIGN_OR_RETURN(out.segmented,
                           ResizePlane(record.segmented, planes.size));
  }
  if (planes.lungs && planes.segmented) {
    HILUM_ASSIGN_OR_RETURN(
        out.segmented_lungs,
        ResizeLungs(LungsOfCut(record.segmented), planes.size));
  }
  if (planes.lungs && planes.whole) {
    HILUM_ASSIGN_OR_RETURN(out.whole_lungs, ResizeLungs(lungs, planes.size));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadImage(const GrayImage& image, const CaseRow& row,
                       const CasePlanes& planes, LoadedCase& out) {
  HILUM_RETURN_IF_ERROR(CheckShowsSomething(image));
  out.digest = PixelDigest(image);
  out.image_digest = out.digest.substr(0, kDigestPrefix);
  out.facts.rows = image.rows;
  out.facts.columns = image.columns;
  out.facts.notes = image.notes;
  if (planes.whole) {
    HILUM_ASSIGN_OR_RETURN(out.whole, PrepareWhole(image, planes.size));
  }
  if (!WantsMask(row, planes)) return absl::OkStatus();
  return OfMask(AddFileMask(row, image, planes, out));
}

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
  absl::Status status = entry.has_value() ? LoadEntry(row, *entry, planes, out)
                                          : LoadFile(row, planes, out);
  if (status.ok()) return status;
  return WithoutPaths(status, row, entry.has_value() ? entry->store : "");
}

absl::StatusOr<CaseRecord> CaseLoader::Record(const CaseEntry& entry) const {
  auto store = stores_.find(entry.store);
  if (store == stores_.end()) {
    return absl::NotFoundError(
        absl::StrCat(entry.store, ": not opened with this manifest"));
  }
  HILUM_RETURN_IF_ERROR(store->second.status());
  return store->second->Read(entry.case_id);
}

absl::Status CaseLoader::LoadEntry(const CaseRow& row, const CaseEntry& entry,
                                   const CasePlanes& planes,
                                   LoadedCase& out) const {
  HILUM_ASSIGN_OR_RETURN(const CaseRecord record, Record(entry));
  out.digest = entry.case_id;
  out.image_digest = std::string(record.image_digest);
  out.facts.rows = static_cast<int>(record.source_rows);
  out.facts.columns = static_cast<int>(record.source_columns);
  if (planes.whole) {
    HILUM_ASSIGN_OR_RETURN(out.whole, ResizePlane(record.whole, planes.size));
  }
  if (!WantsMask(row, planes)) return absl::OkStatus();
  return OfMask(AddEntryMask(row, record, planes, out));
}

absl::StatusOr<GrayImage> CaseLoader::Image(const CaseRow& row) const {
  const std::optional<CaseEntry> entry = ParseCaseEntry(row.path);
  if (!entry.has_value()) {
    HILUM_ASSIGN_OR_RETURN(std::string bytes,
                           ReadFile(row.path, kMaxImageFileBytes));
    return DecodeImage(bytes);
  }
  HILUM_ASSIGN_OR_RETURN(const CaseRecord record, Record(*entry));
  GrayImage image{record.whole.rows, record.whole.columns, {}};
  for (uint16_t gray : record.whole.pixels) {
    image.pixels.push_back(static_cast<float>(gray) / 65535);
  }
  return image;
}

absl::StatusOr<BinaryMask> CaseLoader::Mask(const CaseRow& row, int rows,
                                            int columns) const {
  if (row.mask.empty()) {
    return absl::InvalidArgumentError("the manifest lists no mask for it");
  }
  const std::optional<CaseEntry> entry = ParseCaseEntry(row.path);
  if (entry.has_value()) {
    HILUM_ASSIGN_OR_RETURN(const CaseRecord record, Record(*entry));
    HILUM_RETURN_IF_ERROR(OfMask(CheckEntryMask(row, record)));
    return LungsOfWhole(record);
  }
  absl::StatusOr<GrayImage> mask = ReadMaskFile(row);
  HILUM_RETURN_IF_ERROR(OfMask(mask.status()));
  HILUM_RETURN_IF_ERROR(OfMask(WhyMaskIsDoubtful(*mask)));
  if (mask->rows == rows && mask->columns == columns) {
    return ToBinaryMask(*mask);
  }
  return ToBinaryMask(ResizeImage(*mask, rows, columns));
}

}  // namespace hilum
