// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predict_case.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/metrics/fingerprint.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom/patient_orientation.h"
#include "site_agent/imaging/dicom/select_pcxr.h"
#include "site_agent/imaging/upright/find_orientation.h"
#include "site_agent/trainer/data/case_fingerprint.h"

namespace hilum {
namespace {

constexpr DicomTag kSopInstance = 0x00080018;
constexpr char kNoFinder[] =
    "no lungs: it has no lung mask, and the model sees the lungs alone; give a "
    "mask, or --find-lungs";

// Returns a UID as far as it consists of digits and dots.
std::string UidOf(const DicomElements& elements) {
  std::string uid;
  for (char c : elements.Text(kSopInstance)) {
    if ((c >= '0' && c <= '9') || c == '.') uid.push_back(c);
  }
  return uid.size() <= 64 ? uid : std::string();
}

// Sets the reason where the fault is the mask's; returns other faults.
absl::Status OfLungs(const absl::Status& status, ReadCase& out) {
  absl::string_view message = status.message();
  if (status.ok() || !absl::ConsumePrefix(&message, "lung mask: ")) {
    return status;
  }
  out.abstained = absl::StrCat("no lungs: its lung mask: ", message);
  return absl::OkStatus();
}

}  // namespace

CaseReader::CaseReader(absl::Span<const ListedCase> cases,
                       const ModelFacts& facts, const CaseReadOptions& options)
    : loader_(ManifestOf(cases)), facts_(facts), options_(options) {}

CasePlanes CaseReader::Planes() const {
  return {.size = facts_.input_size,
          .whole = !options_.segmented,
          .segmented = options_.segmented,
          .lungs = false,
          .judge_masks = facts_.judge_masks};
}

bool CaseReader::MustFindLungs(const ListedCase& one,
                               const LungFinder& find_lungs) const {
  return options_.segmented ? one.row.mask.empty() : find_lungs != nullptr;
}

absl::Status CaseReader::FindLungs(const GrayImage& image,
                                   const LungFinder& find_lungs,
                                   LoadedCase& loaded, ReadCase& out) const {
  if (find_lungs == nullptr) {
    out.abstained = kNoFinder;
    return absl::OkStatus();
  }
  HILUM_ASSIGN_OR_RETURN(const BinaryMask mask, find_lungs(image));
  const LungMaskVerdict verdict = JudgeLungMask(mask);
  if (!verdict.accepted()) {
    out.abstained = absl::StrCat("no lungs: those found: ", verdict.reason);
    return absl::OkStatus();
  }
  if (!options_.segmented) return absl::OkStatus();
  const GrayImage gray{
      mask.rows, mask.columns, {mask.pixels.begin(), mask.pixels.end()}};
  HILUM_ASSIGN_OR_RETURN(loaded.segmented,
                         PrepareSegmented(image, gray, facts_.input_size));
  return absl::OkStatus();
}

absl::Status CaseReader::CheckUpright(const GrayImage& image,
                                      const LoadedCase& loaded, bool told,
                                      ReadCase& out) const {
  if (std::min(image.rows, image.columns) < kOrientationSide) {
    return absl::OkStatus();
  }
  SizedPlane whole{facts_.input_size, facts_.input_size, loaded.whole};
  if (whole.pixels.empty() || facts_.input_size < kOrientationSide) {
    whole = {kOrientationSide, kOrientationSide, {}};
    HILUM_ASSIGN_OR_RETURN(whole.pixels, PrepareWhole(image, kOrientationSide));
  }
  const OrientationVerdict verdict = FindOrientation(whole);
  const std::optional<Turn> turn = SurelyTurned(verdict, told);
  if (!turn.has_value()) return absl::OkStatus();
  // The rest of the sentence names options of `hilum-ingest release`.
  const std::string why = WhyNotUpright(verdict, *turn, told);
  out.abstained = absl::StrCat("turned: ", why.substr(0, why.find(": ")));
  return absl::OkStatus();
}

absl::Status CaseReader::ReadFileOf(const ListedCase& one,
                                    const LungFinder& find_lungs,
                                    LoadedCase& loaded, ReadCase& out) const {
  HILUM_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadFile(one.row.path, kMaxImageFileBytes));
  bool told = false;
  if (IsDicom(bytes)) {
    HILUM_ASSIGN_OR_RETURN(const DicomFile file, ReadDicomFile(bytes));
    out.sop_instance = UidOf(file.elements);
    told = SaysOrientation(file.elements);
    const PcxrVerdict header = SelectPcxr(file.elements);
    if (!header.accepted() && !options_.every_case) {
      out.abstained =
          absl::StrCat("no frontal chest radiograph: ", header.reason);
      return absl::OkStatus();
    }
  }
  const absl::StatusOr<GrayImage> decoded = DecodeImage(bytes);
  if (absl::IsFailedPrecondition(decoded.status())) {  // by its orientation
    out.abstained = absl::StrCat("no frontal chest radiograph: ",
                                 decoded.status().message());
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(decoded.status());
  const GrayImage& image = *decoded;
  HILUM_RETURN_IF_ERROR(
      OfLungs(LoadImage(image, one.row, Planes(), loaded), out));
  if (out.abstained.empty() && !options_.every_case) {
    HILUM_RETURN_IF_ERROR(CheckUpright(image, loaded, told, out));
  }
  if (!out.abstained.empty() || !MustFindLungs(one, find_lungs)) {
    return absl::OkStatus();
  }
  return FindLungs(image, find_lungs, loaded, out);
}

absl::Status CaseReader::ReadEntry(const ListedCase& one,
                                   const LungFinder& find_lungs,
                                   LoadedCase& loaded, ReadCase& out) const {
  HILUM_RETURN_IF_ERROR(OfLungs(loader_.Load(one.row, Planes(), loaded), out));
  if (!out.abstained.empty() || !MustFindLungs(one, find_lungs)) {
    return absl::OkStatus();
  }
  HILUM_ASSIGN_OR_RETURN(const GrayImage image, loader_.Image(one.row));
  return FindLungs(image, find_lungs, loaded, out);
}

std::string CaseReader::WhyFar(const LoadedCase& loaded) const {
  static const Plane* const kAnywhereBright = new Plane;
  v1::Fingerprint print = EmptyFingerprint();
  AddToFingerprint(options_.segmented ? loaded.segmented : loaded.whole,
                   options_.segmented ? kAnywhereBright : nullptr, loaded.facts,
                   print);
  const std::optional<double> distance =
      GrayDistance(print, facts_.gray_quantiles);
  if (!distance.has_value() || *distance <= kFarFromTraining) return "";
  return absl::StrFormat(
      "far from the training images: its grays differ by %.2f of the gray "
      "range from theirs, over %.2f",
      *distance, kFarFromTraining);
}

ReadCase CaseReader::Read(const ListedCase& one,
                          const LungFinder& find_lungs) const {
  ReadCase out;
  LoadedCase loaded;
  if (!one.held_reason.empty() && (one.bad_row || !options_.every_case)) {
    out.abstained = one.held_reason;
    out.failed = one.bad_row;
    return out;
  }
  absl::Status status;
  try {
    status = ParseCaseEntry(one.row.path).has_value()
                 ? ReadEntry(one, find_lungs, loaded, out)
                 : ReadFileOf(one, find_lungs, loaded, out);
  } catch (const std::exception& error) {
    status =
        absl::ResourceExhaustedError(absl::StrCat("no memory: ", error.what()));
  }
  if (!status.ok()) {
    out.failed = true;
    out.abstained = absl::StrCat("unreadable: ", status.message());
    return out;
  }
  if (out.abstained.empty() && !loaded.facts.mask_fault.empty()) {
    out.abstained =
        absl::StrCat("no lungs: its lung mask: ", loaded.facts.mask_fault);
  }
  if (!out.abstained.empty()) return out;
  if (!options_.every_case) out.abstained = WhyFar(loaded);
  if (out.abstained.empty()) {
    out.plane = std::move(options_.segmented ? loaded.segmented : loaded.whole);
  }
  return out;
}

}  // namespace hilum
