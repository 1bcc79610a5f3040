// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_pool.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "site_agent/trainer/data/case_manifest.h"
#include "site_agent/trainer/data/folds.h"

namespace hilum {
namespace {

bool HasArm(const v1::Study& study, v1::Arm arm) {
  const auto& arms = study.arms();
  return std::find(arms.begin(), arms.end(), arm) != arms.end();
}

absl::StatusOr<Dataset> Load(const CaseSource& source, const v1::Study& study,
                             int threads) {
  const std::vector<std::string> classes(study.classes().begin(),
                                         study.classes().end());
  HILUM_ASSIGN_OR_RETURN(CaseManifest manifest,
                         ReadCaseManifest(source.manifest, classes,
                                          {.site_column = source.site_column,
                                           .site = source.site}));
  return LoadDataset(
      std::move(manifest),
      {.input_size = static_cast<int>(study.model().input_size()),
       .whole = HasArm(study, v1::ARM_WHOLE),
       .segmented = HasArm(study, v1::ARM_SEGMENTED),
       .lungs = study.evaluation().localization() || IsSegmentation(study),
       .judge_masks = study.data_rules().judge_masks(),
       .threads = threads});
}

template <typename T>
void Append(std::vector<T>&& more, std::vector<T>& all) {
  all.insert(all.end(), std::make_move_iterator(more.begin()),
             std::make_move_iterator(more.end()));
}

void Append(Dataset&& more, Dataset& all) {
  Append(std::move(more.whole), all.whole);
  Append(std::move(more.segmented), all.segmented);
  Append(std::move(more.digests), all.digests);
  Append(std::move(more.image_digests), all.image_digests);
  Append(std::move(more.facts), all.facts);
  Append(std::move(more.whole_lungs), all.whole_lungs);
  Append(std::move(more.segmented_lungs), all.segmented_lungs);
  Append(std::move(more.manifest.cases), all.manifest.cases);
  Append(std::move(more.manifest.rejected), all.manifest.rejected);
  all.manifest.rows += more.manifest.rows;
}

SeenCases SeenIn(const Dataset& data, const v1::Study& study) {
  return FindSeen(data.manifest.cases, data.image_digests, SeenLists(study));
}

void Append(const SeenCases& more, SeenCases& all) {
  all.marks.insert(all.marks.end(), more.marks.begin(), more.marks.end());
  all.cases += more.cases;
  all.patients += more.patients;
}

void Append(const SeenByTools& more, SeenByTools& all) {
  all.lungs_network += more.lungs_network;
  all.orientation_network += more.orientation_network;
  all.not_compared += more.not_compared;
}

std::vector<uint32_t> PatientFolds(absl::Span<const CaseRow> cases,
                                   absl::Span<const int> folds) {
  std::map<absl::string_view, uint32_t> of_patient;
  for (size_t i = 0; i < cases.size(); ++i) {
    of_patient[cases[i].patient_id] |= uint32_t{1} << folds[i];
  }
  std::vector<uint32_t> of_case;
  for (const CaseRow& row : cases)
    of_case.push_back(of_patient[row.patient_id]);
  return of_case;
}

}  // namespace

absl::StatusOr<CasePool> LoadCasePool(absl::Span<const CaseSource> sources,
                                      const v1::Study& study, int threads) {
  CasePool pool;
  for (const CaseSource& source : sources) {
    HILUM_ASSIGN_OR_RETURN(Dataset data, Load(source, study, threads));
    Append(DealFolds(data.manifest.cases, study.classes_size(),
                     static_cast<int>(study.cross_validation().folds()),
                     source.patient_key),
           pool.folds);
    Append(ValidationRanks(data.manifest.cases, study.classes_size(),
                           source.patient_key),
           pool.validation_ranks);
    Append(SeenIn(data, study), pool.seen);
    Append(FindSeenByTools(data.manifest.cases, data.image_digests,
                           SeenLists(study)),
           pool.seen_by_tools);
    Append(std::move(data), pool.data);
  }
  pool.patient_folds = PatientFolds(pool.data.manifest.cases, pool.folds);
  return pool;
}

}  // namespace hilum
