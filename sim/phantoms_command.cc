// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "sim/commands.h"
#include "sim/phantoms/phantom_set.h"

namespace hilum {
namespace {

struct PhantomsArguments {
  PhantomSetOptions set;
  std::string out;
  bool force = false;
};

absl::Status MakePhantoms(const PhantomsArguments& arguments) {
  const std::string manifest = absl::StrCat(arguments.out, "/manifest.csv");
  if (FileExists(manifest) && !arguments.force) {
    return absl::AlreadyExistsError(
        absl::StrCat(manifest, " is there already; --force to replace it"));
  }
  {
    Progress progress("Phantoms", arguments.set.count, RealClock());
    HILUM_RETURN_IF_ERROR(
        WritePhantomSet(arguments.set, arguments.out,
                        [&progress](int done) { progress.Report(done); }));
  }
  absl::PrintF("%s\n", manifest);
  return absl::OkStatus();
}

}  // namespace

void AddPhantomsCommand(CLI::App& app, CommandAction& action) {
  CLI::App* command = app.add_subcommand(
      "phantoms",
      "Draw phantom radiographs with lung masks and write their manifest");
  auto arguments = std::make_shared<PhantomsArguments>();
  PhantomSetOptions& set = arguments->set;
  command->add_option("--count", set.count, "Radiographs in all")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--seed", set.seed, "Same seed, same bytes")
      ->capture_default_str();
  command->add_option("--sites", set.sites, "Hospitals: site-a, site-b, ...")
      ->check(CLI::Range(1, 26))
      ->capture_default_str();
  command->add_option("--size", set.size, "Pixels, square")
      ->check(CLI::Range(32, 4096))
      ->capture_default_str();
  command->add_option("--threads", set.threads, "0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Folder to write into")
      ->required();
  command->add_flag("--force", arguments->force, "Replace an older set");
  command->footer(
      "Example: hilum-sim phantoms --count 120 --seed 1 --out out/phantoms");
  command->callback([arguments, &action] {
    action = [=] { return MakePhantoms(*arguments); };
  });
}

}  // namespace hilum
