// SPDX-License-Identifier: Apache-2.0
#include "sim/prepare_run.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/key_file.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "common/cli/usage.h"
#include "common/config/message_yaml.h"
#include "common/config/set_field.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/weights_agreement.h"
#include "common/model/weights_file.h"
#include "sim/phantoms/phantom_set.h"
#include "sim/run_record.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWritten[] = {
    "baselines",   "certs",    "coordinator", "data",
    "logs",        "model",    "sites",       "report.html",
    "report.json", "run.json", "study.yaml",  "tables",
};

void RemoveRun(const fs::path& out) {
  std::error_code error;
  for (const char* name : kWritten) fs::remove_all(out / name, error);
}

// Describes in one line the source of the cases, and the transport.
std::string SourceOf(const RunOptions& options, uint64_t seed) {
  return absl::StrCat(
      options.data.empty() ? absl::StrCat("--phantoms ", options.phantoms)
                           : absl::StrCat("--data ", options.data),
      " --sites ", options.sites, " --partition ", options.partition,
      " --seed ", seed, " --transport ", options.transport);
}

absl::Status Occupied(const RunOptions& options, absl::string_view why) {
  return absl::AlreadyExistsError(
      absl::StrCat(options.out, " ", why, "; --force to replace it"));
}

// Returns ALREADY_EXISTS with the difference to an unfinished run in OUT.
absl::Status CheckSame(const RunOptions& options, const RunRecord& earlier,
                       const RunRecord& wanted) {
  const std::string other = DifferenceOf(earlier, wanted);
  if (other.empty()) return absl::OkStatus();
  return Occupied(options,
                  absl::StrCat("holds an unfinished run, and this one ",
                               "cannot go on with it: ", other));
}

// A run's folder, and the progress of a run in it.
struct RunFolder {
  std::string out;    // absolute
  RunRecord earlier;  // not `prepared`: there is no run to continue
};

absl::StatusOr<RunFolder> PrepareFolder(const RunOptions& options,
                                        const RunRecord& wanted) {
  std::error_code error;
  const fs::path path = fs::absolute(options.out, error).lexically_normal();
  RunFolder folder{.out = path.string()};
  if (fs::exists(path, error) && !fs::is_empty(path, error)) {
    if (!options.force) {
      HILUM_ASSIGN_OR_RETURN(std::optional<RunRecord> earlier,
                             ReadRunRecord(folder.out));
      if (!earlier.has_value()) {
        return Occupied(options, "is not empty, and holds no run of this kind");
      }
      if (earlier->done) return Occupied(options, "holds a finished run");
      if (earlier->prepared && earlier->source != wanted.source) {
        return CheckSame(options, *earlier, wanted);
      }
      folder.earlier = *earlier;
    }
    if (!folder.earlier.prepared) RemoveRun(path);
  }
  HILUM_RETURN_IF_ERROR(MakeDirectories(folder.out));
  if (folder.earlier.prepared) {
    fs::remove_all(path / "baselines", error);  // made anew, last
  } else {
    HILUM_RETURN_IF_ERROR(WriteRunRecord(folder.out, wanted));
  }
  return folder;
}

// Returns the manifest to deal out; draws the phantoms where no data is given.
absl::StatusOr<std::string> PrepareData(const RunOptions& options,
                                        const RunFolder& folder,
                                        uint64_t seed) {
  if (!options.data.empty()) return options.data;
  const std::string directory = absl::StrCat(folder.out, "/data");
  if (folder.earlier.prepared) return absl::StrCat(directory, "/manifest.csv");
  Progress progress("Phantoms", options.phantoms, RealClock());
  HILUM_RETURN_IF_ERROR(WritePhantomSet(
      {.count = options.phantoms,
       .seed = seed,
       .sites = options.sites > 0 ? options.sites : 3},
      directory, [&progress](int done) { progress.Report(done); }));
  return absl::StrCat(directory, "/manifest.csv");
}

