// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/masks.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/upright/turn.h"
#include "site_agent/ingest/folder_walk.h"
#include "site_agent/ingest/intake.h"
#include "site_agent/ingest/object_uid.h"

namespace hilum {
namespace {

constexpr int kMasksPerCommit = 32;
// Relative difference allowed between the proportions of mask and image.
constexpr double kSameProportions = 0.02;

// Returns "1.2.3" for "a/b/1.2.3.dcm"; empty: not a mask's file name.
std::string StemOf(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (absl::string_view extension : {".png", ".dcm", ".jpg", ".jpeg"}) {
    if (!absl::EndsWith(name, extension)) continue;
    return name.substr(0, name.size() - extension.size());
  }
  return "";
}

absl::StatusOr<GrayImage> ReadMask(const std::string& path, const Turn& turn) {
  HILUM_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadFile(path, kMaxImageFileBytes));
  HILUM_ASSIGN_OR_RETURN(GrayImage mask, DecodeMask(bytes));
  HILUM_RETURN_IF_ERROR(WhyMaskIsDoubtful(mask));
  if (turn == Turn{}) return mask;
  mask.pixels = TurnPixels(mask.rows, mask.columns,
                           absl::MakeConstSpan(mask.pixels), turn);
  if (Transposes(turn)) std::swap(mask.rows, mask.columns);
  return mask;
}

absl::Status CheckProportions(const GrayImage& mask, const PlaneView& whole) {
  const double own = static_cast<double>(mask.rows) / mask.columns;
  const double image = static_cast<double>(whole.rows) / whole.columns;
  // Allows for rounding by a pixel on the shorter side.
  const double slack = kSameProportions +
                       1.0 / std::min(mask.rows, whole.rows) +
                       1.0 / std::min(mask.columns, whole.columns);
  if (std::abs(own / image - 1) <= slack) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "it is %d x %d, not in the proportions of its image, %d x %d", mask.rows,
      mask.columns, whole.rows, whole.columns));
}

// One run over a folder's masks. Life: Run, once.
class MaskRun {
 public:
  MaskRun(const MaskOptions& options, Intake& intake, CaseStoreReader reader,
          std::ostream& out)
      : options_(options),
        intake_(intake),
        reader_(std::move(reader)),
        out_(out) {}

  absl::Status Run(const FolderWalk& walk, Progress& progress) {
    int64_t done = 0;
    for (const FoundFile& file : walk.files) {
      progress.Report(done++);
      const std::string stem = StemOf(file.path);
      HILUM_ASSIGN_OR_RETURN(const Target target, TargetOf(stem));
      if (target.case_id.empty()) {
        NoCase(file.path, stem);
        continue;
      }
      HILUM_RETURN_IF_ERROR(Take(file.path, target));
    }
    progress.Report(done);
    progress.Finish();
    HILUM_RETURN_IF_ERROR(intake_.Commit());
    HILUM_RETURN_IF_ERROR(intake_.Export());
    out_ << absl::StrFormat(
        "masks: %d taken in, %d there already, %d left as the case has another "
        "(--replace takes them), %d refused; %d other files\n",
        taken_, same_, left_, refused_, others_);
    if (taken_ + same_ + left_ + refused_ > 0) return absl::OkStatus();
    return absl::NotFoundError(
        absl::StrCat(options_.folder, ": no mask of a case of this store; ",
                     "they are named CASE.png, or SOPINSTANCEUID.png"));
  }

 private:
  // A mask's case, and how to turn it. A mask named by the case lies on the
  // stored image; one named by the UID lies on the file's image.
  struct Target {
    std::string case_id;  // empty: none
    Turn turn;
  };
  absl::StatusOr<Target> TargetOf(const std::string& stem) {
    Target target;
    const bool by_case = IsCaseId(stem);
    if (by_case) target.case_id = stem;
    if (!by_case) {
      HILUM_ASSIGN_OR_RETURN(target.case_id,
                             intake_.CaseOfSop(UidOfFileName(stem)));
    }
    if (target.case_id.empty()) return target;
    HILUM_ASSIGN_OR_RETURN(const std::optional<StoredCase> stored,
                           intake_.database().FindCase(target.case_id));
    if (!stored.has_value()) return Target{};
    if (!by_case) target.turn = stored->turn;
    return target;
  }

