// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/report_json.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/config/census.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/metrics/agreement.h"
#include "common/metrics/fingerprint.h"
#include "common/metrics/overlap.h"
#include "coordinator/report/class_figures.h"
#include "coordinator/report/json_figures.h"
#include "coordinator/report/lung_masks.h"
#include "coordinator/report/starting_weights_json.h"
#include "coordinator/trained_tracks.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

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
  json["sensitivity"] = NumberJson(confusion.Sensitivity(label));
  json["sensitivity_ci95"] =
      IntervalJson(confusion.SensitivityInterval95(label));
  json["specificity"] = NumberJson(confusion.Specificity(label));
  json["specificity_ci95"] =
      IntervalJson(confusion.SpecificityInterval95(label));
  json["n_positive"] = confusion.RowSum(label);
  json["n_negative"] = confusion.Total() - confusion.RowSum(label);
  std::optional<BinnedAuc> auc = scores.Auc(label);
  json["auc"] = auc ? Json(auc->auc) : Json(nullptr);
  json["auc_error_bound"] = auc ? Json(auc->error_bound) : Json(nullptr);
  json["ci95"] = auc ? IntervalJson(auc->interval95) : Json(nullptr);
  if (auc && auc->interval95) {
    json["ci95_method"] =
        auc->HasNewcombeInterval() ? "newcombe" : "delong_logit";
  }
  const std::string note = scores.AucNote(label);
  if (!note.empty()) json["auc_note"] = note;
  return json;
}

Json MeanIntervalJson(const std::optional<PatientMean>& mean) {
  if (!mean || !mean->interval95) return nullptr;
  return Json{mean->interval95->low, mean->interval95->high};
}

Json OverlapJson(const v1::Overlap& overlap) {
  const std::optional<PatientMean> dice = MeanDice(overlap);
  const std::optional<PatientMean> iou = MeanIou(overlap);
  return {{"dice", dice ? Json(dice->mean) : Json(nullptr)},
          {"dice_ci95", MeanIntervalJson(dice)},
          {"iou", iou ? Json(iou->mean) : Json(nullptr)},
          {"iou_ci95", MeanIntervalJson(iou)},
          {"n_patients", overlap.patients()},
          {"n_cases", overlap.cases()},
          {"implausible", NumberJson(ImplausibleShare(overlap))}};
}

Json SegmentationJson(const PooledScores& scores, const v1::Study& study) {
  Json json = {{"n", scores.Cases()},
               {"mean_loss", NumberJson(scores.MeanLoss())}};
  json["overlap"]["all"] = OverlapJson(scores.overlaps.back());
  for (int c = 0; c < study.classes_size(); ++c) {
    json["overlap"]["per_class"][study.classes(c)] =
        OverlapJson(scores.overlaps[static_cast<size_t>(c)]);
  }
  return json;
}

void AddAgreement(const std::string& name,
                  const std::optional<Agreement>& agreement, Json& json) {
  json[name] = agreement ? NumberJson(agreement->value) : Json(nullptr);
  json[name + "_ci95"] =
      agreement ? IntervalJson(agreement->interval95) : Json(nullptr);
}

// `folds`: what `scores` are the sum of, where that is known.
Json ScoresJson(const PooledScores& scores, const v1::Study& study,
                absl::Span<const PooledScores> folds = {}) {
  if (IsSegmentation(study)) return SegmentationJson(scores, study);
  const Confusion& confusion = scores.confusion;
  const std::vector<ClassFigures> figures = ComputeAllFigures(scores, folds);
  Json json;
  json["n"] = scores.Cases();
  json["accuracy"] = NumberJson(confusion.Accuracy());
  json["accuracy_ci95"] = IntervalJson(confusion.AccuracyInterval95());
  AddAgreement("balanced_accuracy", BalancedAccuracy(confusion), json);
  AddAgreement("kappa", CohensKappa(confusion), json);
  json["confusion"] = ConfusionJson(confusion);
  json["macro"] = {
      {"auc", NumberJson(scores.MacroAuc())},
      {"auc_prevalence_weighted", NumberJson(scores.PrevalenceWeightedAuc())},
      {"sensitivity", NumberJson(scores.MacroSensitivity())},
      {"specificity", NumberJson(scores.MacroSpecificity())}};
  if (!folds.empty()) {
    json["macro"]["auc_fold_mean"] = NumberJson(MacroFoldMean(figures));
    json["primary"] = PrimaryJson(study, scores, figures);
  }
  json["mean_loss"] = NumberJson(scores.MeanLoss());
  for (int c = 0; c < study.classes_size(); ++c) {
    Json& entry = json["per_class"][study.classes(c)] = ClassJson(scores, c);
    AddClassFigures(figures[static_cast<size_t>(c)], scores.Scores(c).bins(),
                    !folds.empty(), entry);
  }
  if (scores.mapped > 0) {
    const double n = static_cast<double>(scores.mapped);
    json["localization"] = {{"n", scores.mapped},
                            {"map_in_lungs", scores.map_in_lungs_sum / n},
                            {"lung_share", scores.lung_share_sum / n}};
  }
  return json;
}

