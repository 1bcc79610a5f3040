// SPDX-License-Identifier: Apache-2.0
// Rules and defaults of a study's fields; docs/study.md describes them for
// users.
#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/config/segmentation_study.h"
#include "common/config/starting_weights.h"
#include "common/config/step_rules.h"
#include "common/config/study.h"

namespace hilum {
namespace {

constexpr size_t kMaxDescription = 1000;

// Labels become column names and file content: no commas or quotes.
bool IsValidLabel(const std::string& label) {
  if (label.empty() || label.size() > 32) return false;
  return std::all_of(label.begin(), label.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_';
  });
}

// Checks the rules of one study. Life: Check, once.
class Rules {
 public:
  Rules(const v1::Study& study, const FieldPlaces& places)
      : study_(study), places_(places) {}

  absl::Status Check() const {
    HILUM_RETURN_IF_ERROR(CheckName("name", study_.name()));
    HILUM_RETURN_IF_ERROR(CheckDescription());
    HILUM_RETURN_IF_ERROR(CheckTask());
    HILUM_RETURN_IF_ERROR(CheckClasses());
    HILUM_RETURN_IF_ERROR(CheckArms());
    HILUM_RETURN_IF_ERROR(CheckSites());
    HILUM_RETURN_IF_ERROR(CheckModel());
    HILUM_RETURN_IF_ERROR(InRange("cross_validation.folds",
                                  study_.cross_validation().folds(), 2, 20));
    HILUM_RETURN_IF_ERROR(CheckTraining());
    HILUM_RETURN_IF_ERROR(CheckOptimizer());
    HILUM_RETURN_IF_ERROR(CheckSchedule());
    HILUM_RETURN_IF_ERROR(CheckAugmentation());
    HILUM_RETURN_IF_ERROR(CheckValidation());
    HILUM_RETURN_IF_ERROR(CheckAggregation());
    HILUM_RETURN_IF_ERROR(CheckStart());
    HILUM_RETURN_IF_ERROR(InRange("evaluation.score_bins",
                                  study_.evaluation().score_bins(), 16, 8192));
    return InRange("data_rules.max_bad_share",
                   study_.data_rules().max_bad_share(), 0, 1);
  }

 private:
  absl::Status Bad(absl::string_view field, absl::string_view rule) const {
    return absl::InvalidArgumentError(
        absl::StrCat(places_.Of(field), ": '", field, "' must be ", rule));
  }

  absl::Status InRange(absl::string_view field, double value, double low,
                       double high) const {
    if (std::isfinite(value) && value >= low && value <= high) {
      return absl::OkStatus();
    }
    return Bad(field,
               absl::StrCat("from ", low, " to ", high, ", not ", value));
  }

  // Checks an enum field whose values are numbered from 1 to `last`.
  absl::Status Given(absl::string_view field, int value, int last,
                     absl::string_view names) const {
    return value >= 1 && value <= last ? absl::OkStatus() : Bad(field, names);
  }

  absl::Status CheckName(absl::string_view field,
                         const std::string& name) const {
    if (IsValidName(name)) return absl::OkStatus();
    return Bad(field,
               absl::StrCat("a name of lower-case letters, digits and ",
                            "inner hyphens, at most 63, not '", name, "'"));
  }

  absl::Status CheckDescription() const {
    const std::string& text = study_.description();
    if (text.size() <= kMaxDescription &&
        Printable(text, text.size() + 1) == text) {
      return absl::OkStatus();
    }
    return Bad("description", absl::StrCat("printable and at most ",
                                           kMaxDescription, " bytes"));
  }

  // Returns whether the study was submitted before tasks existed; a database
  // may still have such a study.
  bool IsOfBeforeTasks() const {
    constexpr uint32_t kFirstWithTasks = 5;
    return study_.task() == v1::STUDY_TASK_UNSPECIFIED &&
           study_.protocol_version() > 0 &&
           study_.protocol_version() < kFirstWithTasks;
  }