// Errors give a field's place in the file, also where --set has changed it.
absl::Status Validate(const RunOptions& options, const FieldPlaces& places,
                      const v1::Study& study) {
  const absl::Status status = ValidateStudy(study, places);
  if (status.ok() || options.set.empty()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(), " (after --set ",
                   absl::StrJoin(options.set, " --set "), ")"));
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
  // The data decides the cohort: a number that the file gives for another
  // cohort must not keep rounds from closing.
  const uint32_t sites = static_cast<uint32_t>(deal.size());
  if (study.aggregation().minimum_sites() > sites) {
    study.mutable_aggregation()->set_minimum_sites(sites);
  }
  const bool weights_say =
      !options.start.path.empty() &&
      study.model().preprocessing() == v1::Model::PREPROCESSING_UNSPECIFIED;
  FillStudyDefaults(study);
  HILUM_RETURN_IF_ERROR(Validate(options, places, study));
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
  HILUM_RETURN_IF_ERROR(WriteKeyFile(key_file, key));
  site.config.set_state_dir(site.directory);
  site.config.set_manifest(absl::StrCat(site.directory, "/manifest.csv"));
  site.config.set_patient_key_file(key_file);
  site.config.mutable_trainer()->set_threads(threads);
  // Each hospital's officer decides whether it has enough cases, not the
  // researcher.
  site.config.mutable_policy()->set_minimum_cases(1);
  site.config.mutable_policy()->set_minimum_cell_patients(1);
  site.config.mutable_policy()->set_minimum_batch(0);
  // The officer also decides whether a hospital's own figures are published.
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
    return UsageError(
        absl::StrCat("--start-order ", absl::StrJoin(asked, ","),
                     ": name each site once: ", absl::StrJoin(names, ",")));
  }
  return asked;
}

// Returns the study with the typed values in its fields.
absl::StatusOr<v1::Study> ReadStudy(const RunOptions& options,
                                    FieldPlaces& places) {
  HILUM_ASSIGN_OR_RETURN(v1::Study study,
                         ReadStudyFile(options.study_path, places));
  for (const std::string& assignment : options.set) {
    if (absl::StartsWith(assignment, "sites=")) {
      return UsageError(absl::StrCat(
          "--set ", assignment,
          ": a run's sites are those of its cases; see --sites and "
          "--partition"));
    }
    HILUM_RETURN_IF_ERROR(AsUsage(SetYamlField(assignment, "--set", &study)));
  }
  return study;
}

absl::StatusOr<std::string> WeightsText(const StartingWeights& start) {
  if (start.path.empty()) return "";
  HILUM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(start.path));
  return absl::StrCat(ToHex(Sha256Of(bytes)),
                      start.options.sum_input_channels ? " sum-channels" : "",
                      start.options.fresh_head ? " fresh-head" : "");
}

struct DealtCases {
  CaseTable table;
  std::map<std::string, std::vector<int>> deal;  // by site: rows of the table
};

absl::StatusOr<DealtCases> DealOut(const RunOptions& options,
                                   const RunFolder& folder, uint64_t seed) {
  DealtCases cases;
  HILUM_ASSIGN_OR_RETURN(const std::string manifest,
                         PrepareData(options, folder, seed));
  HILUM_ASSIGN_OR_RETURN(cases.table, ReadCaseTable(manifest));
  HILUM_ASSIGN_OR_RETURN(Partition partition,
                         ParsePartition(options.partition));
  HILUM_ASSIGN_OR_RETURN(cases.deal,
                         DealCases(cases.table, {.partition = partition,
                                                 .sites = options.sites,
                                                 .seed = seed}));
  return cases;
}

std::string CasesDigest(const DealtCases& cases) {
  Sha256 digest;
  for (const auto& [site, rows] : cases.deal) {
    digest.Update(absl::StrCat(site, "\n", CaseTableText(cases.table, rows)));
  }
  return ToHex(digest.Finish());
}

