// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/model_card.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "coordinator/report/model_card_text.h"
#include "coordinator/report/python_model.h"
#include "coordinator/trained_tracks.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

constexpr char kUse[] = R"md(
## Intended use

Research on federated training with chest radiographs. **Not for diagnosis,
not for triage, not a medical device.**

TO BE COMPLETED: who may use these models, for which question, and under which
approval (ethics committee, data protection, contracts of the consortium).
)md";

constexpr char kFindsLungs[] = R"md(
## What the models do

They find the lungs on a frontal chest radiograph, made at the bedside (pCXR) or
not, for models and people that look at the lungs next. They say nothing of a
disease.
)md";

constexpr char kOverlapMeaning[] = R"md(
Each case was scored once, by the model of the fold that had held it out; sums
over patients were summed over folds and sites. Dice and IoU (intersection over
union) compare the lungs found with the lung mask: means over patients, each with
the mean over his or her cases. Intervals are of 95 %, normal over patients: mean
+- 1.96 s / sqrt(n), clipped to [0, 1]. Implausible: share of cases whose lungs
found do not look like two lungs. A dash: too few.
)md";

constexpr char kMeaning[] = R"md(
Each case was scored once, by the model of the fold that had held it out; counts
and score histograms were summed over folds and sites. AUC is one class against
the rest, by the trapezoid over binned log-odds, its interval DeLong's on the
logit scale (Newcombe's where DeLong's variance is 0); intervals of the accuracy,
sensitivity and specificity are Wilson's. Macro values are means over the classes
that have one. Sensitivity and specificity are at the class of the highest
probability. Intervals are of 95 %, over cases; cross-validation makes them too
narrow. A dash: too few cases. report.json and tables/ have further figures.
)md";

constexpr char kOpen[] = R"md(
## TO BE COMPLETED

- Contact, and who answers for these models.
- Licence of these files, and of the starting weights where they came from one.
- Where the cases come from: period, equipment, projections, age, sex, how
  labels and lung masks were made, and by whom.
- Evaluation at hospitals that did not train, and by subgroups.
- Known failures.
)md";

// Returns a figure as the report shows it.
std::string Figure(const Json& value) {
  return value.is_null() ? "–" : value.dump();
}

std::string Interval(const Json& value, const Json& interval) {
  if (interval.is_null()) return Figure(value);
  return absl::StrCat(Figure(value), " [", Figure(interval[0]), ", ",
                      Figure(interval[1]), "]");
}

std::string Identity(const StudyResult& result) {
  const v1::Study& study = result.study;
  const v1::Model& model = study.model();
  std::string architecture = model.architecture();
  if (model.head_units() > 0) {
    absl::StrAppend(&architecture, ", head of ", model.head_units(), " units");
  }
  std::string warnings;
  for (const std::string& sentence : ResultWarnings(result)) {
    absl::StrAppend(&warnings, "**", sentence, "**\n\n");
  }
  return absl::StrCat(
      "# Models of the study ", study.name(),
      "\n\nResearch use only, not for diagnosis.\n\n", warnings,
      MarkdownHead({"", ""}), MarkdownRow({"study", study.name()}),
      MarkdownRow(
          {"study hash", absl::StrCat("`", ToHex(result.study_hash), "`")}),
      MarkdownRow({"written by",
                   absl::StrCat("Hilum ", std::string(SoftwareVersion()),
                                ", protocol ", study.protocol_version())}),
      MarkdownRow({"architecture", architecture}),
      MarkdownRow(
          {"starting weights, SHA-256",
           absl::StrCat("`", ToHex(study.initial_weights_sha256()), "`")}),
      MarkdownRow({"starting weights", DescribeStartingWeights(study)}));
}

