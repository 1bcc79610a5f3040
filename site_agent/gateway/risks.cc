// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/risks.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/starting_weights.h"
#include "common/config/step_rules.h"
#include "common/config/study.h"
#include "common/crypto/short_hash.h"

namespace hilum {
namespace {

using Cohort = std::set<std::string>;
using Counts = google::protobuf::RepeatedField<uint64_t>;

// The fewest other sites that hide a site, and patients that hide a patient.
constexpr size_t kFewestSites = 3;
constexpr uint64_t kFewestPatients = 10;
constexpr uint32_t kFewestSteps = 8;
constexpr uint32_t kLeastBatch = 32;  // cases that hide a case in few steps

std::string Names(const Cohort& sites) { return absl::StrJoin(sites, ", "); }

std::string Named(const PastStudy& past) {
  return absl::StrCat(past.study.name(), " (", ShortHash(past.hash), ")");
}

Cohort Difference(const Cohort& a, const Cohort& b) {
  Cohort difference;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                std::inserter(difference, difference.end()));
  return difference;
}

// Returns the sets of sites whose sums a study opens. Each track is of the
// whole cohort; tracks that leave a site out must add their sets here.
std::vector<Cohort> CohortsOf(const v1::Study& study) {
  return {Cohort(study.sites().begin(), study.sites().end())};
}

bool StartAlike(const v1::Study& a, const v1::Study& b) {
  return !a.initial_weights_sha256().empty() &&
         a.initial_weights_sha256() == b.initial_weights_sha256();
}

bool IsTelling(const Cohort& difference) {
  return !difference.empty() && difference.size() < kFewestSites;
}

std::string SiteSentence(const std::string& first, const std::string& second,
                         const Cohort& difference) {
  return absl::StrCat(
      first, " and ", second,
      " start from the same weights and their sites differ only in ",
      Names(difference), ": the difference of their first sums is the update ",
      "of ", difference.size() == 1 ? "that site" : "those two sites",
      ", with what ", difference.size() == 1 ? "its" : "their",
      " patients taught the model; a site that is not in this study is not ",
      "asked");
}

// Censuses do not depend on the weights: the difference of two studies'
// censuses is the census of the sites by which the studies differ.
void AddCountsRisk(const v1::Study& study, const PastStudy& before,
                   std::vector<Risk>& risks) {
  if (!IsSecure(study) || !IsSecure(before.study)) return;
  for (const Cohort& one : CohortsOf(study)) {
    for (const Cohort& other : CohortsOf(before.study)) {
      const Cohort difference = Difference(one, other);
      if (!IsTelling(difference)) continue;
      risks.push_back(
          {std::string(kCountsInferable),
           absl::StrCat("this study, ", study.name(), ", and the study ",
                        Named(before), " approved before differ only in ",
                        Names(difference),
                        ": the difference of their censuses is how many cases ",
                        difference.size() == 1 ? "that site has"
                                               : "those two sites have",
                        " of each class, and how their images look")});
      return;
    }
  }
}

void AddSiteRisks(const v1::Study& study, const std::vector<PastStudy>& past,
                  std::vector<Risk>& risks) {
  auto compare = [&](const std::vector<Cohort>& others,
                     const std::string& name) {
    for (const Cohort& one : CohortsOf(study)) {
      for (const Cohort& other : others) {
        const Cohort difference = Difference(one, other);
        if (!IsTelling(difference)) continue;
        risks.push_back(
            {std::string(kSiteUpdatesInferable),
             SiteSentence(absl::StrCat("this study, ", study.name(), ","), name,
                          difference)});
        return;
      }
    }
  };
  compare(CohortsOf(study), "another track of it");
  for (const PastStudy& before : past) {
    if (!StartAlike(study, before.study)) {
      AddCountsRisk(study, before, risks);
      continue;
    }
    compare(CohortsOf(before.study),
            absl::StrCat("the study ", Named(before), " approved before"));
  }
}

void AddVisibleUpdates(const v1::Study& study, const SiteId& site,
                       std::vector<Risk>& risks) {
  if (IsSecure(study)) return;
  std::string sentence = absl::StrCat(
      "the study has no secure aggregation: the coordinator sees each update, ",
      "all case counts and the evaluation of ", site.name(), ", and can ",
      "compute images of patients from updates");
  Cohort others(study.sites().begin(), study.sites().end());
  others.erase(site.name());
  if (others.size() == 1) {
    absl::StrAppend(&sentence, "; with two sites ", *others.begin(),
                    " can too: it subtracts its own update from each new "
                    "model");
  }
  risks.push_back({std::string(kVisibleUpdates), std::move(sentence)});
}

void AddBatchGradients(const v1::Study& study, std::vector<Risk>& risks) {
  if (!HasFewSteps(study, kFewestSteps)) return;
  const uint32_t steps = study.training().local_steps();
  risks.push_back(
      {std::string(kBatchGradients),
       absl::StrCat(
           "each round is only ", steps,
           steps == 1 ? " training step" : " training steps", ", fewer than ",
           kFewestSteps, ", of a batch of about ",
           study.training().batch_size(),
           " cases of all sites together: the sum of a round is nearly the ",
           "gradient of that batch, which tells how many cases of each class ",
           "are in it, and from which images may be computed")});
}

void AddWeakPolicy(const v1::Policy& policy, std::vector<Risk>& risks) {
  std::vector<std::string> weak;
  if (policy.has_minimum_cell_patients() &&
      policy.minimum_cell_patients() < kFewestPatients) {
    weak.push_back(absl::StrCat("minimum_cell_patients is ",
                                policy.minimum_cell_patients(), ", under ",
                                kFewestPatients));
  }
  if (policy.has_minimum_steps() && policy.minimum_steps() < kFewestSteps) {
    weak.push_back(absl::StrCat("minimum_steps is ", policy.minimum_steps(),
                                ", under ", kFewestSteps));
  }
  if (policy.has_minimum_batch() && policy.minimum_batch() < kLeastBatch) {
    weak.push_back(absl::StrCat("minimum_batch is ", policy.minimum_batch(),
                                ", under ", kLeastBatch));
  }
  if (weak.empty()) return;
  risks.push_back(
      {std::string(kWeakPolicy),
       absl::StrCat("this site's policy is weaker than the default: ",
                    absl::StrJoin(weak, "; "),
                    "; the sums may then be almost the figures of one "
                    "patient")});
}

// Returns the fewest patients that explain the difference of two lists of
// [folds * classes]: a patient is in one fold, and may be in each class.
uint64_t FewestByCells(const Counts& a, const Counts& b, int classes) {
  uint64_t patients = 0;
  for (int at = 0; at < a.size(); at += classes) {
    uint64_t most = 0;
    for (int c = at; c < std::min(at + classes, a.size()); ++c) {
      most = std::max(most, a[c] > b[c] ? a[c] - b[c] : b[c] - a[c]);
    }
    patients += most;
  }
  return patients;
}

// Sums over folds: [classes] or, without `by_class`, one number.
Counts Pooled(const Counts& counts, int classes, bool by_class) {
  Counts pooled;
  pooled.Resize(by_class ? classes : 1, 0);
  for (int i = 0; i < counts.size(); ++i) {
    pooled[by_class ? i % classes : 0] += counts[i];
  }
  return pooled;
}

bool SameClasses(const v1::Study& a, const v1::Study& b) {
  return std::equal(a.classes().begin(), a.classes().end(), b.classes().begin(),
                    b.classes().end());
}

uint64_t FewestOfArm(const v1::Study& a, const v1::ArmCensus& arm_a,
                     const v1::Study& b, const v1::ArmCensus& arm_b) {
  const bool patients = !arm_a.fold_class_patients().empty() &&
                        !arm_b.fold_class_patients().empty();
  const Counts& counts_a =
      patients ? arm_a.fold_class_patients() : arm_a.fold_class_counts();
  const Counts& counts_b =
      patients ? arm_b.fold_class_patients() : arm_b.fold_class_counts();
  if (a.classes().empty() || b.classes().empty()) return 0;
  const bool by_class = SameClasses(a, b);
  if (by_class && counts_a.size() == counts_b.size()) {
    return FewestByCells(counts_a, counts_b, a.classes_size());
  }
  const Counts pooled_a = Pooled(counts_a, a.classes_size(), by_class);
  return FewestByCells(pooled_a, Pooled(counts_b, b.classes_size(), by_class),
                       pooled_a.size());
}

}  // namespace

