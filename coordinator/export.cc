// SPDX-License-Identifier: Apache-2.0
#include "coordinator/export.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "coordinator/active_study.h"
#include "coordinator/model_files.h"
#include "coordinator/report/csv_tables.h"
#include "coordinator/report/model_card.h"
#include "coordinator/report/python_model.h"
#include "coordinator/report/report.h"
#include "coordinator/validation.h"

namespace hilum {
namespace {

constexpr char kModelCard[] = "model/README.md";
constexpr uint64_t kLongestReport = uint64_t{1} << 30;

}  // namespace
absl::StatusOr<StudyResult> ResultOf(const StoredStudy& stored) {
  StudyResult result;
  HILUM_ASSIGN_OR_RETURN(result.study, ParseStudy(stored.study));
  result.study_hash = stored.hash;
  result.census = GivenCensuses(stored);
  result.evaluations = stored.evaluations;
  result.census_totals = stored.census_totals.has_value()
                             ? *stored.census_totals
                             : SumCensus(result.study, result.census);
  result.evaluation_totals =
      stored.evaluation_totals.has_value()
          ? *stored.evaluation_totals
          : SumEvaluations(result.study, result.evaluations);
  result.rounds = stored.rounds;
  if (stored.phase == v1::StudyStatus::STOPPED) {
    result.stopped =
        stored.reason.empty() ? "its reason is not known" : stored.reason;
  }
  result.model_rounds = EvaluatedRounds(result.study, result.rounds);
  return result;
}

absl::StatusOr<std::vector<std::string>> WriteExport(
    const StoredStudy& stored, const BlobStore& blobs,
    const std::string& directory) {
  HILUM_ASSIGN_OR_RETURN(StudyResult result, ResultOf(stored));
  HILUM_RETURN_IF_ERROR(WriteModels(stored, blobs, directory, result));
  HILUM_RETURN_IF_ERROR(WriteReports(result, directory));
  HILUM_ASSIGN_OR_RETURN(
      std::string report,
      ReadFile(absl::StrCat(directory, "/report.json"), kLongestReport));
  HILUM_ASSIGN_OR_RETURN(std::string card, ModelCard(result, report));
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(directory, "/", kModelCard), card));
  std::vector<std::string> files;
  for (const ModelFile& file : result.model_files) files.push_back(file.path);
  if (HasPythonModel(result.study) && !files.empty()) {
    files.push_back(absl::StrCat("model/", kPythonModelName));
    HILUM_RETURN_IF_ERROR(WriteFileAtomically(
        absl::StrCat(directory, "/", files.back()), PythonModelFile()));
  }
  for (const char* name : {kModelCard, "report.json", "report.html"}) {
    files.push_back(name);
  }
  for (std::string& path : CsvTablePaths(result.study)) {
    files.push_back(std::move(path));
  }
  return files;
}

}  // namespace hilum
