// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/judge.h"

#include <set>

namespace hilum {
namespace {

using Names = std::set<std::string>;

void AddName(const std::string& name, Names& names) {
  if (!name.empty()) names.insert(name);
}

std::string OnlyOne(const Names& names) {
  return names.size() == 1 ? *names.begin() : std::string();
}

std::string WhyQuarantined(absl::string_view held, bool shown,
                           absl::Span<const LabelRow> rows, const Names& labels,
                           const Names& patients) {
  if (!held.empty()) return std::string(held);
  if (!shown) return "no file shows it any more";
  for (const LabelRow& row : rows) {
    if (!row.problem.empty()) return row.problem;
  }
  if (labels.size() > 1) {
    return "it has two labels by different columns of the labels file";
  }
  if (patients.size() > 1) {
    return "the same image is there under several patients";
  }
  if (patients.empty()) {
    return "no Patient ID (0010,0020); give its patient_id in the labels file";
  }
  return "";
}

}  // namespace

CaseVerdict JudgeCase(absl::string_view held, absl::Span<const Source> sources,
                      absl::Span<const LabelRow> labels) {
  Names names, patients, listed;
  for (const LabelRow& row : labels) {
    AddName(row.label, names);
    AddName(row.patient, listed);
  }
  for (const Source& source : sources) AddName(source.patient, patients);
  if (patients.empty()) patients = listed;
  CaseVerdict verdict{
      .reason = WhyQuarantined(held, !sources.empty(), labels, names, patients),
      .label = OnlyOne(names),
      .patient = OnlyOne(patients)};
  if (!verdict.reason.empty()) {
    verdict.state = CaseState::kQuarantined;
  } else if (!verdict.label.empty()) {
    verdict.state = CaseState::kReady;
  }
  return verdict;
}

}  // namespace hilum
