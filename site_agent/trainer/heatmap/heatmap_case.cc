// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/heatmap/heatmap_case.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/lungs/prepare_mask.h"

namespace hilum {
namespace {

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

CaseRow RowOf(const std::string& path, bool with_mask) {
  return {.file = path, .path = path, .mask = with_mask ? path : std::string()};
}

GrayImage ToGray(const BinaryMask& mask) {
  return {mask.rows, mask.columns, {mask.pixels.begin(), mask.pixels.end()}};
}

std::vector<float> ToShares(const Plane& plane) {
  std::vector<float> shares;
  for (uint16_t share : plane)
    shares.push_back(static_cast<float>(share) / 65535);
  return shares;
}

absl::StatusOr<GrayImage> ReadMask(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadFile(path, kMaxImageFileBytes));
  absl::StatusOr<GrayImage> mask = DecodeMask(bytes);
  absl::Status status = mask.status();
  if (status.ok()) status = WhyMaskIsDoubtful(*mask);
  if (status.ok()) return mask;
  return absl::Status(status.code(),
                      absl::StrCat("lung mask ", path, ": ", status.message()));
}

absl::Status NoMask() {
  return absl::InvalidArgumentError(
      "the model sees segmented lungs: give the lung mask with --mask, or "
      "--arm whole");
}

}  // namespace

std::string NameOfCase(const std::string& path) {
  const std::optional<CaseEntry> entry = ParseCaseEntry(path);
  if (entry.has_value()) return entry->case_id;
  return std::filesystem::path(path).stem().string();
}

HeatmapCases::HeatmapCases(absl::Span<const ListedCase> cases, std::string mask)
    : mask_(std::move(mask)), loader_(ManifestOf(cases)) {
  for (const ListedCase& one : cases) {
    if (ParseCaseEntry(one.row.path).has_value()) continue;
    listed_masks_[one.row.path] = one.row.mask;
  }
}

std::string HeatmapCases::MaskFor(const std::string& path) const {
  if (mask_.empty()) {
    const auto listed = listed_masks_.find(path);
    return listed == listed_masks_.end() ? "" : listed->second;
  }
  if (!IsFolder(mask_)) return mask_;
  std::string mask = absl::StrCat(mask_, "/", NameOfCase(path), ".png");
  return FileExists(mask) ? mask : std::string();
}

absl::StatusOr<HeatmapCase> HeatmapCases::Read(const std::string& path) const {
  HeatmapCase one{.path = path};
  if (ParseCaseEntry(path).has_value()) {
    HILUM_ASSIGN_OR_RETURN(one.image, loader_.Image(RowOf(path, false)));
    auto own =
        loader_.Mask(RowOf(path, true), one.image.rows, one.image.columns);
    if (own.ok()) one.mask = ToGray(*own);
  } else {
    HILUM_ASSIGN_OR_RETURN(one.bytes, ReadFile(path, kMaxImageFileBytes));
    HILUM_ASSIGN_OR_RETURN(one.image, DecodeImage(one.bytes));
    HILUM_RETURN_IF_ERROR(CheckShowsSomething(one.image));
  }
  const std::string mask = MaskFor(path);
  if (mask.empty()) return one;
  HILUM_ASSIGN_OR_RETURN(one.mask, ReadMask(mask));
  return one;
}

// Loads the planes that a trainer gets from the store.
absl::StatusOr<HeatmapView> HeatmapCases::ViewOfEntry(const HeatmapCase& one,
                                                      bool segmented,
                                                      int size) const {
  LoadedCase loaded;
  HILUM_RETURN_IF_ERROR(loader_.Load(RowOf(one.path, one.mask.has_value()),
                                     {.size = size,
                                      .whole = !segmented,
                                      .segmented = segmented,
                                      .lungs = one.mask.has_value(),
                                      .judge_masks = false},
                                     loaded));
  HeatmapView view{
      .plane = std::move(segmented ? loaded.segmented : loaded.whole),
      .box = {0, 0, one.image.rows, one.image.columns}};
  if (segmented) {
    HILUM_ASSIGN_OR_RETURN(view.box, SegmentedBox(one.image, *one.mask));
  }
  view.lungs =
      ToShares(segmented ? loaded.segmented_lungs : loaded.whole_lungs);
  return view;
}

absl::StatusOr<HeatmapView> HeatmapCases::ViewOf(const HeatmapCase& one,
                                                 bool segmented,
                                                 int size) const {
  if (segmented && !one.mask.has_value()) return NoMask();
  if (one.bytes.empty() && MaskFor(one.path).empty()) {
    return ViewOfEntry(one, segmented, size);
  }
  HeatmapView view{.plane = {},
                   .box = {0, 0, one.image.rows, one.image.columns}};
  if (!segmented) {
    HILUM_ASSIGN_OR_RETURN(view.plane, PrepareWhole(one.image, size));
    if (one.mask.has_value()) {
      HILUM_ASSIGN_OR_RETURN(view.lungs,
                             PrepareWholeMask(one.image, *one.mask, size));
    }
    return view;
  }
  HILUM_ASSIGN_OR_RETURN(view.plane,
                         PrepareSegmented(one.image, *one.mask, size));
  HILUM_ASSIGN_OR_RETURN(view.box, SegmentedBox(one.image, *one.mask));
  HILUM_ASSIGN_OR_RETURN(view.lungs,
                         PrepareSegmentedMask(one.image, *one.mask, size));
  return view;
}

}  // namespace hilum