// Returns the losses of one arm, round by round.
Json LossesJson(const std::vector<double>& losses) {
  Json json = Json::array();
  for (double loss : losses) json.push_back(NumberJson(loss));
  return json;
}

// Returns the examples by arm and track.
Json ExamplesJson(const v1::Study& study,
                  const std::vector<uint64_t>& examples) {
  Json json = Json::object();
  const std::vector<Track> tracks = StudyTracks(study);
  for (size_t t = 0; t < tracks.size(); ++t) {
    json[ArmName(tracks[t].arm)][TrackName(tracks[t])] = examples.at(t);
  }
  return json;
}

Json RoundsJson(const StudyResult& result) {
  Json rounds = Json::array();
  for (const RoundSummary& round : result.rounds) {
    Json trainers = Json::array();
    for (const SiteId& site : round.Trainers()) trainers.push_back(site.name());
    Json entry = {{"round", round.round}, {"sites", trainers}};
    if (!round.examples.empty()) {
      entry["examples"] = ExamplesJson(result.study, round.examples);
    }
    for (size_t i = 0; i < round.site_examples.size(); ++i) {
      if (round.site_examples[i] == 0) continue;
      entry["site_examples"][round.contributors.at(i).name()] =
          round.site_examples[i];
    }
    if (IsValidated(result.study)) {
      const auto& examples = round.validation_examples;
      entry["validation_examples"] =
          std::accumulate(examples.begin(), examples.end(), uint64_t{0});
      entry["validation_loss"] = NumberJson(round.MeanValidationLoss());
    }
    rounds.push_back(std::move(entry));
  }
  return rounds;
}

// Adds the origin of the weights to a track's entry.
using DescribeTrack = std::function<void(size_t track, Json& entry)>;

Json ArmJson(const v1::Study& study, const ArmMetrics& arm,
             const DescribeTrack& describe) {
  Json json;
  json["pooled"] = ScoresJson(arm.pooled, study, arm.folds);
  json["sites"] = Json::object();
  for (const auto& [site, scores] : arm.sites) {
    json["sites"][site] = ScoresJson(scores, study);
  }
  const std::vector<Track> tracks = StudyTracks(study);
  for (size_t t = 0; t < tracks.size(); ++t) {
    const Track& track = tracks[t];
    if (track.arm != arm.arm) continue;
    Json entry =
        track.IsFinal()
            ? Json::object()
            : ScoresJson(arm.folds[static_cast<size_t>(track.fold)], study);
    describe(t, entry);
    json["tracks"][TrackName(track)] = entry;
  }
  return json;
}

Json ArmJson(const StudyResult& result, const ArmMetrics& arm) {
  const std::vector<bool> trained = TrainedTracks(result);
  Json json = ArmJson(result.study, arm, [&](size_t track, Json& entry) {
    entry["trained"] = static_cast<bool>(trained[track]);
    const std::string& sha256 = result.model_sha256[track];
    entry["model_sha256"] = sha256.empty() ? Json(nullptr) : Json(sha256);
    entry["model_round"] = result.model_rounds[track];
    if (!IsValidated(result.study)) return;
    entry["validation_losses"] =
        LossesJson(TrackValidationLosses(result, track));
  });
  json["round_losses"] = LossesJson(arm.losses);
  if (IsValidated(result.study)) {
    json["validation_losses"] = LossesJson(arm.validation_losses);
  }
  return json;
}

Json MatrixJson(const Baselines& baselines, size_t arm) {
  Json json;
  for (const auto& [trained_at, row] : baselines.matrix) {
    for (const auto& [tested_at, arms] : row) {
      const CrossSiteScores& scores = arms[arm];
      json[trained_at.name()][tested_at.name()] = {
          {"n", scores.n},
          {"accuracy", NumberJson(scores.accuracy)},
          {"macro", {{"auc", NumberJson(scores.macro_auc)}}}};
    }
  }
  return json;
}

