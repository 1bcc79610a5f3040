// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/command/segment_manifest.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom_write/write_dicom_segmentation.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "site_agent/trainer/segmentation/segment_cases.h"

namespace hilum {
namespace {

constexpr char kUnreadable[] = "unreadable";
constexpr char kSegmenterName[] = "Hilum lungs U-Net";

// Returns "c" for "a/b/c.dcm", and the case of a store's entry.
std::string StemOf(const std::string& file) {
  const std::optional<CaseEntry> entry = ParseCaseEntry(file);
  if (entry.has_value()) return entry->case_id;
  const size_t slash = file.rfind('/');
  std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  const size_t dot = name.rfind('.');
  if (dot != std::string::npos && dot > 0) name.resize(dot);
  return name;
}

absl::Status CheckStems(const CaseManifest& manifest) {
  std::map<std::string, int> rows;
  for (const CaseRow& row : manifest.cases) {
    const auto [at, is_new] = rows.emplace(StemOf(row.file), row.row);
    if (is_new) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "rows ", at->second, " and ", row.row, " would both write ", at->first,
        ".png; run them as two manifests into two folders"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MaskPng(const BinaryMask& mask) {
  std::vector<uint8_t> pixels;
  for (uint8_t v : mask.pixels) pixels.push_back(v ? 255 : 0);
  return EncodePng8(mask.rows, mask.columns, pixels);
}

// Writes STEM.dcm; it refers to the image if that is DICOM.
absl::Status WriteSegmentation(const CaseRow& row, const BinaryMask& mask,
                               const std::string& path) {
  if (ParseCaseEntry(row.path).has_value()) {
    return absl::FailedPreconditionError(
        "a case store keeps no DICOM object that a segmentation could refer "
        "to; run without --dicom, or on the files");
  }
  HILUM_ASSIGN_OR_RETURN(std::string image,
                         ReadFile(row.path, kMaxImageFileBytes));
  const SegmentationNotes notes = {.algorithm = kSegmenterName,
                                   .source_key = Sha256Of(image)};
  absl::StatusOr<std::string> bytes;
  if (IsDicom(image)) {
    HILUM_ASSIGN_OR_RETURN(DicomFile source, ReadDicomFile(image));
    bytes = EncodeLungSegmentation(mask, notes, &source);
  } else {
    bytes = EncodeLungSegmentation(mask, notes, nullptr);
  }
  HILUM_RETURN_IF_ERROR(bytes.status());
  return WriteFileAtomically(path, *bytes, Durability::kNone);
}

// Writes one case's mask to PATH.png.
absl::StatusOr<LungMaskVerdict> SegmentRow(const CaseLoader& loader,
                                           const CaseRow& row,
                                           const SegmentRun& options,
                                           Segmenter& segmenter,
                                           const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(GrayImage image, loader.Image(row));
  HILUM_ASSIGN_OR_RETURN(BinaryMask mask,
                         SegmentImage(segmenter, image, options.cleaning));
  HILUM_ASSIGN_OR_RETURN(std::string png, MaskPng(mask));
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(path + ".png", png, Durability::kNone));
  const LungMaskVerdict verdict = JudgeLungMask(mask);
  // An empty mask has no segments.
  if (options.dicom && verdict.fault != LungMaskFault::kNoLung) {
    HILUM_RETURN_IF_ERROR(WriteSegmentation(row, mask, path + ".dcm"));
  }
  return verdict;
}

// Appends a row of masks.csv.
void AppendRow(const CaseRow& row, const std::string& stem,
               const absl::StatusOr<LungMaskVerdict>& verdict,
               std::string& list) {
  absl::StrAppend(&list, row.row, ",", CsvField(row.file), ",");
  if (!verdict.ok()) {
    absl::StrAppend(&list, ",", kUnreadable, ",",
                    CsvField(verdict.status().message()), "\n");
    return;
  }
  absl::StrAppend(&list, CsvField(stem + ".png"), ",",
                  verdict->accepted() ? "accepted" : "rejected", ",",
                  CsvField(verdict->reason), "\n");
}

}  // namespace

VerdictCounts::VerdictCounts(std::vector<std::string> labels)
    : labels_(std::move(labels)) {}

void VerdictCounts::Add(int label, LungMaskFault fault) {
  std::vector<int>& counts = counts_[std::string(FaultName(fault))];
  counts.resize(labels_.size());
  ++counts[label];
}

void VerdictCounts::AddUnreadable(int label) {
  std::vector<int>& counts = counts_[kUnreadable];
  counts.resize(labels_.size());
  ++counts[label];
}

void VerdictCounts::Print(std::ostream& out) const {
  size_t width = 5;
  for (const std::string& label : labels_) {
    width = std::max(width, label.size());
  }
  const auto cell = [&](absl::string_view text) {
    out << absl::StrFormat("  %10s", text);
  };
  out << absl::StrFormat("%-*s", static_cast<int>(width), "label");
  for (const auto& [fault, counts] : counts_) cell(fault);
  cell("rejected");
  const auto row = [&](absl::string_view name, auto value) {
    out << absl::StrFormat("\n%-*s", static_cast<int>(width), name);
    double all = 0, accepted = 0;
    for (const auto& [fault, counts] : counts_) {
      const int count = value(counts);
      cell(absl::StrCat(count));
      all += count;
      if (fault == FaultName(LungMaskFault::kNone)) accepted += count;
    }
    cell(all == 0 ? "-"
                  : absl::StrFormat("%.1f %%", 100 * (all - accepted) / all));
  };
  for (size_t i = 0; i < labels_.size(); ++i) {
    row(labels_[i], [i](const std::vector<int>& counts) { return counts[i]; });
  }
  row("all", [](const std::vector<int>& counts) {
    return std::accumulate(counts.begin(), counts.end(), 0);
  });
  out << "\n";
}

absl::Status RunSegmenter(const SegmentRun& options, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(LabelledManifest read, ReadAnyManifest(options.data));
  HILUM_RETURN_IF_ERROR(CheckStems(read.manifest));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Segmenter> segmenter,
                         LoadSegmenter(options.weights));
  Segmenter::SetThreads(options.threads);
  const CaseLoader loader(read.manifest);
  HILUM_RETURN_IF_ERROR(MakeDirectories(options.folder));
  VerdictCounts counts(read.labels);
  int cases = 0, written = 0;
  std::string list = "row,file,mask,verdict,reason\n";
  for (const CaseRow& row : read.manifest.cases) {
    if (options.only_missing && !row.mask.empty()) continue;
    const std::string stem = StemOf(row.file);
    const absl::StatusOr<LungMaskVerdict> verdict =
        SegmentRow(loader, row, options, *segmenter,
                   absl::StrCat(options.folder, "/", stem));
    ++cases;
    if (verdict.ok()) {
      ++written;
      counts.Add(row.label, verdict->fault);
    } else {
      counts.AddUnreadable(row.label);
    }
    AppendRow(row, stem, verdict, list);
  }
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      absl::StrCat(options.folder, "/masks.csv"), list, Durability::kNone));
  counts.Print(out);
  if (written > 0 || cases == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(options.data, ": none of the images could be read; why is ",
                   "in ", options.folder, "/masks.csv"));
}