// Files that an interrupted run has written have the same content.
absl::Status WriteSites(const DealtCases& cases,
                        const std::vector<std::string>& order,
                        const RunOptions& options, uint64_t seed,
                        RunPlan& plan) {
  HILUM_RETURN_IF_ERROR(WriteSiteManifests(cases.table, cases.deal,
                                           absl::StrCat(plan.out, "/sites")));
  for (const std::string& name : order) {
    HILUM_ASSIGN_OR_RETURN(SimulatedSite site,
                           MakeSite(name, plan.out, seed, options.threads));
    plan.sites.push_back(std::move(site));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> WarningsOf(
    const StartingWeights& start, const v1::Study& study) {
  if (start.path.empty()) return std::vector<std::string>();
  HILUM_ASSIGN_OR_RETURN(const WeightsFile file, WeightsFile::Open(start.path));
  HILUM_ASSIGN_OR_RETURN(WeightsAgreement agreement,
                         CompareWithStudy(file, study, start.options));
  return std::move(agreement.warnings);
}

absl::Status CheckOptions(const RunOptions& options, const v1::Study& study) {
  if (!options.baselines || !IsSegmentation(study)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      options.study_path,
      ": --baselines compares models that classify, and this study has "
      "`task: segmentation`; run it without --baselines"));
}

}  // namespace

absl::StatusOr<std::string> PatientKeyOf(const SimulatedSite& site) {
  return ReadKeyFile(site.config.patient_key_file(), "the patients' key");
}

absl::StatusOr<RunPlan> PrepareRun(const RunOptions& options) {
  if (options.data.empty() == (options.phantoms <= 0)) {
    return UsageError("give either --data MANIFEST.csv or --phantoms N");
  }
  HILUM_RETURN_IF_ERROR(ParsePartition(options.partition).status());
  RunPlan plan{.start = options.start};
  FieldPlaces places(options.study_path);
  HILUM_ASSIGN_OR_RETURN(plan.study, ReadStudy(options, places));
  HILUM_RETURN_IF_ERROR(CheckOptions(options, plan.study));
  const uint64_t seed = options.seed.value_or(plan.study.seed());
  RunRecord record{.source = SourceOf(options, seed)};
  HILUM_ASSIGN_OR_RETURN(record.weights, WeightsText(options.start));
  HILUM_ASSIGN_OR_RETURN(const RunFolder folder,
                         PrepareFolder(options, record));
  plan.out = folder.out;
  plan.resumed = folder.earlier.prepared;
  HILUM_ASSIGN_OR_RETURN(const DealtCases cases,
                         DealOut(options, folder, seed));
  HILUM_RETURN_IF_ERROR(OverrideStudy(options, cases.deal, places, plan.study));
  HILUM_ASSIGN_OR_RETURN(plan.warnings, WarningsOf(options.start, plan.study));
  HILUM_ASSIGN_OR_RETURN(auto order,
                         StartOrder(options.start_order, cases.deal));
  record.study = MessageToYaml(plan.study);
  record.cases = CasesDigest(cases);
  if (plan.resumed) {
    HILUM_RETURN_IF_ERROR(CheckSame(options, folder.earlier, record));
  }
  HILUM_RETURN_IF_ERROR(WriteSites(cases, order, options, seed, plan));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      absl::StrCat(plan.out, "/study.yaml"), record.study, Durability::kNone));
  record.prepared = true;
  HILUM_RETURN_IF_ERROR(WriteRunRecord(plan.out, record));
  return plan;
}

absl::Status StoppedBefore(const RunPlan& plan, absl::string_view reason) {
  return absl::FailedPreconditionError(
      absl::StrCat("the run in ", plan.out, " stopped: ", reason,
                   "; --force to run it anew"));
}

absl::Status MarkRunDone(const RunPlan& plan) {
  HILUM_ASSIGN_OR_RETURN(std::optional<RunRecord> record,
                         ReadRunRecord(plan.out));
  if (!record.has_value()) {
    return absl::NotFoundError(
        absl::StrCat(plan.out, "/run.json was removed during the run"));
  }
  record->done = true;
  return WriteRunRecord(plan.out, *record);
}

}  // namespace hilum