Json LocalOnlyJson(const BaselineMetrics& metrics, size_t arm) {
  const Baselines& baselines = metrics.baselines;
  Json json = ArmJson(
      baselines.centralized.study, metrics.local_only[arm],
      [&](size_t track, Json& entry) {
        for (const auto& [site, alone] : baselines.local_only) {
          entry["model_sha256"][site.name()] = alone.model_sha256[track];
          entry["model_round"][site.name()] = alone.model_rounds[track];
        }
      });
  const auto arms =
      static_cast<size_t>(baselines.centralized.study.arms_size());
  for (const auto& [site, alone] : baselines.local_only) {
    Json& losses = json["round_losses"][site.name()] = Json::array();
    for (const RoundSummary& round : alone.rounds) {
      losses.push_back(NumberJson(round.ArmLoss(arm, arms)));
    }
  }
  json["matrix"] = MatrixJson(baselines, arm);
  return json;
}

Json MaskJson(const MaskCount& count) {
  return {{"rejected", count.rejected},
          {"n", count.with_mask ? Json(*count.with_mask) : Json(nullptr)},
          {"share", NumberJson(count.Share())}};
}

Json MasksJson(const v1::Study& study, const MaskCounts& counts) {
  Json json = {{"all", MaskJson(counts.all)}};
  for (int c = 0; c < study.classes_size(); ++c) {
    json["per_class"][study.classes(c)] =
        MaskJson(counts.classes[static_cast<size_t>(c)]);
  }
  return json;
}

// Returns the cases of one site's census or of a cohort's.
template <typename Census>
Json CasesJson(const v1::Study& study, const Census& census) {
  Json json;
  json["rows"] = census.rows();
  json["rejected_rows"] = census.rejected_rows();
  for (int a = 0; a < study.arms_size(); ++a) {
    const Track all{study.arms(a), Track::kFinal};
    Json& arm = json["arms"][ArmName(all.arm)];
    arm["without_mask"] = census.arms(a).without_mask();
    const v1::Fingerprint& print = census.arms(a).fingerprint();
    if (FingerprintCases(print) > 0) {
      arm["fingerprint"] = Json::parse(FingerprintJson(print));
    }
    const std::vector<uint64_t> cases =
        TrainingCases(study, all, census.arms());
    for (int c = 0; c < study.classes_size(); ++c) {
      arm["cases"][study.classes(c)] = cases[static_cast<size_t>(c)];
    }
  }
  const auto masks = CountMasks(study, census.arms(), census.rejected_masks());
  if (masks) json["masks"] = MasksJson(study, *masks);
  return json;
}

// Returns, by arm, the tracks that were not trained.
Json UntrainedJson(const StudyResult& result) {
  Json json = Json::object();
  const std::vector<bool> trained = TrainedTracks(result);
  const std::vector<Track> tracks = StudyTracks(result.study);
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (trained[t]) continue;
    json[ArmName(tracks[t].arm)].push_back(TrackName(tracks[t]));
  }
  return json;
}

Json CohortJson(const StudyResult& result) {
  Json json = CasesJson(result.study, result.census_totals);
  json["sites"] = Json::array();
  for (const std::string& site : result.census_totals.sites()) {
    json["sites"].push_back(site);
  }
  return json;
}

Json CensusJson(const StudyResult& result) {
  Json json = Json::object();
  for (const auto& [site, census] : result.census) {
    if (census.arms().empty()) continue;  // not published
    json[site.name()] = CasesJson(result.study, census);
  }
  return json;
}

Json CensusConventions() {
  return {{"masks",
           "rejected: lung masks that do not look like those of two lungs, "
           "which are not used; n: all that came; share: rejected / n"},
          {"fingerprint",
           "of prepared images: grays from 0 (black) to 1 (white), the share "
           "of pixels below each, every case with the same weight, linear "
           "within 32 bins, in the segmented arm of pixels in the lungs; "
           "mean_lung_share: the lungs' mean share of the image, over masked "
           "cases; sides: cases by the longer side before resizing, up to "
           "256, 512, 1024, 2048, 4096 pixels, and above"},
          {"untrained",
           "tracks whose models are the starting weights still: they have no "
           "figures, and nothing is pooled over the folds of an arm that has "
           "such a fold"},
          {"rounds",
           "sites: whose updates counted; examples: training cases with which "
           "they counted, by arm and track; site_examples: by site, over all "
           "tracks, where single sites are known"},
          {"starting_weights",
           "seen: cases of patients of whom the starting weights have seen an "
           "image, of all cases, each of which one fold holds out; excluded: "
           "whether the figures leave them out. A site with fewer than ten "
           "such patients counts none. known: whether the file lists all "
           "images that its weights learned from"},
          {"null", "too few cases for the number to mean anything"}};
}

