// SPDX-License-Identifier: Apache-2.0
#include "sim/prepare_run.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "common/config/message_yaml.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "sim/phantoms/phantom_set.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWritten[] = {
    "baselines", "certs", "coordinator", "data",        "logs",
    "model",     "sites", "report.html", "report.json", "study.yaml",
};

absl::StatusOr<std::string> PrepareFolder(const RunOptions& options) {
  std::error_code error;
  const fs::path out = fs::absolute(options.out, error).lexically_normal();
  if (fs::exists(out, error) && !fs::is_empty(out, error)) {
    if (!options.force) {
      return absl::AlreadyExistsError(absl::StrCat(
          options.out, " is not empty; --force to replace an older run"));
    }
    for (const char* name : kWritten) fs::remove_all(out / name, error);
  }
  HILUM_RETURN_IF_ERROR(MakeDirectories(out.string()));
  return out.string();
}

// The manifest to deal out; draws the phantoms where no data is given.
absl::StatusOr<std::string> PrepareData(const RunOptions& options,
                                        const std::string& out, uint64_t seed) {
  if (!options.data.empty()) return options.data;
  const std::string directory = absl::StrCat(out, "/data");
  Progress progress("Phantoms", options.phantoms, RealClock());
  HILUM_RETURN_IF_ERROR(WritePhantomSet(
      {.count = options.phantoms,
       .seed = seed,
       .sites = options.sites > 0 ? options.sites : 3},
      directory, [&progress](int done) { progress.Report(done); }));
  return absl::StrCat(directory, "/manifest.csv");
}

absl::Status OverrideStudy(const RunOptions& options,
                           const std::map<std::string, std::vector<int>>& deal,
                           const FieldPlaces& places, v1::Study& study) {
  if (options.seed.has_value()) study.set_seed(*options.seed);
  if (options.arm == "both") {
    study.clear_arms();
    study.add_arms(v1::ARM_SEGMENTED);
    study.add_arms(v1::ARM_WHOLE);
  } else if (!options.arm.empty()) {
    study.clear_arms();
    study.add_arms(options.arm == "whole" ? v1::ARM_WHOLE : v1::ARM_SEGMENTED);
  }
  if (!options.secure_aggregation.empty()) {
    study.mutable_aggregation()->set_secure_aggregation(
        options.secure_aggregation == "on"
            ? v1::Aggregation::SECURE_AGGREGATION_ON
            : v1::Aggregation::SECURE_AGGREGATION_OFF);
  }
  study.clear_sites();
  for (const auto& [site, rows] : deal) study.add_sites(site);
  // The cohort is the data's: a number that the file gave for another cohort
  // must not keep rounds from closing.
  const uint32_t sites = static_cast<uint32_t>(deal.size());
  if (study.aggregation().minimum_sites() > sites) {
    study.mutable_aggregation()->set_minimum_sites(sites);
  }
  const bool weights_say =
      !options.start.path.empty() &&
      study.model().preprocessing() == v1::Model::PREPROCESSING_UNSPECIFIED;
  FillStudyDefaults(study);
  HILUM_RETURN_IF_ERROR(ValidateStudy(study, places));
  if (weights_say) study.mutable_model()->clear_preprocessing();
  return absl::OkStatus();
}

absl::StatusOr<SimulatedSite> MakeSite(const std::string& name,
                                       const std::string& out, uint64_t seed,
                                       uint32_t threads) {
  SimulatedSite site;
  site.id = SiteId(name);
  site.directory = absl::StrCat(out, "/sites/", name);
  const std::string key_file = absl::StrCat(site.directory, "/patient.key");
  const std::string key =
      Sha256Of(absl::StrCat("simulated patient key/", seed, "/", name));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      key_file, absl::StrCat(ToHex(key), "\n"), Durability::kNone, 0600));
  site.config.set_state_dir(site.directory);
  site.config.set_manifest(absl::StrCat(site.directory, "/manifest.csv"));
  site.config.set_patient_key_file(key_file);
  site.config.mutable_trainer()->set_threads(threads);
  // Whether a hospital has enough cases is its officer's rule, not the
  // researcher's.
  site.config.mutable_policy()->set_minimum_cases(1);
  site.config.mutable_policy()->set_minimum_cell_patients(1);
  // Nor whether it may be seen how a hospital's own cases do.
  site.config.mutable_policy()->set_publish_site_figures(true);
  return site;
}

absl::StatusOr<std::vector<std::string>> StartOrder(
    const std::vector<std::string>& asked,
    const std::map<std::string, std::vector<int>>& deal) {
  std::vector<std::string> names;
  for (const auto& [site, rows] : deal) names.push_back(site);
  if (asked.empty()) return names;
  std::vector<std::string> sorted = asked;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != names) {
    return absl::InvalidArgumentError(
        absl::StrCat("--start-order ", absl::StrJoin(asked, ","),
                     ": name each site once: ", absl::StrJoin(names, ",")));
  }
  return asked;
}

}  // namespace

absl::StatusOr<std::string> PatientKeyOf(const SimulatedSite& site) {
  HILUM_ASSIGN_OR_RETURN(std::string hex,
                         ReadFile(site.config.patient_key_file(), 1024));
  return absl::HexStringToBytes(absl::StripAsciiWhitespace(hex));
}

absl::StatusOr<RunPlan> PrepareRun(const RunOptions& options) {
  if (options.data.empty() == (options.phantoms <= 0)) {
    return absl::InvalidArgumentError(
        "give either --data MANIFEST.csv or --phantoms N");
  }
  HILUM_ASSIGN_OR_RETURN(Partition partition,
                         ParsePartition(options.partition));
  RunPlan plan;
  FieldPlaces places(options.study_path);
  HILUM_ASSIGN_OR_RETURN(plan.study, ReadStudyFile(options.study_path, places));
  if (options.baselines && IsSegmentation(plan.study)) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.study_path,
        ": --baselines compares models that classify, and this study has "
        "`task: segmentation`; run it without --baselines"));
  }
  plan.start = options.start;
  const uint64_t seed = options.seed.value_or(plan.study.seed());
  HILUM_ASSIGN_OR_RETURN(plan.out, PrepareFolder(options));
  HILUM_ASSIGN_OR_RETURN(std::string manifest,
                         PrepareData(options, plan.out, seed));
  HILUM_ASSIGN_OR_RETURN(CaseTable table, ReadCaseTable(manifest));
  HILUM_ASSIGN_OR_RETURN(auto deal, DealCases(table, {.partition = partition,
                                                      .sites = options.sites,
                                                      .seed = seed}));
  HILUM_RETURN_IF_ERROR(OverrideStudy(options, deal, places, plan.study));
  HILUM_ASSIGN_OR_RETURN(auto order, StartOrder(options.start_order, deal));
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(plan.out, "/study.yaml"),
                          MessageToYaml(plan.study), Durability::kNone));
  HILUM_RETURN_IF_ERROR(
      WriteSiteManifests(table, deal, absl::StrCat(plan.out, "/sites")));
  for (const std::string& name : order) {
    HILUM_ASSIGN_OR_RETURN(SimulatedSite site,
                           MakeSite(name, plan.out, seed, options.threads));
    plan.sites.push_back(std::move(site));
  }
  return plan;
}

}  // namespace hilum
