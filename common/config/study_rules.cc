// SPDX-License-Identifier: Apache-2.0
// What a study may say, and what it says where it is silent; docs/study.md
// is the same for people.
#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"

namespace hilum {
namespace {

// Labels become column names and file content, so: no commas or quotes.
bool IsValidLabel(const std::string& label) {
  if (label.empty() || label.size() > 32) return false;
  return std::all_of(label.begin(), label.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_';
  });
}

// The rules, of one study. Life: Check, once.
class Rules {
 public:
  Rules(const v1::Study& study, const FieldPlaces& places)
      : study_(study), places_(places) {}

  absl::Status Check() const {
    HILUM_RETURN_IF_ERROR(CheckName("name", study_.name()));
    HILUM_RETURN_IF_ERROR(CheckClasses());
    HILUM_RETURN_IF_ERROR(CheckArms());
    HILUM_RETURN_IF_ERROR(CheckSites());
    HILUM_RETURN_IF_ERROR(CheckModel());
    HILUM_RETURN_IF_ERROR(InRange("cross_validation.folds",
                                  study_.cross_validation().folds(), 2, 20));
    HILUM_RETURN_IF_ERROR(CheckTraining());
    HILUM_RETURN_IF_ERROR(CheckOptimizer());
    HILUM_RETURN_IF_ERROR(CheckAggregation());
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

  absl::Status CheckName(absl::string_view field,
                         const std::string& name) const {
    if (IsValidName(name)) return absl::OkStatus();
    return Bad(field,
               absl::StrCat("a name of lower-case letters, digits and ",
                            "inner hyphens, at most 63, not '", name, "'"));
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
    return absl::OkStatus();
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
    return InRange("model.input_size", model.input_size(), 32, 512);
  }

  absl::Status CheckTraining() const {
    const v1::Training& training = study_.training();
    HILUM_RETURN_IF_ERROR(
        InRange("training.rounds", training.rounds(), 1, 1e5));
    HILUM_RETURN_IF_ERROR(
        InRange("training.local_epochs", training.local_epochs(), 1, 1000));
    HILUM_RETURN_IF_ERROR(
        InRange("training.batch_size", training.batch_size(), 1, 1024));
    HILUM_RETURN_IF_ERROR(InRange("training.logit_adjustment",
                                  training.logit_adjustment(), 0, 4));
    if (training.class_weights() != v1::Training::CLASS_WEIGHTS_NONE &&
        training.class_weights() != v1::Training::CLASS_WEIGHTS_BALANCED) {
      return Bad("training.class_weights", "none or balanced");
    }
    return absl::OkStatus();
  }

  absl::Status CheckOptimizer() const {
    const v1::Optimizer& optimizer = study_.training().optimizer();
    if (optimizer.kind() != v1::Optimizer::KIND_SGD &&
        optimizer.kind() != v1::Optimizer::KIND_ADAM) {
      return Bad("training.optimizer.kind", "sgd or adam");
    }
    HILUM_RETURN_IF_ERROR(InRange("training.optimizer.learning_rate",
                                  optimizer.learning_rate(), 1e-9, 100));
    HILUM_RETURN_IF_ERROR(InRange("training.optimizer.momentum",
                                  optimizer.momentum(), 0, 0.9999));
    return InRange("training.optimizer.weight_decay", optimizer.weight_decay(),
                   0, 10);
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
}

void FillTraining(v1::Training& training) {
  if (!training.has_rounds()) training.set_rounds(10);
  if (!training.has_local_epochs()) training.set_local_epochs(1);
  if (!training.has_batch_size()) training.set_batch_size(16);
  v1::Optimizer& optimizer = *training.mutable_optimizer();
  const bool any_kind = optimizer.kind() == v1::Optimizer::KIND_UNSPECIFIED;
  if (any_kind) optimizer.set_kind(v1::Optimizer::KIND_SGD);
  if (!optimizer.has_momentum()) optimizer.set_momentum(any_kind ? 0.9 : 0);
  if (!optimizer.has_learning_rate()) {
    optimizer.set_learning_rate(
        optimizer.kind() == v1::Optimizer::KIND_ADAM ? 0.001 : 0.01);
  }
  if (training.class_weights() == v1::Training::CLASS_WEIGHTS_UNSPECIFIED) {
    training.set_class_weights(v1::Training::CLASS_WEIGHTS_BALANCED);
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
  // Under masks the threshold is a minimum of its own.
  if (!rules.has_minimum_sites() && !IsSecure(study)) {
    rules.set_minimum_sites(static_cast<uint32_t>(study.sites_size()));
  }
}

}  // namespace

void FillStudyDefaults(v1::Study& study) {
  if (study.arms().empty()) {
    study.add_arms(v1::ARM_SEGMENTED);
    study.add_arms(v1::ARM_WHOLE);
  }
  std::sort(study.mutable_sites()->begin(), study.mutable_sites()->end());
  FillModel(*study.mutable_model());
  v1::CrossValidation& folds = *study.mutable_cross_validation();
  if (!folds.has_folds()) folds.set_folds(5);
  FillTraining(*study.mutable_training());
  FillAggregation(study);
  v1::Evaluation& evaluation = *study.mutable_evaluation();
  if (!evaluation.has_score_bins()) evaluation.set_score_bins(4096);
  v1::DataRules& data_rules = *study.mutable_data_rules();
  if (!data_rules.has_max_bad_share()) data_rules.set_max_bad_share(0.05);
}

absl::Status ValidateStudy(const v1::Study& study, const FieldPlaces& places) {
  return Rules(study, places).Check();
}

}  // namespace hilum
