// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/query_plan.h"

#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxListBytes = 64 << 20;
// In the order of `Names`.
constexpr std::array<const char*, 3> kColumns = {"PatientID", "AccessionNumber",
                                                 "StudyInstanceUID"};

using Names = std::array<std::string, 3>;
using CsvRecord = std::vector<std::string>;

absl::Status CheckValue(const std::string& value, const std::string& where) {
  if (value.find_first_of("*?\\") == std::string::npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(where,
                   ": *, ? and \\ are patterns for a PACS; give each "
                   "value in full"));
}

class Planner {
 public:
  explicit Planner(const QuerySelection& selection) : selection_(selection) {}

  absl::Status AddDays() {
    absl::CivilDay first, last;
    if (!absl::ParseCivilTime(selection_.from, &first) ||
        !absl::ParseCivilTime(selection_.to, &last) || last < first) {
      return UsageError(
          "--from and --to are days such as 2020-03-01, the first one first");
    }
    for (absl::CivilDay day = first; day <= last; ++day) {
      ImageQuery query{.modalities = selection_.modalities};
      query.study_date =
          absl::StrFormat("%04d%02d%02d", day.year(), day.month(), day.day());
      plan.parts.push_back({absl::FormatCivilTime(day), std::move(query)});
    }
    return absl::OkStatus();
  }

  absl::Status AddAccessions() {
    int number = 0;
    for (const std::string& accession : selection_.accessions) {
      HILUM_RETURN_IF_ERROR(
          Add(absl::StrCat("--accession ", ++number), {"", accession, ""}));
    }
    return absl::OkStatus();
  }

  absl::Status AddList() {
    HILUM_ASSIGN_OR_RETURN(const std::string text,
                           ReadFile(selection_.list, kMaxListBytes));
    const auto records = ParseCsv(text);
    if (!records.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(selection_.list, ": ", records.status().message()));
    }
    std::array<int, 3> at = {-1, -1, -1};
    HILUM_RETURN_IF_ERROR(
        FindColumns(records->empty() ? CsvRecord() : records->front(), at));
    const std::string name =
        std::filesystem::path(selection_.list).filename().string();
    for (size_t i = 1; i < records->size(); ++i) {
      const CsvRecord& record = (*records)[i];
      if (record.size() == 1 && record[0].empty()) continue;  // an empty line
      HILUM_RETURN_IF_ERROR(
          Add(absl::StrCat(name, ":", i + 1), NamesOf(record, at)));
    }
    return absl::OkStatus();
  }

  QueryPlan plan;

 private:
  absl::Status FindColumns(const CsvRecord& header,
                           std::array<int, 3>& at) const {
    bool any = false;
    for (size_t i = 0; i < header.size(); ++i) {
      for (size_t k = 0; k < kColumns.size(); ++k) {
        if (absl::StripAsciiWhitespace(header[i]) != kColumns[k]) continue;
        at[k] = static_cast<int>(i);
        any = true;
      }
    }
    if (any) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        selection_.list, ": the first line names none of the columns ",
        kColumns[0], ", ", kColumns[1], " and ", kColumns[2]));
  }

  static Names NamesOf(const CsvRecord& record, const std::array<int, 3>& at) {
    Names names;
    for (size_t k = 0; k < at.size(); ++k) {
      if (at[k] < 0 || static_cast<size_t>(at[k]) >= record.size()) continue;
      names[k] = std::string(
          absl::StripAsciiWhitespace(record[static_cast<size_t>(at[k])]));
    }
    return names;
  }

  absl::Status Add(const std::string& name, const Names& names) {
    for (const std::string& value : names) {
      HILUM_RETURN_IF_ERROR(CheckValue(value, name));
    }
    if (names == Names()) {
      plan.notes.push_back(absl::StrCat(name, ": nothing to ask for"));
      return absl::OkStatus();
    }
    if (!asked_.insert(names).second) return absl::OkStatus();
    plan.parts.push_back({name,
                          {.patient = names[0],
                           .accession = names[1],
                           .study = names[2],
                           .modalities = selection_.modalities}});
    return absl::OkStatus();
  }

  const QuerySelection& selection_;
  std::set<Names> asked_;
};

}  // namespace

absl::StatusOr<QueryPlan> PlanQuery(const QuerySelection& selection) {
  const bool by_day = !selection.from.empty() || !selection.to.empty();
  if (by_day == selection.by_name()) {
    return absl::InvalidArgumentError(
        "give --from and --to, or --accession and --list");
  }
  Planner planner(selection);
  if (by_day) HILUM_RETURN_IF_ERROR(planner.AddDays());
  HILUM_RETURN_IF_ERROR(planner.AddAccessions());
  if (!selection.list.empty()) HILUM_RETURN_IF_ERROR(planner.AddList());
  if (planner.plan.parts.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(selection.list, ": no row asks for anything"));
  }
  return std::move(planner.plan);
}

}  // namespace hilum
