// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/load_case.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/decode.h"

namespace hilum {
namespace {

absl::Status OfMask(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("lung mask: ", status.message()));
}

absl::Status AddFileMask(const CaseRow& row, const GrayImage& image, int size,
                         LoadedCase& out) {
  if (ParseCaseEntry(row.mask).has_value()) {
    return absl::InvalidArgumentError(
        "a case store's mask fits its own case alone; give the case as `file`, "
        "or a mask file");
  }
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(row.mask, kMaxImageFileBytes));
  HILUM_ASSIGN_OR_RETURN(GrayImage mask, DecodeImage(bytes));
  HILUM_ASSIGN_OR_RETURN(out.segmented, PrepareSegmented(image, mask, size));
  return absl::OkStatus();
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
  if (!planes.segmented || row.mask.empty()) return absl::OkStatus();
  return OfMask(AddFileMask(row, image, planes.size, out));
}

absl::Status AddEntryMask(const CaseRow& row, const CaseRecord& record,
                          int size, LoadedCase& out) {
  if (row.mask != row.path) {
    return absl::InvalidArgumentError(
        "a case of a store has the store's own; write the entry of `file`, or "
        "nothing");
  }
  if (record.segmented.rows == 0) {
    return absl::InvalidArgumentError(
        "the store has none of this case; run `hilum-ingest folder --masks`");
  }
  HILUM_ASSIGN_OR_RETURN(out.segmented, ResizePlane(record.segmented, size));
  return absl::OkStatus();
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
  if (!planes.segmented || row.mask.empty()) return absl::OkStatus();
  return OfMask(AddEntryMask(row, record, planes.size, out));
}

}  // namespace hilum
