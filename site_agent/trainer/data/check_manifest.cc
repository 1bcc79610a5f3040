// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/check_manifest.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/printable.h"
#include "common/config/study.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/trainer/data/folds.h"
#include "site_agent/trainer/data/labelled_manifest.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/data/site_notes.h"

namespace hilum {
namespace {

using Level = CheckLine::Level;

// The default of a study's data_rules.max_bad_share.
constexpr double kUsualBadShare = 0.05;
constexpr size_t kMostReasons = 5;
constexpr size_t kMostLabels = 16;
constexpr int kSide = 64;  // pixels, for trying out an image

// "3 of 24 rows: row 4: no file; row 7: ..."
std::string Reasons(const std::vector<RejectedRow>& rows) {
  std::vector<std::string> reasons;
  for (const RejectedRow& row : rows) {
    if (reasons.size() == kMostReasons) {
      reasons.push_back(
          absl::StrCat("and ", rows.size() - kMostReasons, " more"));
      break;
    }
    reasons.push_back(absl::StrCat("row ", row.row, ": ", row.reason));
  }
  return absl::StrJoin(reasons, "; ");
}

// Computes one call of CheckCaseManifest.
class Checker {
 public:
  explicit Checker(const ManifestCheck& check) : check_(check) {
    if (!check.studies.empty()) allowed_ = 1;
    for (const v1::Study& study : check.studies) {
      allowed_ = std::min(allowed_, study.data_rules().max_bad_share());
    }
  }

  std::vector<CheckLine> Run() {
    auto read = ReadAnyManifest(check_.manifest, Options());
    if (!read.ok()) {
      Add(Level::kFail,
          absl::StrCat("case manifest: ", read.status().message()));
      return std::move(lines_);
    }
    read_ = *std::move(read);
    SayTable();
    if (!manifest().cases.empty()) {
      SayFiles();
      SayImages();
      SayLabels();
      const std::string similar = SimilarPatientsWarning(manifest());
      if (!similar.empty()) Add(Level::kNote, similar);
    }
    for (const v1::Study& study : check_.studies) SayStudy(study);
    return std::move(lines_);
  }

 private:
  const CaseManifest& manifest() const { return read_.manifest; }
  ManifestOptions Options() const {
    return {.site_column = check_.site_column, .site = check_.site};
  }

  void Add(Level level, std::string text) {
    lines_.push_back({level, std::move(text)});
  }

  // Reports the number of bad rows, as a failure where a study would stop.
  void AddBad(absl::string_view what, const std::vector<RejectedRow>& bad,
              size_t of, absl::string_view todo) {
    if (bad.empty()) return;
    const bool stops =
        static_cast<double>(bad.size()) > allowed_ * static_cast<double>(of);
    Add(stops ? Level::kFail : Level::kNote,
        absl::StrCat(what, ": ", bad.size(), " of ", of,
                     " cannot be used: ", Reasons(bad), todo));
  }

  void SayTable() {
    const CsvDialect& dialect = manifest().dialect;
    if (manifest().rows == 0) {
      return Add(Level::kFail,
                 check_.site_column.empty()
                     ? "case manifest: it has a header and no rows"
                     : absl::StrCat("case manifest: no row has '", check_.site,
                                    "', the site of the certificate, in "
                                    "the column of site_column"));
    }
    Add(Level::kOk,
        absl::StrCat("case manifest: ", manifest().rows, " rows, separated by ",
                     DelimiterName(dialect), ", in ", dialect.encoding));
    if (dialect.encoding == "an older encoding") {
      Add(Level::kNote,
          "case manifest: its text is not UTF-8; where files with accents in "
          "their names are not found, save it as \"CSV UTF-8\"");
    }
    AddBad("rows", manifest().rejected, static_cast<size_t>(manifest().rows),
           "; mend them in the manifest");
  }