std::vector<std::string> RiskNames() {
  return {std::string(kBatchGradients),    std::string(kCountsInferable),
          std::string(kPatientsInferable), std::string(kSiteUpdatesInferable),
          std::string(kUnpinnedKeys),      std::string(kVisibleUpdates),
          std::string(kWeakPolicy)};
}

std::vector<Risk> RisksOf(const v1::Study& study, const SiteId& site,
                          const v1::Policy& policy,
                          const std::vector<PastStudy>& past) {
  std::vector<Risk> risks;
  AddVisibleUpdates(study, site, risks);
  AddBatchGradients(study, risks);
  AddSiteRisks(study, past, risks);
  if (IsSecure(study) && study.site_keys().empty()) {
    risks.push_back(
        {std::string(kUnpinnedKeys),
         absl::StrCat("the study pins no key of its ", study.sites_size(),
                      " sites: somebody who gets certificates from the ",
                      "consortium's authority can pretend to be the other "
                      "sites, and then sees the updates of ",
                      site.name())});
  }
  AddWeakPolicy(policy, risks);
  return risks;
}

uint64_t FewestDifferingPatients(const v1::Study& a,
                                 const v1::SubmitCensusRequest& census_a,
                                 const v1::Study& b,
                                 const v1::SubmitCensusRequest& census_b) {
  uint64_t fewest = 0;
  for (int i = 0; i < std::min(a.arms_size(), census_a.arms_size()); ++i) {
    for (int j = 0; j < std::min(b.arms_size(), census_b.arms_size()); ++j) {
      if (a.arms(i) != b.arms(j)) continue;
      const uint64_t differ =
          FewestOfArm(a, census_a.arms(i), b, census_b.arms(j));
      if (differ > 0 && (fewest == 0 || differ < fewest)) fewest = differ;
    }
  }
  return fewest;
}

