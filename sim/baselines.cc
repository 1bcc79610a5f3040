// SPDX-License-Identifier: Apache-2.0
#include "sim/baselines.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "coordinator/report/report.h"
#include "sim/case_table.h"
#include "sim/engine.h"
#include "sim/finished_study.h"
#include "sim/for_each.h"
#include "sim/site_tester.h"
#include "sim/trainer_pool.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {
namespace {

constexpr uint32_t kLongestDeadline = 7 * 86400;  // seconds

// Returns the sites sorted by name, whatever order they started in.
std::vector<SimulatedSite> SortedSites(const RunPlan& plan) {
  std::vector<SimulatedSite> sites = plan.sites;
  std::sort(sites.begin(), sites.end(),
            [](const SimulatedSite& a, const SimulatedSite& b) {
              return a.id < b.id;
            });
  return sites;
}

absl::Status Named(absl::string_view baseline, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(baseline, ": ", status.message()));
}

// Returns the number of sites whose trainers fit on the machine's cores.
int Concurrency(const RunPlan& plan) {
  return TrainersAtOnce(
      static_cast<int>(plan.sites[0].config.trainer().threads()),
      std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

// Returns the study of `plan` with one site, called `name`, with the data and
// the key of `site`, in a folder of its own.
RunPlan AloneIn(const std::string& folder, const std::string& name,
                const SimulatedSite& site, const RunPlan& plan) {
  RunPlan alone{
      .study = plan.study, .start = plan.start, .out = folder, .sites = {site}};
  alone.study.clear_sites();
  alone.study.add_sites(name);
  v1::Aggregation& rules = *alone.study.mutable_aggregation();
  rules.set_minimum_sites(1);
  rules.set_secure_aggregation(v1::Aggregation::SECURE_AGGREGATION_OFF);
  alone.sites[0].id = SiteId(name);
  alone.sites[0].directory = absl::StrCat(folder, "/sites/", name);
  alone.sites[0].config.set_state_dir(alone.sites[0].directory);
  return alone;
}

// Adds up the rounds of studies that run at once.
class SharedProgress {
 public:
  SharedProgress(absl::string_view what, size_t studies, uint32_t rounds)
      : rounds_(studies),
        progress_(what, static_cast<int>(studies * rounds), RealClock()) {}

  OnRounds Of(size_t study) {
    return [this, study](int rounds) {
      absl::MutexLock lock(&mutex_);
      done_ += rounds - rounds_[study];
      rounds_[study] = rounds;
      progress_.Report(done_);
    };
  }

 private:
  absl::Mutex mutex_;
  std::vector<int> rounds_ ABSL_GUARDED_BY(mutex_);
  int done_ ABSL_GUARDED_BY(mutex_) = 0;
  Progress progress_;
};

absl::Status Train(const RunPlan& plan, const std::vector<CaseSource>& further,
                   const OnRounds& on_rounds, FinishedStudy& trained) {
  HILUM_RETURN_IF_ERROR(RunInProcess(
      plan,
      [&](const SiteId&) {
        return std::make_unique<TorchTrainer>(
            TorchTrainerOptions{.further = further});
      },
      on_rounds));
  HILUM_ASSIGN_OR_RETURN(trained, ReadFinishedStudy(plan.out));
  return absl::OkStatus();
}

// Returns the studies in the order of `sites`.
absl::StatusOr<std::vector<FinishedStudy>> TrainLocalOnly(
    const RunPlan& plan, const std::vector<SimulatedSite>& sites) {
  SharedProgress progress("Local only", sites.size(),
                          plan.study.training().rounds());
  std::vector<FinishedStudy> trained(sites.size());
  HILUM_RETURN_IF_ERROR(
      ForEach(sites.size(), Concurrency(plan), [&](size_t i) -> absl::Status {
        const std::string& name = sites[i].id.name();
        const std::string folder =
            absl::StrCat(plan.out, "/baselines/local_only/", name);
        return Named("local_only", Train(AloneIn(folder, name, sites[i], plan),
                                         {}, progress.Of(i), trained[i]));
      }));
  return trained;
}

absl::StatusOr<FinishedStudy> TrainCentralized(
    const RunPlan& plan, const std::vector<SimulatedSite>& sites) {
  // One site works through all cases, so its rounds take longer by that factor.
  RunPlan alone = AloneIn(absl::StrCat(plan.out, "/baselines/centralized"),
                          "centralized", sites[0], plan);
  v1::Aggregation& rules = *alone.study.mutable_aggregation();
  rules.set_round_deadline_seconds(static_cast<uint32_t>(std::min<uint64_t>(
      uint64_t{rules.round_deadline_seconds()} * sites.size(),
      kLongestDeadline)));
  HILUM_ASSIGN_OR_RETURN(std::vector<CaseSource> further,
                         FurtherSources(sites));
  SharedProgress progress("Centralized", 1, plan.study.training().rounds());
  FinishedStudy trained;
  HILUM_RETURN_IF_ERROR(
      Named("baseline", Train(alone, further, progress.Of(0), trained)));
  return trained;
}

// The evaluations of every model on one site's cases.
struct SiteTests {
  std::vector<std::vector<CrossSiteScores>> local;  // [trained at][arms]
  v1::SubmitEvaluationRequest centralized;
};

absl::Status TestAt(const SimulatedSite& site, size_t own,
                    const StudyResult& federated,
                    const std::vector<FinishedStudy>& local,
                    const FinishedStudy& centralized, SiteTests& tests) {
  HILUM_ASSIGN_OR_RETURN(SiteTester tester,
                         SiteTester::Create(site, federated));
  for (size_t i = 0; i < local.size(); ++i) {
    HILUM_ASSIGN_OR_RETURN(v1::SubmitEvaluationRequest evaluation,
                           tester.Test(local[i], i == own ? "local_only" : ""));
    tests.local.push_back(ComputeCrossSiteScores(federated.study, evaluation));
  }
  HILUM_ASSIGN_OR_RETURN(tests.centralized,
                         tester.Test(centralized, "centralized"));
  return tester.AppendPredictions();
}

absl::StatusOr<std::vector<SiteTests>> TestEverywhere(
    const RunPlan& plan, const std::vector<SimulatedSite>& sites,
    const StudyResult& federated, const std::vector<FinishedStudy>& local,
    const FinishedStudy& centralized) {
  SharedProgress progress("Cross-site tests", sites.size(), 1);
  std::vector<SiteTests> tests(sites.size());
  HILUM_RETURN_IF_ERROR(
      ForEach(sites.size(), Concurrency(plan), [&](size_t i) -> absl::Status {
        HILUM_RETURN_IF_ERROR(Named(
            sites[i].id.name(),
            TestAt(sites[i], i, federated, local, centralized, tests[i])));
        progress.Of(i)(1);
        return absl::OkStatus();
      }));
  return tests;
}

// Returns [folds * classes] for each arm.
std::vector<std::vector<uint64_t>> CasesByFold(const StudyResult& result) {
  std::vector<std::vector<uint64_t>> arms;
  for (const v1::ArmCensus& arm : result.census_totals.arms()) {
    arms.emplace_back(arm.fold_class_counts().begin(),
                      arm.fold_class_counts().end());
  }
  return arms;
}

// Rejects other folds, with which the comparison would mean nothing.
absl::Status CheckFolds(const StudyResult& federated,
                        const StudyResult& centralized) {
  if (CasesByFold(federated) == CasesByFold(centralized)) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      "baseline: centralized: its folds are not those of the sites together");
}

Baselines Collect(const std::vector<SimulatedSite>& sites,
                  std::vector<FinishedStudy> local, FinishedStudy centralized,
                  std::vector<SiteTests> tests) {
  Baselines baselines;
  baselines.centralized = std::move(centralized.result);
  baselines.centralized.evaluations.clear();
  for (size_t i = 0; i < sites.size(); ++i) {
    const SiteId& site = sites[i].id;
    baselines.local_only[site] = std::move(local[i].result);
    baselines.centralized.evaluations[site] = std::move(tests[i].centralized);
    for (size_t trained = 0; trained < sites.size(); ++trained) {
      baselines.matrix[sites[trained].id][site] =
          std::move(tests[i].local[trained]);
    }
  }
  StudyResult& together = baselines.centralized;
  together.evaluation_totals =
      SumEvaluations(together.study, together.evaluations);
  return baselines;
}

// Removes all files but models and logs.
void RemoveMeans(const std::string& folder) {
  std::error_code error;
  for (const char* name :
       {"coordinator", "sites", "report.html", "report.json", "tables"}) {
    std::filesystem::remove_all(absl::StrCat(folder, "/", name), error);
  }
}

}  // namespace

