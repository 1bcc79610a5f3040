// SPDX-License-Identifier: Apache-2.0
#include "coordinator/seen_by_weights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/census.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"

namespace hilum {
namespace {

// Returns "437 of 942 held-out cases of arm segmented and ...".
std::string CountsText(const std::vector<SeenInArm>& arms) {
  std::vector<std::string> texts;
  for (const SeenInArm& arm : arms) {
    texts.push_back(absl::StrCat(arm.seen, " of ", arm.held_out,
                                 " held-out cases of arm ", ArmName(arm.arm)));
  }
  return absl::StrJoin(texts, " and ");
}

std::string SeenSentence(const StudyResult& result) {
  const std::vector<SeenInArm> arms = SeenByWeights(result);
  const bool any =
      std::any_of(arms.begin(), arms.end(),
                  [](const SeenInArm& arm) { return arm.seen > 0; });
  if (!any) return "";
  const std::string seen = absl::StrCat(
      "the starting weights (", result.study.starting_weights().file(),
      ") learned from images of their patients. A site with fewer than ",
      kSeenPatients, " such patients counts none of them");
  if (ExcludesSeen(result.study)) {
    return absl::StrCat("The figures leave out ", CountsText(arms), ": ", seen,
                        ", and leaves none out. Cases that were left out were "
                        "trained on.");
  }
  return absl::StrCat(
      "The figures are too good: they count ", CountsText(arms), " although ",
      seen, ". evaluation.exclude_pretraining_cases: true leaves them out.");
}

std::string UnlistedSentence(const v1::Study& study) {
  if (!MayHaveSeenMore(study)) return "";
  const v1::StartingWeights& weights = study.starting_weights();
  return absl::StrCat(
      "It is unknown whether the starting weights learned from held-out cases; "
      "if they did, the figures are too good. The file ",
      weights.file(), " does not list all images that its weights learned ",
      "from: ", DescribeTrainedOn(weights.trained_on()), ".");
}

bool HasArm(const v1::Study& study, v1::Arm arm) {
  return std::find(study.arms().begin(), study.arms().end(),
                   static_cast<int>(arm)) != study.arms().end();
}

// Returns the sentence about the product's own networks, which prepare images
// before a study begins.
std::string ToolsSentence(const StudyResult& result) {
  const v1::CensusTotals& totals = result.census_totals;
  std::vector<std::string> tools;
  if (totals.lungs_network_cases() > 0 &&
      HasArm(result.study, v1::ARM_SEGMENTED)) {
    tools.push_back(absl::StrCat(
        "the network that draws lung masks (`hilum-trainer segment run`) ",
        "learned from ", totals.lungs_network_cases(), " of the cases"));
  }
  if (totals.orientation_network_cases() > 0) {
    tools.push_back(absl::StrCat(
        "the network that judges orientation (`hilum-ingest`) learned from ",
        totals.orientation_network_cases(), " of the cases"));
  }
  if (tools.empty()) return "";
  return absl::StrCat(
      "Of the product's own networks, ", absl::StrJoin(tools, ", "),
      ". Where sites used these networks, the cases were prepared better than "
      "those of a new hospital would be; all of them are in the figures.");
}

std::string NotComparedSentence(const StudyResult& result) {
  const uint64_t cases = result.census_totals.cases_not_compared();
  if (cases == 0 || !ListsImages(result.study)) return "";
  return absl::StrCat(
      cases, cases == 1 ? " case was" : " cases were",
      " not compared with the images that the starting weights learned from: "
      "an earlier release of hilum-ingest has stored them without a digest. "
      "A new case store has it.");
}

}  // namespace

std::vector<SeenInArm> SeenByWeights(const StudyResult& result) {
  std::vector<SeenInArm> arms;
  const v1::Study& study = result.study;
  if (!ListsImages(study)) return arms;
  const auto classes = static_cast<size_t>(study.classes_size());
  for (int a = 0; a < result.census_totals.arms_size(); ++a) {
    const v1::ArmCensus& census = result.census_totals.arms(a);
    SeenInArm arm{.arm = study.arms(a)};
    arm.class_held_out.resize(classes);
    arm.class_seen.resize(classes);
    for (int cell = 0; cell < census.fold_class_seen_size(); ++cell) {
      const size_t label = static_cast<size_t>(cell) % classes;
      arm.class_held_out[label] += census.fold_class_counts(cell);
      arm.class_seen[label] += census.fold_class_seen(cell);
      arm.held_out += census.fold_class_counts(cell);
      arm.seen += census.fold_class_seen(cell);
    }
    arms.push_back(std::move(arm));
  }
  return arms;
}

std::vector<std::string> SeenWarnings(const StudyResult& result) {
  std::vector<std::string> warnings;
  for (const std::string& sentence :
       {SeenSentence(result), UnlistedSentence(result.study),
        NotComparedSentence(result), ToolsSentence(result)}) {
    if (!sentence.empty()) warnings.push_back(sentence);
  }
  return warnings;
}

}  // namespace hilum
