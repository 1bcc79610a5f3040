// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/report_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

// null where a metric has nothing to stand on.
Json Number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

Json ConfusionJson(const Confusion& confusion) {
  Json rows = Json::array();
  for (int truth = 0; truth < confusion.num_classes(); ++truth) {
    Json row = Json::array();
    for (int guess = 0; guess < confusion.num_classes(); ++guess) {
      row.push_back(confusion.count(truth, guess));
    }
    rows.push_back(row);
  }
  return rows;
}

Json ClassJson(const PooledScores& scores, int label) {
  const Confusion& confusion = scores.confusion;
  Json json;
  json["sensitivity"] = Number(confusion.Sensitivity(label));
  json["specificity"] = Number(confusion.Specificity(label));
  json["n_positive"] = confusion.RowSum(label);
  json["n_negative"] = confusion.Total() - confusion.RowSum(label);
  std::optional<BinnedAuc> auc = scores.Auc(label);
  json["auc"] = auc ? Json(auc->auc) : Json(nullptr);
  json["auc_error_bound"] = auc ? Json(auc->error_bound) : Json(nullptr);
  json["ci95"] = auc && auc->interval95
                     ? Json{auc->interval95->low, auc->interval95->high}
                     : Json(nullptr);
  return json;
}

Json ScoresJson(const PooledScores& scores, const v1::Study& study) {
  const Confusion& confusion = scores.confusion;
  Json json;
  json["n"] = confusion.Total();
  json["accuracy"] = Number(confusion.Accuracy());
  auto interval = confusion.AccuracyInterval95();
  json["accuracy_ci95"] =
      interval ? Json{interval->low, interval->high} : Json(nullptr);
  json["confusion"] = ConfusionJson(confusion);
  json["macro"] = {{"auc", Number(scores.MacroAuc())},
                   {"sensitivity", Number(scores.MacroSensitivity())},
                   {"specificity", Number(scores.MacroSpecificity())}};
  json["mean_loss"] =
      confusion.Total() == 0
          ? Json(nullptr)
          : Number(scores.loss_sum / static_cast<double>(confusion.Total()));
  for (int c = 0; c < study.classes_size(); ++c) {
    json["per_class"][study.classes(c)] = ClassJson(scores, c);
  }
  return json;
}

Json ArmJson(const StudyResult& result, const ArmMetrics& arm) {
  Json json;
  json["pooled"] = ScoresJson(arm.pooled, result.study);
  for (const auto& [site, scores] : arm.sites) {
    json["sites"][site] = ScoresJson(scores, result.study);
  }
  const std::vector<Track> tracks = StudyTracks(result.study);
  for (size_t t = 0; t < tracks.size(); ++t) {
    const Track& track = tracks[t];
    if (track.arm != arm.arm) continue;
    Json entry = track.IsFinal()
                     ? Json::object()
                     : ScoresJson(arm.folds[static_cast<size_t>(track.fold)],
                                  result.study);
    entry["model_sha256"] = result.model_sha256[t];
    Json losses = Json::array();
    for (const std::vector<double>& round : arm.losses) {
      losses.push_back(Number(round[t - static_cast<size_t>(arm.first_track)]));
    }
    entry["round_losses"] = losses;
    json["tracks"][TrackName(track)] = entry;
  }
  return json;
}

Json CensusJson(const StudyResult& result) {
  const v1::Study& study = result.study;
  Json json = Json::object();
  for (const auto& [site, census] : result.census) {
    Json& entry = json[site.name()];
    entry["rows"] = census.rows();
    entry["rejected_rows"] = census.rejected_rows();
    for (int a = 0; a < study.arms_size(); ++a) {
      Json& arm = entry["arms"][ArmName(study.arms(a))];
      arm["without_mask"] = census.arms(a).without_mask();
      const auto& counts = census.arms(a).fold_class_counts();
      for (int i = 0; i < counts.size(); ++i) {
        Json& cases = arm["cases"][study.classes(i % study.classes_size())];
        cases = (cases.is_null() ? 0 : cases.get<uint64_t>()) + counts[i];
      }
    }
  }
  return json;
}

Json Conventions() {
  return {{"averaging", "macro: mean over the classes that have a value"},
          {"auc",
           "one class against the rest, trapezoid over binned log-odds; "
           "auc_error_bound is the most that binning can have moved it"},
          {"ci95", "DeLong on the logit scale; Wilson for the accuracy"},
          {"pooled",
           "each case scored once, by the model of the fold that held it out; "
           "counts summed over folds and sites"},
          {"prediction", "the class of the highest probability"},
          {"null", "too few cases for the number to mean anything"}};
}

}  // namespace

std::string ReportJson(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms) {
  const v1::Study& study = result.study;
  Json json;
  json["study"] = study.name();
  json["study_hash"] = ToHex(result.study_hash);
  json["seed"] = study.seed();
  json["versions"] = {{"hilum", std::string(SoftwareVersion())},
                      {"protocol", study.protocol_version()}};
  json["classes"] = Json(
      std::vector<std::string>(study.classes().begin(), study.classes().end()));
  json["model"] = {{"architecture", study.model().architecture()},
                   {"input_size", study.model().input_size()}};
  json["census"] = CensusJson(result);
  json["conventions"] = Conventions();
  for (const RoundSummary& round : result.rounds) {
    Json contributors = Json::array();
    for (const SiteId& site : round.contributors) {
      contributors.push_back(site.name());
    }
    json["rounds"].push_back({{"round", round.round}, {"sites", contributors}});
  }
  for (const ArmMetrics& arm : arms) {
    json["arms"][ArmName(arm.arm)]["federated"] = ArmJson(result, arm);
  }
  return json.dump(2) + "\n";
}

}  // namespace hilum
