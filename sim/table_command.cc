// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "sim/commands.h"
#include "sim/result_table.h"

namespace hilum {
namespace {

absl::Status PrintTable(const std::string& report) {
  HILUM_ASSIGN_OR_RETURN(std::string json, ReadFile(report));
  HILUM_ASSIGN_OR_RETURN(std::string table, ResultTable(json));
  absl::PrintF("%s", table);
  return CheckTrained(json);
}

}  // namespace

void AddTableCommand(CLI::App& app, CommandAction& action) {
  CLI::App* command =
      app.add_subcommand("table", "Print the result table of a report.json");
  auto report = std::make_shared<std::string>();
  command->add_option("REPORT", *report, "report.json")->required();
  command->footer("Example: hilum-sim table out/demo/report.json");
  command->callback(
      [report, &action] { action = [=] { return PrintTable(*report); }; });
}

}  // namespace hilum