Json SegmentationConventions() {
  return {{"overlap",
           "Dice coefficient and intersection over union of the lungs found "
           "and the lung mask; mean over patients, each with the mean over "
           "his or her cases; implausible: share of cases whose lungs found "
           "do not look like two lungs"},
          {"ci95",
           "normal over patients: mean +- 1.96 s / sqrt(n), clipped to [0, 1]"},
          {"pooled",
           "each case scored once, by the model of the fold that held it out; "
           "sums over patients summed over folds and sites"}};
}

Json ClassificationConventions() {
  return {{"averaging", "macro: mean over the classes that have a value"},
          {"auc",
           "one class against the rest, trapezoid over binned log-odds; "
           "auc_error_bound is the most that binning can have moved it; of "
           "the folds whose scores are shown (auc_note)"},
          {"ci95",
           "DeLong on the logit scale (ci95_method); Wilson for the accuracy, "
           "sensitivity and specificity"},
          {"pooled",
           "each case scored once, by the model of the fold that held it out; "
           "counts summed over folds and sites"},
          {"prediction", "the class of the highest probability"},
          {"localization",
           "mean share of the class activation map inside the lung mask, "
           "beside the lungs' share of the image: what a map that knows "
           "nothing would have there"}};
}

void AddBaselineConventions(Json& conventions) {
  conventions["local_only"] =
      "each site's held-out cases by the model trained at that site alone; "
      "pooled: summed as if all sites' models meant the same by a score";
  conventions["centralized"] =
      "one model trained on all sites' cases in one place; its fold k holds "
      "out the sites' fold k";
  conventions["matrix"] =
      "matrix.TRAINED_AT.TESTED_AT: the model of one site alone on the cases "
      "of one site, fold k on the cases of its fold k";
  conventions["budget"] =
      "federated, local_only and centralized start from the same weights and "
      "pass rounds * local_epochs times over their training cases, or make "
      "rounds * local_steps steps of training.batch_size cases";
}

}  // namespace

std::string ReportJson(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms,
                       const BaselineMetrics& baselines) {
  const v1::Study& study = result.study;
  const bool segmentation = IsSegmentation(study);
  Json json;
  json["study"] = study.name();
  json["task"] = segmentation ? "segmentation" : "classification";
  json["study_hash"] = ToHex(result.study_hash);
  json["seed"] = study.seed();
  json["versions"] = {{"hilum", std::string(SoftwareVersion())},
                      {"protocol", study.protocol_version()}};
  json["classes"] = Json(
      std::vector<std::string>(study.classes().begin(), study.classes().end()));
  json["model"] = {{"architecture", study.model().architecture()},
                   {"input_size", study.model().input_size()},
                   {"rounds_planned", study.training().rounds()}};
  json["starting_weights"] = StartingWeightsJson(result);
  json["secure_aggregation"] = IsSecure(study);
  json["warnings"] = Json(ResultWarnings(result));
  json["stopped"] = !result.stopped.empty();
  json["untrained"] = UntrainedJson(result);
  json["cohort"] = CohortJson(result);
  json["census"] = CensusJson(result);
  json["conventions"] = CensusConventions();
  json["conventions"].update(segmentation ? SegmentationConventions()
                                          : ClassificationConventions());
  if (!segmentation) json["conventions"].update(FigureConventions());
  if (!baselines.baselines.empty()) AddBaselineConventions(json["conventions"]);
  json["rounds"] = RoundsJson(result);
  for (size_t a = 0; a < arms.size(); ++a) {
    Json& arm = json["arms"][ArmName(arms[a].arm)];
    arm["federated"] = ArmJson(result, arms[a]);
    if (baselines.baselines.empty()) continue;
    arm["local_only"] = LocalOnlyJson(baselines, a);
    arm["centralized"] =
        ArmJson(baselines.baselines.centralized, baselines.centralized[a]);
  }
  return json.dump(2) + "\n";
}

}  // namespace hilum
