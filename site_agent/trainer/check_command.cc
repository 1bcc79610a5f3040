// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/check_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/check_manifest.h"
#include "site_agent/trainer/data/manifest_files.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxStudyBytes = 1 << 20;

struct CheckOptions {
  ManifestCheck check;
  std::vector<std::string> studies;  // paths
  std::vector<std::string> guarded;
};

absl::Status ConfineCheck(const CheckOptions& options) {
  Confinement confinement{
      .read = FilesOfManifest(options.check.manifest, options.guarded),
      .write = {}};
  confinement.read.insert(confinement.read.end(), options.studies.begin(),
                          options.studies.end());
  return Confine(confinement);
}

absl::Status Check(CheckOptions options) {
  HILUM_RETURN_IF_ERROR(ConfineCheck(options));
  for (const std::string& path : options.studies) {
    HILUM_ASSIGN_OR_RETURN(const std::string bytes,
                           ReadFile(path, kMaxStudyBytes));
    absl::StatusOr<v1::Study> study = ParseStudy(bytes);
    if (!study.ok()) {
      return absl::Status(study.status().code(),
                          absl::StrCat(path, ": ", study.status().message()));
    }
    options.check.studies.push_back(*std::move(study));
  }
  bool failed = false;
  for (const CheckLine& line : CheckCaseManifest(options.check)) {
    std::cout << CheckLineText(line) << "\n";
    failed = failed || line.level == CheckLine::Level::kFail;
  }
  std::cout << std::flush;
  return failed ? absl::FailedPreconditionError(
                      "the case manifest has faults: see the lines with FAIL")
                : absl::OkStatus();
}

}  // namespace

void AddCheckCommand(CLI::App& app, std::function<absl::Status()>& action) {
  // The action names the options; they live as long as it does.
  auto options = std::make_shared<CheckOptions>();
  CLI::App* check = app.add_subcommand(
      "check", "Say what is right and wrong with a case manifest");
  check
      ->add_option("--manifest", options->check.manifest, "Case manifest (CSV)")
      ->required();
  CLI::Option* column =
      check->add_option("--site-column", options->check.site_column,
                        "The column that names a row's site");
  check
      ->add_option("--site", options->check.site,
                   "Use only the rows of this site")
      ->needs(column);
  check->add_option("--study", options->studies,
                    "A study as a site keeps it (STATE/studies/HASH.study): "
                    "compare the labels with its classes");
  check
      ->add_option("--images", options->check.images,
                   "Open at most so many images; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  check->add_option("--guard", options->guarded,
                    "A file or folder whose folder is not opened whole");
  check->footer(
      "Exit code 1: a line begins with FAIL.\n"
      "Example:\n  hilum-trainer check --manifest cases.csv --images 0");
  check->callback(
      [options, &action] { action = [options] { return Check(*options); }; });
}

}  // namespace hilum
