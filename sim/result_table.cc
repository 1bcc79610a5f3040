// SPDX-License-Identifier: Apache-2.0
#include "sim/result_table.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

// Returns the value at the path; null where a step is missing.
const Json& At(const Json& json, const std::vector<std::string>& path) {
  static const Json kNull;
  const Json* here = &json;
  for (const std::string& key : path) {
    const auto found = here->is_object() ? here->find(key) : here->end();
    if (found == here->end()) return kNull;
    here = &*found;
  }
  return *here;
}

std::string Number(const Json& json) {
  return json.is_number() ? absl::StrFormat("%.3f", json.get<double>()) : "n/a";
}

uint64_t CasesOf(const Json& confusion) {
  uint64_t cases = 0;
  for (const Json& row : confusion) {
    for (const Json& count : row) {
      if (count.is_number_unsigned()) cases += count.get<uint64_t>();
    }
  }
  return cases;
}

std::string ArmLine(const std::string& arm, const Json& pooled) {
  return absl::StrFormat("%-12s %6d  %8s  %6s  %11s  %11s\n", arm,
                         CasesOf(At(pooled, {"confusion"})),
                         Number(At(pooled, {"accuracy"})),
                         Number(At(pooled, {"macro", "auc"})),
                         Number(At(pooled, {"macro", "sensitivity"})),
                         Number(At(pooled, {"macro", "specificity"})));
}

// Returns a number of `metrics` with its interval.
std::string WithInterval(const Json& metrics, const std::string& name,
                         const std::string& interval_name) {
  const Json& interval = At(metrics, {interval_name});
  const std::string number = Number(At(metrics, {name}));
  if (!interval.is_array() || interval.size() != 2) return number;
  return absl::StrCat(number, " [", Number(interval[0]), ", ",
                      Number(interval[1]), "]");
}

std::string Count(const Json& json) {
  return json.is_number_unsigned() ? absl::StrCat(json.get<uint64_t>()) : "n/a";
}

std::string OverlapLine(const std::string& name, const Json& overlap) {
  return absl::StrFormat("%-12s %8s  %6s  %-20s  %-20s  %11s\n", name,
                         Count(At(overlap, {"n_patients"})),
                         Count(At(overlap, {"n_cases"})),
                         WithInterval(overlap, "dice", "dice_ci95"),
                         WithInterval(overlap, "iou", "iou_ci95"),
                         Number(At(overlap, {"implausible"})));
}

std::string OverlapTable(const Json& overlap, const Json& classes) {
  std::string table =
      absl::StrFormat("%-12s %8s  %6s  %-20s  %-20s  %11s\n", "lungs",
                      "patients", "cases", "Dice", "IoU", "implausible");
  for (const Json& name : classes) {
    if (!name.is_string()) continue;
    const std::string label = name.get<std::string>();
    table += OverlapLine(label, At(overlap, {"per_class", label}));
  }
  return absl::StrCat(
      table, OverlapLine("all", At(overlap, {"all"})),
      "\nHeld-out cases of all folds and sites pooled, against their lung\n"
      "masks; means over patients with 95 % intervals. Implausible: share of\n"
      "cases whose lungs found do not look like two lungs.\n");
}

absl::StatusOr<Json> ParseReport(absl::string_view report_json) {
  Json report = Json::parse(report_json.begin(), report_json.end(), nullptr,
                            /*allow_exceptions=*/false);
  if (!At(report, {"arms"}).is_object() ||
      !At(report, {"classes"}).is_array()) {
    return absl::InvalidArgumentError("report.json: no `arms` or `classes`");
  }
  return report;
}

std::string Warnings(const Json& warnings) {
  std::string text;
  for (const Json& warning : warnings) {
    if (!warning.is_string()) continue;
    absl::StrAppend(&text, "WARNING: ", warning.get<std::string>(), "\n");
  }
  return text.empty() ? text : text + "\n";
}

constexpr char kBaselines[] =
    "local_only: each site's cases by the model it trained alone; "
    "centralized:\n"
    "one model trained on all cases in one place. Same folds, as many "
    "passes.\n";

std::string ByClass(const Json& arms, const Json& classes) {
  std::string table = absl::StrFormat("%-12s", "AUC by class");
  for (const auto& [arm, models] : arms.items()) {
    absl::StrAppendFormat(&table, "  %-20s", arm);
  }
  table += '\n';
  for (const Json& name : classes) {
    if (!name.is_string()) continue;
    absl::StrAppendFormat(&table, "%-12s", name.get<std::string>());
    for (const auto& [arm, models] : arms.items()) {
      absl::StrAppendFormat(
          &table, "  %-20s",
          WithInterval(At(models, {"federated", "pooled", "per_class",
                                   name.get<std::string>()}),
                       "auc", "ci95"));
    }
    table += '\n';
  }
  return table;
}

std::string ScoreTable(const Json& arms, const Json& classes) {
  std::string table =
      absl::StrFormat("%-12s %6s  %8s  %6s  %11s  %11s\n", "arm", "cases",
                      "accuracy", "AUC", "sensitivity", "specificity");
  bool compared = false;
  for (const auto& [arm, models] : arms.items()) {
    table += ArmLine(arm, At(models, {"federated", "pooled"}));
    for (const char* baseline : {"local_only", "centralized"}) {
      const Json& pooled = At(models, {baseline, "pooled"});
      if (pooled.is_null()) continue;
      table += ArmLine(absl::StrCat(" ", baseline), pooled);
      compared = true;
    }
  }
  return absl::StrCat(
      table, "\n", ByClass(arms, classes),
      "\nHeld-out cases of all folds and sites pooled; AUC, sensitivity and\n"
      "specificity are means over the classes, one against the rest.\n",
      compared ? kBaselines : "");
}

}  // namespace

absl::StatusOr<std::string> ResultTable(absl::string_view report_json) {
  HILUM_ASSIGN_OR_RETURN(const Json report, ParseReport(report_json));
  const Json& arms = At(report, {"arms"});
  const Json& classes = At(report, {"classes"});
  const Json& overlap = At(arms, {"whole", "federated", "pooled", "overlap"});
  return absl::StrCat(Warnings(At(report, {"warnings"})),
                      overlap.is_object() ? OverlapTable(overlap, classes)
                                          : ScoreTable(arms, classes));
}

absl::Status CheckTrained(absl::string_view report_json) {
  HILUM_ASSIGN_OR_RETURN(const Json report, ParseReport(report_json));
  std::vector<std::string> names;
  for (const auto& [arm, tracks] : At(report, {"untrained"}).items()) {
    for (const Json& track : tracks) {
      if (!track.is_string()) continue;
      names.push_back(absl::StrCat(arm, "-", track.get<std::string>()));
    }
  }
  if (names.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "nobody trained these models of the study, and they have no figures: ",
      absl::StrJoin(names, ", "), "; the report's warning says why"));
}

}  // namespace hilum
