// SPDX-License-Identifier: Apache-2.0
#include "sim/run_record.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

std::string PathIn(const std::string& out) {
  return absl::StrCat(out, "/run.json");
}

}  // namespace

absl::StatusOr<std::optional<RunRecord>> ReadRunRecord(const std::string& out) {
  if (!FileExists(PathIn(out))) return std::nullopt;
  HILUM_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(PathIn(out), 1 << 20));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  RunRecord record;
  for (const auto& [field, value] :
       {std::pair{"source", &record.source}, std::pair{"study", &record.study},
        std::pair{"cases", &record.cases},
        std::pair{"weights", &record.weights}}) {
    const auto found = json.find(field);
    if (found == json.end() || !found->is_string()) return std::nullopt;
    *value = found->get<std::string>();
  }
  record.prepared = json.value("prepared", nlohmann::json()) == true;
  record.done = json.value("done", nlohmann::json()) == true;
  return record;
}

absl::Status WriteRunRecord(const std::string& out, const RunRecord& record) {
  const nlohmann::ordered_json json = {
      {"source", record.source},     {"study", record.study},
      {"cases", record.cases},       {"weights", record.weights},
      {"prepared", record.prepared}, {"done", record.done}};
  return WriteFileAtomically(
      PathIn(out),
      absl::StrCat(
          json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace),
          "\n"),
      Durability::kNone, 0600);
}

std::string DifferenceOf(const RunRecord& a, const RunRecord& b) {
  if (a.source != b.source) {
    return absl::StrCat("its cases were asked for as: ", a.source,
                        "; now as: ", b.source);
  }
  if (a.study != b.study) return "its study is another one (see study.yaml)";
  if (a.cases != b.cases) return "its sites have other cases";
  if (a.weights != b.weights) return "it starts from other weights";
  return "";
}

}  // namespace hilum