absl::Status JudgeManifest(const std::string& data, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(LabelledManifest read, ReadAnyManifest(data));
  const CaseLoader loader(read.manifest);
  VerdictCounts counts(read.labels);
  int without = 0;
  for (const CaseRow& row : read.manifest.cases) {
    if (row.mask.empty()) {
      ++without;
      continue;
    }
    auto judge = [&]() -> absl::StatusOr<LungMaskVerdict> {
      HILUM_ASSIGN_OR_RETURN(GrayImage image, loader.Image(row));
      HILUM_ASSIGN_OR_RETURN(BinaryMask mask,
                             loader.Mask(row, image.rows, image.columns));
      return JudgeLungMask(mask);
    };
    const absl::StatusOr<LungMaskVerdict> verdict = judge();
    if (!verdict.ok()) {
      counts.AddUnreadable(row.label);
      out << "row " << row.row << ": " << verdict.status().message() << "\n";
      continue;
    }
    counts.Add(row.label, verdict->fault);
    if (verdict->accepted()) continue;
    out << "row " << row.row << ": " << FaultName(verdict->fault) << ": "
        << verdict->reason << "\n";
  }
  counts.Print(out);
  if (without > 0) out << without << " rows without a mask\n";
  return absl::OkStatus();
}

}  // namespace hilum
