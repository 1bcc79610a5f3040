// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "sim/commands.h"
#include "sim/partition.h"

namespace hilum {
namespace {

struct PartitionArguments {
  std::string data;
  std::string partition = "by_site";
  int sites = 0;
  uint64_t seed = 1;
  std::string out;
};

absl::Status DealManifest(const PartitionArguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(Partition partition,
                         ParsePartition(arguments.partition));
  HILUM_ASSIGN_OR_RETURN(CaseTable table, ReadCaseTable(arguments.data));
  HILUM_ASSIGN_OR_RETURN(auto deal, DealCases(table, {.partition = partition,
                                                      .sites = arguments.sites,
                                                      .seed = arguments.seed}));
  HILUM_RETURN_IF_ERROR(WriteSiteManifests(table, deal, arguments.out));
  for (const auto& [site, rows] : deal) absl::PrintF("%s\n", site);
  return absl::OkStatus();
}

}  // namespace

void AddPartitionCommand(CLI::App& app, CommandAction& action) {
  CLI::App* command = app.add_subcommand(
      "partition",
      "Deal a case manifest out to sites, as OUT/SITE/manifest.csv, and print "
      "the sites' names");
  auto arguments = std::make_shared<PartitionArguments>();
  command->add_option("--data", arguments->data, "Case manifest, CSV")
      ->required();
  command
      ->add_option("--partition", arguments->partition,
                   "by_site, iid or dirichlet:A")
      ->capture_default_str();
  command
      ->add_option("--sites", arguments->sites,
                   "How many (by_site: as the manifest names)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--seed", arguments->seed, "Same seed, same deal")
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Folder to write into")
      ->required();
  command->footer(
      "Example: hilum-sim partition --data manifest.csv --partition "
      "dirichlet:0.3 --sites 3 --out out/sites");
  command->callback([arguments, &action] {
    action = [=] { return DealManifest(*arguments); };
  });
}

}  // namespace hilum