// Returns the digests that the study's starting weights list, in one text.
std::string SeenDigests(const v1::Study& study) {
  std::string digests;
  for (const v1::TrainedOn& set : study.starting_weights().trained_on()) {
    absl::StrAppend(&digests, set.digests());
  }
  return digests;
}

std::optional<Risk> PatientsRisk(const v1::Study& study,
                                 const v1::SubmitCensusRequest& census,
                                 const PastStudy& past,
                                 const v1::SubmitCensusRequest& past_census) {
  if (ListsImages(study) && ListsImages(past.study) &&
      SeenDigests(study) != SeenDigests(past.study)) {
    return Risk{std::string(kPatientsInferable),
                absl::StrCat(
                    "this study and the study ", Named(past), " approved ",
                    "before list other images from which their starting ",
                    "weights learned: the difference of the two censuses may ",
                    "tell whether a patient of this site is in one list only")};
  }
  if (!StartAlike(study, past.study)) return std::nullopt;
  const uint64_t patients =
      FewestDifferingPatients(study, census, past.study, past_census);
  if (patients == 0 || patients >= kFewestPatients) return std::nullopt;
  return Risk{std::string(kPatientsInferable),
              absl::StrCat(
                  "this study and the study ", Named(past), " approved before ",
                  "start from the same weights, and this site's cases of the ",
                  "two may differ by only ", patients,
                  patients == 1 ? " patient" : " patients",
                  ": the difference of the two studies' sums may be what ",
                  patients == 1 ? "that patient" : "those patients",
                  " taught the model")};
}

absl::Status CheckAccepted(const std::vector<Risk>& risks,
                           const std::set<std::string>& accepted) {
  std::string missing;
  for (const Risk& risk : risks) {
    if (accepted.contains(risk.name)) continue;
    absl::StrAppend(&missing, "\n  ", risk.name, ": ", risk.sentence);
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the officer has not accepted these risks of the study:", missing));
}

}  // namespace hilum