// Returns the cases of each class in each arm, of a cohort or of a site.
std::string CasesRows(const v1::Study& study, const std::string& whose,
                      const Json& census) {
  std::string rows;
  for (int arm : study.arms()) {
    const std::string name = ArmName(static_cast<v1::Arm>(arm));
    std::vector<std::string> cells = {whose, name};
    for (const std::string& label : study.classes()) {
      cells.push_back(Figure(census.at("arms").at(name).at("cases").at(label)));
    }
    rows += MarkdownRow(cells);
  }
  return rows;
}

std::string Data(const v1::Study& study, const Json& report) {
  std::vector<std::string> head = {"cases", "arm"};
  head.insert(head.end(), study.classes().begin(), study.classes().end());
  std::string text =
      absl::StrCat("\n## Data\n\n", MarkdownHead(head),
                   CasesRows(study, "cohort", report.at("cohort")));
  for (const auto& [site, census] : report.at("census").items()) {
    text += CasesRows(study, site, census);
  }
  if (report.at("census").size() < report.at("cohort").at("sites").size()) {
    text +=
        "\nOf the other sites single figures are not known: the coordinator "
        "saw sums.\n";
  }
  return text;
}

// Returns the AUC, with the reason where it does not cover all cases.
std::string AucOf(const Json& scores) {
  const std::string auc = Interval(scores.at("auc"), scores.at("ci95"));
  if (!scores.contains("auc_note")) return auc;
  return absl::StrCat(auc, " ", scores.at("auc_note").get<std::string>());
}

// Returns the figures that are made of score histograms.
std::string ScoreFigures(const v1::Study& study, const Json& classes) {
  std::string text = absl::StrCat(
      "\n", MarkdownHead({"class", "AUC, mean of folds", "average precision",
                          "Brier score", "calibration slope",
                          "calibration intercept"}));
  for (const std::string& label : study.classes()) {
    const Json& scores = classes.at(label);
    const auto in = [&](const char* part, const std::string& name) {
      const Json& of = scores.at(part);
      if (of.is_null()) return std::string("–");
      return Interval(of.at(name),
                      of.at(name == "value" ? "ci95" : name + "_ci95"));
    };
    text += MarkdownRow(
        {label,
         Interval(scores.at("auc_fold_mean"), scores.at("auc_fold_mean_ci95")),
         in("average_precision", "value"), in("calibration", "brier"),
         in("calibration", "slope"), in("calibration", "intercept")});
  }
  return text;
}

std::string ArmFigures(const v1::Study& study, const std::string& arm,
                       const Json& pooled) {
  std::string text = absl::StrCat(
      "\n### ", arm, "\n\n", MarkdownHead({"", "all held-out cases"}),
      MarkdownRow({"cases", Figure(pooled.at("n"))}),
      MarkdownRow({"accuracy", Interval(pooled.at("accuracy"),
                                        pooled.at("accuracy_ci95"))}));
  const Json& macro = pooled.at("macro");
  absl::StrAppend(
      &text,
      MarkdownRow(
          {"balanced accuracy", Interval(pooled.at("balanced_accuracy"),
                                         pooled.at("balanced_accuracy_ci95"))}),
      MarkdownRow({"Cohen's kappa",
                   Interval(pooled.at("kappa"), pooled.at("kappa_ci95"))}),
      MarkdownRow({"macro AUC, one against the rest", Figure(macro.at("auc"))}),
      MarkdownRow(
          {"macro AUC, mean of the folds'", Figure(macro.at("auc_fold_mean"))}),
      MarkdownRow({"primary AUC, as the study file says",
                   pooled.at("primary").at("auc") == "fold_mean"
                       ? "mean of the folds'"
                       : "pooled"}),
      MarkdownRow({"macro sensitivity", Figure(macro.at("sensitivity"))}),
      MarkdownRow({"macro specificity", Figure(macro.at("specificity"))}),
      MarkdownRow(
          {"mean loss (cross-entropy)", Figure(pooled.at("mean_loss"))}));
  if (pooled.contains("localization")) {
    const Json& maps = pooled.at("localization");
    absl::StrAppend(
        &text,
        MarkdownRow({"share of the class activation map inside the lungs",
                     absl::StrCat(Figure(maps.at("map_in_lungs")), " (",
                                  Figure(maps.at("n")),
                                  " cases; a map that knows nothing: ",
                                  Figure(maps.at("lung_share")), ")")}));
  }
  absl::StrAppend(&text, "\n",
                  MarkdownHead({"class", "positives", "AUC", "sensitivity",
                                "specificity"}));
  for (const std::string& label : study.classes()) {
    const Json& scores = pooled.at("per_class").at(label);
    text += MarkdownRow(
        {label, Figure(scores.at("n_positive")), AucOf(scores),
         Interval(scores.at("sensitivity"), scores.at("sensitivity_ci95")),
         Interval(scores.at("specificity"), scores.at("specificity_ci95"))});
  }
  return absl::StrCat(text, ScoreFigures(study, pooled.at("per_class")));
}