  void SayFiles() {
    std::vector<RejectedRow> absent;
    for (const CaseRow& row : manifest().cases) {
      for (const std::string* path : {&row.path, &row.mask}) {
        if (path->empty() || ParseCaseEntry(*path).has_value() ||
            FileExists(*path)) {
          continue;
        }
        absent.push_back({row.row, "",
                          path == &row.path ? "its file is not there"
                                            : "its lung mask is not there"});
        break;
      }
    }
    for (const RejectedRow& row : absent) absent_.insert(row.row);
    AddBad("files", absent, manifest().cases.size(),
           "; paths are relative to the manifest's folder");
  }

  // Returns indices of the rows whose images are opened, spread over all rows
  // whose files exist.
  std::vector<size_t> Chosen() const {
    std::vector<size_t> there;
    for (size_t i = 0; i < manifest().cases.size(); ++i) {
      if (!absent_.contains(manifest().cases[i].row)) there.push_back(i);
    }
    const size_t all = there.size();
    if (check_.images <= 0 || static_cast<size_t>(check_.images) >= all) {
      return there;
    }
    const size_t wanted = static_cast<size_t>(check_.images);
    std::vector<size_t> chosen;
    for (size_t i = 0; i < wanted; ++i) {
      chosen.push_back(there[i * all / wanted]);
    }
    return chosen;
  }

  void SayImages() {
    const CaseLoader loader(manifest());
    const std::vector<size_t> chosen = Chosen();
    if (chosen.empty()) {
      any_mask_ = true;  // nothing is known; missing files were reported before
      return;
    }
    std::vector<RejectedRow> bad, bad_masks;
    size_t masks = 0;
    for (size_t i : chosen) {
      const CaseRow& row = manifest().cases[i];
      LoadedCase loaded;
      const absl::Status status = loader.Load(row,
                                              {.size = kSide,
                                               .whole = true,
                                               .segmented = true,
                                               .lungs = false,
                                               .judge_masks = true},
                                              loaded);
      masks += !row.mask.empty();
      if (!status.ok()) {
        bad.push_back({row.row, "", std::string(status.message())});
      } else if (!loaded.facts.mask_fault.empty()) {
        bad_masks.push_back({row.row, "", loaded.facts.mask_fault});
      }
    }
    if (bad.empty()) {
      Add(Level::kOk,
          absl::StrCat("images: ", chosen.size(), " of ",
                       manifest().cases.size(), " opened, all can be used"));
    }
    AddBad("images opened", bad, chosen.size(), "");
    SayMasks(masks, bad_masks);
  }

  // `opened`: number of masks; `bad`: those that do not show two lungs.
  void SayMasks(size_t opened, const std::vector<RejectedRow>& bad) {
    const auto& cases = manifest().cases;
    const auto named =
        std::count_if(cases.begin(), cases.end(),
                      [](const CaseRow& row) { return !row.mask.empty(); });
    if (named == 0) {
      return Add(Level::kNote,
                 "lung masks: no row names one; an arm of segmented lungs "
                 "would have no case here");
    }
    any_mask_ = opened == 0 || bad.size() < opened;
    Add(bad.empty() ? Level::kOk : Level::kNote,
        absl::StrCat("lung masks: ", named, " of ", cases.size(),
                     " rows name one; ", opened, " opened",
                     bad.empty()
                         ? ""
                         : absl::StrCat(", of which ", bad.size(),
                                        " would not be used: ", Reasons(bad))));
  }

  std::string LabelCounts() const {
    std::vector<size_t> counts(read_.labels.size());
    for (const CaseRow& row : manifest().cases) {
      ++counts[static_cast<size_t>(row.label)];
    }
    std::vector<std::string> parts;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (parts.size() == kMostLabels) {
        parts.push_back(absl::StrCat("and ", counts.size() - i, " more"));
        break;
      }
      const std::string& label = read_.labels[i];
      parts.push_back(
          absl::StrCat(label.empty() ? "(none)" : label, " ", counts[i]));
    }
    return absl::StrJoin(parts, ", ");
  }

  void SayLabels() {
    if (read_.labels.size() <= kMostLabels) {
      return Add(Level::kOk, absl::StrCat("labels: ", LabelCounts()));
    }
    // Does not quote labels: in a misplaced column they are patients' names.
    Add(Level::kNote,
        absl::StrCat("labels: ", read_.labels.size(),
                     " different ones; is the column label the right one?"));
  }