  absl::Status CheckTask() const {
    if (IsOfBeforeTasks()) return absl::OkStatus();
    HILUM_RETURN_IF_ERROR(Given("task", study_.task(),
                                v1::STUDY_TASK_SEGMENTATION,
                                "classification or segmentation"));
    if (!IsSegmentation(study_)) {
      if (study_.model().architecture() != kSegmenterName) {
        return absl::OkStatus();
      }
      return Bad("model.architecture",
                 absl::StrCat("one that classifies; ", kSegmenterName,
                              " is for `task: segmentation`"));
    }
    const SegmentationFault fault = FindSegmentationFault(study_);
    return fault.field.empty() ? absl::OkStatus()
                               : Bad(fault.field, fault.rule);
  }

  absl::Status CheckClasses() const {
    HILUM_RETURN_IF_ERROR(InRange("classes", study_.classes_size(), 2, 32));
    std::set<std::string> seen;
    for (const std::string& label : study_.classes()) {
      if (!IsValidLabel(label)) {
        return Bad(
            "classes",
            absl::StrCat("words of letters, digits, - and _, at most 32 ",
                         "characters each, not '", label, "'"));
      }
      if (!seen.insert(label).second) {
        return Bad("classes",
                   absl::StrCat("different; '", label, "' is twice"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckSites() const {
    HILUM_RETURN_IF_ERROR(InRange("sites", study_.sites_size(), 1, 1000));
    for (const std::string& site : study_.sites()) {
      HILUM_RETURN_IF_ERROR(CheckName("sites", site));
    }
    if (!std::is_sorted(study_.sites().begin(), study_.sites().end())) {
      return Bad("sites", "sorted");
    }
    auto twice =
        std::adjacent_find(study_.sites().begin(), study_.sites().end());
    if (twice != study_.sites().end()) {
      return Bad("sites", absl::StrCat("different; '", *twice, "' is twice"));
    }
    return CheckSiteKeys();
  }

  absl::Status CheckSiteKeys() const {
    constexpr size_t kDigest = 32;
    const auto& keys = study_.site_keys();
    const bool all =
        keys.size() == study_.sites_size() &&
        std::all_of(keys.begin(), keys.end(), [](const std::string& key) {
          return key.size() == kDigest;
        });
    if (!keys.empty() && !all) {
      return Bad("site_keys", "left out, or one SHA-256 for each of the sites");
    }
    // Two sites with one key are one hospital, whatever their certificates'
    // names.
    if (std::set<std::string>(keys.begin(), keys.end()).size() ==
        static_cast<size_t>(keys.size())) {
      return absl::OkStatus();
    }
    return Bad("site_keys", "different: two sites must not have the same key");
  }

  absl::Status CheckArms() const {
    std::set<int> seen;
    for (int arm : study_.arms()) {
      if ((arm != v1::ARM_SEGMENTED && arm != v1::ARM_WHOLE) ||
          !seen.insert(arm).second) {
        return Bad("arms", "segmented, whole or both, each once");
      }
    }
    return seen.empty() ? Bad("arms", "given") : absl::OkStatus();
  }

  absl::Status CheckModel() const {
    const v1::Model& model = study_.model();
    if (model.trainable() < v1::Model::TRAINABLE_HEAD ||
        model.trainable() > v1::Model::TRAINABLE_ALL) {
      return Bad("model.trainable", "head, last_blocks or all");
    }
    bool wants_blocks = model.trainable() == v1::Model::TRAINABLE_LAST_BLOCKS;
    if (wants_blocks != (model.last_blocks() > 0)) {
      return Bad(
          "model.last_blocks",
          "given (1 or more) with `trainable: last_blocks`, and only so");
    }
    HILUM_RETURN_IF_ERROR(
        InRange("model.input_size", model.input_size(), 32, 512));
    HILUM_RETURN_IF_ERROR(
        InRange("model.head_units", model.head_units(), 0, 4096));
    if (model.input_channels() != 1 && model.input_channels() != 3) {
      return Bad("model.input_channels", "1 or 3");
    }
    HILUM_RETURN_IF_ERROR(Given("model.preprocessing", model.preprocessing(),
                                v1::Model::PREPROCESSING_TORCHXRAYVISION,
                                "hilum, imagenet or torchxrayvision"));
    return Given("model.batch_norm", model.batch_norm(),
                 v1::Model::BATCH_NORM_AVERAGED, "frozen, local or averaged");
  }

  absl::Status CheckStart() const {
    constexpr char kField[] = "starting_weights";
    const absl::Status checked = CheckStartingWeights(study_);
    if (checked.ok()) return checked;
    return absl::InvalidArgumentError(
        absl::StrCat(places_.Of(kField), ": ", kField, ".", checked.message()));
  }

  absl::Status CheckTraining() const {
    const v1::Training& training = study_.training();
    HILUM_RETURN_IF_ERROR(
        InRange("training.rounds", training.rounds(), 1, 1e5));
    const StepFault step = FindStepFault(study_);
    if (!step.field.empty()) return Bad(step.field, step.rule);
    HILUM_RETURN_IF_ERROR(InRange("training.logit_adjustment",
                                  training.logit_adjustment(), 0, 4));
    if (training.class_weights() != v1::Training::CLASS_WEIGHTS_NONE &&
        training.class_weights() != v1::Training::CLASS_WEIGHTS_BALANCED) {
      return Bad("training.class_weights", "none or balanced");
    }
    HILUM_RETURN_IF_ERROR(
        InRange("training.focal_gamma", training.focal_gamma(), 0, 10));
    HILUM_RETURN_IF_ERROR(InRange("training.label_smoothing",
                                  training.label_smoothing(), 0, 0.5));
    HILUM_RETURN_IF_ERROR(InRange("training.gradient_clipping_norm",
                                  training.gradient_clipping_norm(), 0, 1e6));
    return Given("training.precision", training.precision(),
                 v1::Training::PRECISION_BFLOAT16, "float32 or bfloat16");
  }

  absl::Status CheckOptimizer() const {
    const v1::Optimizer& optimizer = study_.training().optimizer();
    HILUM_RETURN_IF_ERROR(Given("training.optimizer.kind", optimizer.kind(),
                                v1::Optimizer::KIND_ADAMW,
                                "sgd, adam or adamw"));
    HILUM_RETURN_IF_ERROR(InRange("training.optimizer.learning_rate",
                                  optimizer.learning_rate(), 1e-9, 100));
    HILUM_RETURN_IF_ERROR(InRange("training.optimizer.momentum",
                                  optimizer.momentum(), 0, 0.9999));
    HILUM_RETURN_IF_ERROR(InRange("training.optimizer.weight_decay",
                                  optimizer.weight_decay(), 0, 10));
    return InRange("training.optimizer.layer_decay", optimizer.layer_decay(), 0,
                   1);
  }

  absl::Status CheckSchedule() const {
    const v1::Schedule& schedule = study_.training().schedule();
    HILUM_RETURN_IF_ERROR(Given("training.schedule.kind", schedule.kind(),
                                v1::Schedule::KIND_STEP,
                                "constant, cosine or step"));
    HILUM_RETURN_IF_ERROR(InRange("training.schedule.warmup_rounds",
                                  schedule.warmup_rounds(), 0,
                                  study_.training().rounds()));
    if ((schedule.kind() == v1::Schedule::KIND_STEP) !=
        (schedule.step_rounds() > 0)) {
      return Bad("training.schedule.step_rounds",
                 "given (1 or more) with `kind: step`, and only so");
    }
    HILUM_RETURN_IF_ERROR(
        InRange("training.schedule.step_factor", schedule.step_factor(), 0, 1));
    return InRange("training.schedule.final_fraction",
                   schedule.final_fraction(), 0, 1);
  }

  absl::Status CheckAugmentation() const {
    const v1::Augmentation& reach = study_.training().augmentation();
    HILUM_RETURN_IF_ERROR(InRange("training.augmentation.rotation_degrees",
                                  reach.rotation_degrees(), 0, 45));
    HILUM_RETURN_IF_ERROR(
        InRange("training.augmentation.shift", reach.shift(), 0, 0.5));
    HILUM_RETURN_IF_ERROR(
        InRange("training.augmentation.scale", reach.scale(), 0, 0.7));
    HILUM_RETURN_IF_ERROR(
        InRange("training.augmentation.intensity", reach.intensity(), 0, 0.5));
    HILUM_RETURN_IF_ERROR(
        InRange("training.augmentation.gamma", reach.gamma(), 0, 1));
    return InRange("training.augmentation.views", reach.views(), 0, 100);
  }

  absl::Status CheckValidation() const {
    const v1::Validation& validation = study_.training().validation();
    HILUM_RETURN_IF_ERROR(
        InRange("training.validation.share", validation.share(), 0, 0.5));
    HILUM_RETURN_IF_ERROR(InRange("training.validation.minimum_gain",
                                  validation.minimum_gain(), 0, 10));
    if (validation.patience() > 0 && validation.share() == 0) {
      return Bad("training.validation.share",
                 "over 0 where `training.validation.patience` is given");
    }
    if (validation.share() > 0 && study_.training().rounds() < 2) {
      return Bad("training.rounds",
                 "2 or more with `training.validation`: a round's model is "
                 "tried in the next");
    }
    return absl::OkStatus();
  }

  absl::Status CheckAggregation() const {
    const v1::Aggregation& rules = study_.aggregation();
    if (rules.has_minimum_sites() || !IsSecure(study_)) {
      HILUM_RETURN_IF_ERROR(InRange("aggregation.minimum_sites",
                                    rules.minimum_sites(), 1,
                                    study_.sites_size()));
    }
    HILUM_RETURN_IF_ERROR(InRange("aggregation.round_deadline_seconds",
                                  rules.round_deadline_seconds(), 1,
                                  7 * 86400));
    HILUM_RETURN_IF_ERROR(
        InRange("aggregation.clipping_norm", rules.clipping_norm(), 0, 1e6));
    return CheckSecureAggregation();
  }

  absl::Status CheckSecureAggregation() const {
    const v1::Aggregation& rules = study_.aggregation();
    const bool on = IsSecure(study_);
    if (!on &&
        rules.secure_aggregation() != v1::Aggregation::SECURE_AGGREGATION_OFF) {
      return Bad("aggregation.secure_aggregation", "on or off");
    }
    if (on && study_.sites_size() < kMinimumSecureSites) {
      return Bad("aggregation.secure_aggregation",
                 absl::StrCat("off with fewer than ", kMinimumSecureSites,
                              " sites: of a sum of two, each site knows the ",
                              "other's part"));
    }
    return InRange("aggregation.step_deadline_seconds",
                   rules.step_deadline_seconds(), 1, 86400);
  }

  const v1::Study& study_;
  const FieldPlaces& places_;
};

void FillModel(v1::Model& model) {
  if (model.architecture().empty()) model.set_architecture("hilum_small");
  if (model.trainable() == v1::Model::TRAINABLE_UNSPECIFIED) {
    model.set_trainable(model.last_blocks() > 0
                            ? v1::Model::TRAINABLE_LAST_BLOCKS
                            : v1::Model::TRAINABLE_ALL);
  }
  if (!model.has_input_size()) model.set_input_size(96);
  // torchvision's architectures all take three channels.
  if (!model.has_input_channels()) {
    model.set_input_channels(model.architecture() == "hilum_small" ? 1 : 3);
  }
  if (model.preprocessing() == v1::Model::PREPROCESSING_UNSPECIFIED) {
    model.set_preprocessing(model.input_channels() == 3
                                ? v1::Model::PREPROCESSING_IMAGENET
                                : v1::Model::PREPROCESSING_HILUM);
  }
  if (model.batch_norm() == v1::Model::BATCH_NORM_UNSPECIFIED) {
    model.set_batch_norm(v1::Model::BATCH_NORM_FROZEN);
  }
}

void FillAugmentation(const v1::Model& model, v1::Augmentation& reach) {
  if (!reach.has_rotation_degrees()) reach.set_rotation_degrees(7);
  if (!reach.has_shift()) reach.set_shift(0.04);
  if (!reach.has_scale()) reach.set_scale(0.08);
  if (!reach.has_intensity()) reach.set_intensity(0.05);
  if (!reach.has_gamma()) reach.set_gamma(0.16);
  if (!reach.has_views()) {
    reach.set_views(model.trainable() == v1::Model::TRAINABLE_ALL ? 0 : 4);
  }
}

void FillTraining(const v1::Model& model, v1::Training& training) {
  if (!training.has_rounds()) training.set_rounds(10);
  if (!training.has_batch_size()) training.set_batch_size(16);
  v1::Optimizer& optimizer = *training.mutable_optimizer();
  const bool any_kind = optimizer.kind() == v1::Optimizer::KIND_UNSPECIFIED;
  if (any_kind) optimizer.set_kind(v1::Optimizer::KIND_SGD);
  if (!optimizer.has_momentum()) optimizer.set_momentum(any_kind ? 0.9 : 0);
  if (!optimizer.has_learning_rate()) {
    optimizer.set_learning_rate(
        optimizer.kind() == v1::Optimizer::KIND_SGD ? 0.01 : 0.001);
  }
  if (training.class_weights() == v1::Training::CLASS_WEIGHTS_UNSPECIFIED) {
    training.set_class_weights(v1::Training::CLASS_WEIGHTS_BALANCED);
  }
  v1::Schedule& schedule = *training.mutable_schedule();
  if (schedule.kind() == v1::Schedule::KIND_UNSPECIFIED) {
    schedule.set_kind(v1::Schedule::KIND_CONSTANT);
  }
  if (!schedule.has_step_factor()) schedule.set_step_factor(0.1);
  FillAugmentation(model, *training.mutable_augmentation());
  if (training.precision() == v1::Training::PRECISION_UNSPECIFIED) {
    training.set_precision(v1::Training::PRECISION_FLOAT32);
  }
}

void FillAggregation(v1::Study& study) {
  v1::Aggregation& rules = *study.mutable_aggregation();
  if (!rules.has_round_deadline_seconds()) {
    rules.set_round_deadline_seconds(3600);
  }
  if (rules.secure_aggregation() ==
      v1::Aggregation::SECURE_AGGREGATION_UNSPECIFIED) {
    rules.set_secure_aggregation(study.sites_size() >= kMinimumSecureSites
                                     ? v1::Aggregation::SECURE_AGGREGATION_ON
                                     : v1::Aggregation::SECURE_AGGREGATION_OFF);
  }
  if (!rules.has_step_deadline_seconds()) rules.set_step_deadline_seconds(60);
  // The threshold of a masked sum is the minimum with secure aggregation.
  if (!rules.has_minimum_sites() && !IsSecure(study)) {
    rules.set_minimum_sites(static_cast<uint32_t>(study.sites_size()));
  }
}

}  // namespace

void FillStudyDefaults(v1::Study& study) {
  if (study.task() == v1::STUDY_TASK_UNSPECIFIED) {
    study.set_task(v1::STUDY_TASK_CLASSIFICATION);
  }
  if (IsSegmentation(study)) FillSegmentationDefaults(study);
  if (study.arms().empty()) {
    study.add_arms(v1::ARM_SEGMENTED);
    study.add_arms(v1::ARM_WHOLE);
  }
  std::sort(study.mutable_sites()->begin(), study.mutable_sites()->end());
  FillModel(*study.mutable_model());
  v1::CrossValidation& folds = *study.mutable_cross_validation();
  if (!folds.has_folds()) folds.set_folds(5);
  FillTraining(study.model(), *study.mutable_training());
  FillStepDefaults(study);
  FillAggregation(study);
  v1::Evaluation& evaluation = *study.mutable_evaluation();
  if (!evaluation.has_score_bins()) evaluation.set_score_bins(4096);
  if (!evaluation.has_localization()) evaluation.set_localization(true);
  if (!evaluation.has_exclude_pretraining_cases()) {
    evaluation.set_exclude_pretraining_cases(true);
  }
  if (evaluation.primary() == v1::Evaluation::PRIMARY_UNSPECIFIED) {
    evaluation.set_primary(v1::Evaluation::PRIMARY_POOLED);
  }
  v1::DataRules& data_rules = *study.mutable_data_rules();
  if (!data_rules.has_max_bad_share()) data_rules.set_max_bad_share(0.05);
  if (!data_rules.has_judge_masks()) data_rules.set_judge_masks(true);
}

absl::Status ValidateStudy(const v1::Study& study, const FieldPlaces& places) {
  return Rules(study, places).Check();
}

}  // namespace hilum