absl::StatusOr<std::vector<CaseSource>> FurtherSources(
    absl::Span<const SimulatedSite> sites) {
  std::vector<CaseSource> further;
  for (const SimulatedSite& site : sites.subspan(1)) {
    HILUM_ASSIGN_OR_RETURN(std::string key, PatientKeyOf(site));
    further.push_back({.manifest = site.config.manifest(),
                       .site_column = site.config.site_column(),
                       .site = site.id.name(),
                       .patient_key = std::move(key)});
  }
  return further;
}

absl::StatusOr<int> CountSharedPatients(const RunPlan& plan) {
  std::map<std::string, int> sites_of;
  for (const SimulatedSite& site : plan.sites) {
    HILUM_ASSIGN_OR_RETURN(CaseTable table,
                           ReadCaseTable(site.config.manifest()));
    std::set<std::string> patients;
    for (const std::vector<std::string>& row : table.rows) {
      patients.insert(row[table.Column("patient_id")]);
    }
    for (const std::string& patient : patients) ++sites_of[patient];
  }
  return static_cast<int>(
      std::count_if(sites_of.begin(), sites_of.end(), [](const auto& entry) {
        return !entry.first.empty() && entry.second > 1;
      }));
}

absl::Status RunBaselines(const RunPlan& plan) {
  HILUM_ASSIGN_OR_RETURN(FinishedStudy federated, ReadFinishedStudy(plan.out));
  const std::vector<SimulatedSite> sites = SortedSites(plan);
  HILUM_ASSIGN_OR_RETURN(std::vector<FinishedStudy> local,
                         TrainLocalOnly(plan, sites));
  HILUM_ASSIGN_OR_RETURN(FinishedStudy centralized,
                         TrainCentralized(plan, sites));
  HILUM_RETURN_IF_ERROR(CheckFolds(federated.result, centralized.result));
  HILUM_ASSIGN_OR_RETURN(
      std::vector<SiteTests> tests,
      TestEverywhere(plan, sites, federated.result, local, centralized));
  HILUM_RETURN_IF_ERROR(
      WriteReports(federated.result, plan.out,
                   Collect(sites, std::move(local), std::move(centralized),
                           std::move(tests))));
  for (const SimulatedSite& site : sites) {
    RemoveMeans(
        absl::StrCat(plan.out, "/baselines/local_only/", site.id.name()));
  }
  RemoveMeans(absl::StrCat(plan.out, "/baselines/centralized"));
  return absl::OkStatus();
}

}  // namespace hilum