  void SayStudy(const v1::Study& study) {
    const std::string name = absl::StrCat("study ", study.name());
    const std::vector<std::string> classes(study.classes().begin(),
                                           study.classes().end());
    const auto read = ReadCaseManifest(check_.manifest, classes, Options());
    if (!read.ok()) {
      return Add(Level::kFail,
                 absl::StrCat(name, ": ", read.status().message()));
    }
    const absl::Status share =
        CheckBadShare(*read, study.data_rules().max_bad_share());
    if (!share.ok()) {
      return Add(
          Level::kFail,
          absl::StrCat(name, " would stop here: ", share.message(),
                       "; its classes are ", absl::StrJoin(classes, ", ")));
    }
    SayFolds(study, *read, name);
    if (any_mask_) return;
    for (int arm : study.arms()) {
      if (arm == v1::ARM_WHOLE && !IsSegmentation(study)) continue;
      Add(Level::kFail,
          absl::StrCat(name, ": ",
                       NoCaseInArm(*read, static_cast<v1::Arm>(arm))));
    }
  }

  void SayFolds(const v1::Study& study, const CaseManifest& cases,
                const std::string& name) {
    std::vector<size_t> counts(static_cast<size_t>(study.classes_size()));
    for (const CaseRow& row : cases.cases) {
      ++counts[static_cast<size_t>(row.label)];
    }
    std::vector<std::string> parts, absent;
    for (size_t i = 0; i < counts.size(); ++i) {
      const std::string& label = study.classes(static_cast<int>(i));
      parts.push_back(absl::StrCat(label, " ", counts[i]));
      if (counts[i] == 0) absent.push_back(label);
    }
    const int folds = static_cast<int>(study.cross_validation().folds());
    std::string text =
        absl::StrCat(name, ": cases by class ", absl::StrJoin(parts, ", "));
    bool empty = false;
    if (folds > 0) {
      const std::vector<size_t> patients = PatientsOfFolds(cases, study);
      empty = std::find(patients.begin(), patients.end(), 0u) != patients.end();
      absl::StrAppend(&text, "; patients by fold ",
                      absl::StrJoin(patients, ", "));
    }
    Add(Level::kOk, text);
    if (empty) {
      Add(Level::kNote, absl::StrCat(name,
                                     ": fewer patients than folds; a "
                                     "fold holds out nobody here"));
    }
    if (absent.empty()) return;
    Add(Level::kNote,
        absl::StrCat(name, ": no case here is labelled ",
                     absl::StrJoin(absent, ", "), "; other sites teach these"));
  }

  // Returns how many patients each fold holds out. The number does not depend
  // on the site's key; the key only chooses the patients.
  static std::vector<size_t> PatientsOfFolds(const CaseManifest& cases,
                                             const v1::Study& study) {
    const int folds = static_cast<int>(study.cross_validation().folds());
    const std::vector<int> dealt =
        DealFolds(cases.cases, study.classes_size(), folds, "");
    std::vector<std::set<absl::string_view>> patients(
        static_cast<size_t>(folds));
    for (size_t i = 0; i < dealt.size(); ++i) {
      patients[static_cast<size_t>(dealt[i])].insert(cases.cases[i].patient_id);
    }
    std::vector<size_t> counts;
    for (const auto& fold : patients) counts.push_back(fold.size());
    return counts;
  }

  const ManifestCheck& check_;
  double allowed_ = kUsualBadShare;  // share of bad rows at which a study stops
  LabelledManifest read_;
  std::set<int> absent_;   // rows with a missing file
  bool any_mask_ = false;  // a usable mask may exist
  std::vector<CheckLine> lines_;
};

}  // namespace

std::vector<CheckLine> CheckCaseManifest(const ManifestCheck& check) {
  return Checker(check).Run();
}

std::string CheckLineText(const CheckLine& line) {
  constexpr size_t kMostBytes = 2000;
  const absl::string_view level = line.level == Level::kOk     ? "ok    "
                                  : line.level == Level::kNote ? "note  "
                                                               : "FAIL  ";
  return absl::StrCat(level, Printable(line.text, kMostBytes));
}

}  // namespace hilum