std::string OverlapRow(const std::string& name, const Json& overlap) {
  return MarkdownRow({name, Figure(overlap.at("n_patients")),
                      Figure(overlap.at("n_cases")),
                      Interval(overlap.at("dice"), overlap.at("dice_ci95")),
                      Interval(overlap.at("iou"), overlap.at("iou_ci95")),
                      Figure(overlap.at("implausible"))});
}

std::string OverlapFigures(const v1::Study& study, const Json& report) {
  const Json& overlap =
      report.at("arms").at("whole").at("federated").at("pooled").at("overlap");
  std::string text = absl::StrCat(
      "\n## Results\n\n", MarkdownHead({"held-out cases", "patients", "cases",
                                        "Dice", "IoU", "implausible"}));
  for (const std::string& label : study.classes()) {
    text += OverlapRow(label, overlap.at("per_class").at(label));
  }
  return absl::StrCat(text, OverlapRow("all", overlap.at("all")),
                      kOverlapMeaning);
}

std::string Figures(const v1::Study& study, const Json& report) {
  if (IsSegmentation(study)) return OverlapFigures(study, report);
  std::string text = "\n## Results\n";
  for (int arm : study.arms()) {
    const std::string name = ArmName(static_cast<v1::Arm>(arm));
    text += ArmFigures(study, name,
                       report.at("arms").at(name).at("federated").at("pooled"));
  }
  return text + kMeaning;
}

std::string Files(const StudyResult& result) {
  std::string text = absl::StrCat(
      "\n## Files\n\nPaths are relative to the folder of report.json. "
      "`.safetensors` and `.pth` of a name hold the same tensors",
      IsSegmentation(result.study) ? "" : ", named as torchvision names them",
      "; `torch.load(FILE, weights_only=True)` opens the latter.\n\n",
      MarkdownHead({"file", "weights after round", "SHA-256"}));
  for (const ModelFile& file : result.model_files) {
    const bool last = absl::StrContains(file.path, "/last/");
    text += MarkdownRow(
        {absl::StrCat("`", file.path, "`"),
         absl::StrCat(file.round, last ? ", the last; not evaluated" : ""),
         absl::StrCat("`", file.sha256, "`")});
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> ModelCard(const StudyResult& result,
                                      absl::string_view report) {
  const v1::Study& study = result.study;
  try {
    const Json json = Json::parse(report.begin(), report.end());
    return absl::StrCat(
        Identity(result), IsSegmentation(study) ? kFindsLungs : "",
        "\n## Input and output\n\n", InputText(study),
        result.model_files.empty() ? "" : PythonExample(study), kUse,
        "\n## Training\n\n", TrainingText(result), Data(study, json),
        Figures(study, json), "\n## Limits\n\n", LimitsText(result),
        Files(result), kOpen);
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "report.json is not one that this version writes: ", error.what(),
        "; export the study again"));
  }
}

}  // namespace hilum