  void NoCase(const std::string& path, const std::string& stem) {
    if (!IsCaseId(stem) && !IsUid(stem)) {
      ++others_;
      return;
    }
    Refuse(path, "no case of this store has that name");
  }

  void Refuse(const std::string& path, absl::string_view reason) {
    ++refused_;
    out_ << path.substr(path.rfind('/') + 1) << ": " << reason << "\n";
  }

  absl::Status Take(const std::string& path, const Target& target) {
    const absl::StatusOr<GrayImage> mask = ReadMask(path, target.turn);
    if (!mask.ok()) {
      Refuse(path, mask.status().message());
      return absl::OkStatus();
    }
    HILUM_ASSIGN_OR_RETURN(const CaseRecord record,
                           reader_.Read(target.case_id));
    const absl::Status fits = CheckProportions(*mask, record.whole);
    if (!fits.ok()) {
      Refuse(path, fits.message());
      return absl::OkStatus();
    }
    const std::string lungs =
        LungBits(*mask, record.whole.rows, record.whole.columns);
    if (lungs == record.lungs) {
      ++same_;
      return absl::OkStatus();
    }
    if (record.segmented.rows > 0 && !options_.replace) {
      ++left_;
      return absl::OkStatus();
    }
    return Put(path, record, *mask, lungs);
  }

  absl::Status Put(const std::string& path, const CaseRecord& record,
                   const GrayImage& mask, const std::string& lungs) {
    GrayImage image{record.whole.rows, record.whole.columns, {}};
    for (uint16_t gray : record.whole.pixels) {
      image.pixels.push_back(static_cast<float>(gray) / 65535);
    }
    const absl::StatusOr<SizedPlane> segmented =
        PrepareSegmentedWithin(image, mask, kKeptSide);
    if (!segmented.ok()) {
      Refuse(path, segmented.status().message());
      return absl::OkStatus();
    }
    CaseRecord masked = record;
    masked.segmented = {segmented->rows, segmented->columns, segmented->pixels};
    masked.lungs = lungs;
    HILUM_RETURN_IF_ERROR(intake_.PutMask(masked));
    if (++taken_ % kMasksPerCommit == 0) return intake_.Commit();
    return absl::OkStatus();
  }

  const MaskOptions& options_;
  Intake& intake_;
  const CaseStoreReader reader_;
  std::ostream& out_;
  int64_t taken_ = 0, same_ = 0, left_ = 0, refused_ = 0, others_ = 0;
};

}  // namespace

absl::Status IngestMasks(const MaskOptions& options, std::ostream& out,
                         std::ostream& progress, Clock& clock, SecureRng& rng) {
  if (!FileExists(absl::StrCat(options.store, "/store.db"))) {
    return absl::NotFoundError(
        absl::StrCat(options.store,
                     ": no case store; `hilum-ingest folder` "
                     "or `listen` makes one"));
  }
  HILUM_ASSIGN_OR_RETURN(const FolderWalk walk, WalkFolder(options.folder, {}));
  if (options.confine) HILUM_RETURN_IF_ERROR(options.confine(walk));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Intake> intake,
                         Intake::Open({.store = options.store,
                                       .key_file = options.key_file,
                                       .actor = "masks"},
                                      clock, rng));
  HILUM_ASSIGN_OR_RETURN(CaseStoreReader reader,
                         CaseStoreReader::Open(options.store));
  Progress shown("Masks", static_cast<int64_t>(walk.files.size()), clock,
                 progress, options.terminal);
  return MaskRun(options, *intake, std::move(reader), out).Run(walk, shown);
}

}  // namespace hilum
