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

absl::Status Bad(absl::string_view field, absl::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat("study: '", field, "' must be ", rule));
}

absl::Status InRange(absl::string_view field, double value, double low,
                     double high) {
  if (std::isfinite(value) && value >= low && value <= high) {
    return absl::OkStatus();
  }
  return Bad(field, absl::StrCat("from ", low, " to ", high, ", not ", value));
}

absl::Status CheckName(absl::string_view field, const std::string& name) {
  if (IsValidName(name)) return absl::OkStatus();
  return Bad(field,
             absl::StrCat("a name of lower-case letters, digits and ",
                          "inner hyphens, at most 63, not '", name, "'"));
}

// Labels become column names and file content, so: no commas or quotes.
bool IsValidLabel(const std::string& label) {
  if (label.empty() || label.size() > 32) return false;
  return std::all_of(label.begin(), label.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_';
  });
}

absl::Status CheckClasses(const v1::Study& study) {
  HILUM_RETURN_IF_ERROR(InRange("classes", study.classes_size(), 2, 32));
  std::set<std::string> seen;
  for (const std::string& label : study.classes()) {
    if (!IsValidLabel(label)) {
      return Bad("classes",
                 absl::StrCat("words of letters, digits, - and _, at most 32 ",
                              "characters each, not '", label, "'"));
    }
    if (!seen.insert(label).second) {
      return Bad("classes", absl::StrCat("different; '", label, "' is twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSites(const v1::Study& study) {
  HILUM_RETURN_IF_ERROR(InRange("sites", study.sites_size(), 1, 1000));
  for (const std::string& site : study.sites()) {
    HILUM_RETURN_IF_ERROR(CheckName("sites", site));
  }
  if (!std::is_sorted(study.sites().begin(), study.sites().end())) {
    return Bad("sites", "sorted");
  }
  auto twice = std::adjacent_find(study.sites().begin(), study.sites().end());
  if (twice != study.sites().end()) {
    return Bad("sites", absl::StrCat("different; '", *twice, "' is twice"));
  }
  return absl::OkStatus();
}

absl::Status CheckArms(const v1::Study& study) {
  std::set<int> seen;
  for (int arm : study.arms()) {
    if ((arm != v1::ARM_SEGMENTED && arm != v1::ARM_WHOLE) ||
        !seen.insert(arm).second) {
      return Bad("arms", "segmented, whole or both, each once");
    }
  }
  return seen.empty() ? Bad("arms", "given") : absl::OkStatus();
}

absl::Status CheckModel(const v1::Model& model) {
  if (model.trainable() < v1::Model::TRAINABLE_HEAD ||
      model.trainable() > v1::Model::TRAINABLE_ALL) {
    return Bad("model.trainable", "head, last_blocks or all");
  }
  bool wants_blocks = model.trainable() == v1::Model::TRAINABLE_LAST_BLOCKS;
  if (wants_blocks != (model.last_blocks() > 0)) {
    return Bad("model.last_blocks",
               "given (1 or more) with `trainable: last_blocks`, and only so");
  }
  return InRange("model.input_size", model.input_size(), 32, 512);
}

absl::Status CheckTraining(const v1::Training& training) {
  const v1::Optimizer& optimizer = training.optimizer();
  HILUM_RETURN_IF_ERROR(InRange("training.rounds", training.rounds(), 1, 1e5));
  HILUM_RETURN_IF_ERROR(
      InRange("training.local_epochs", training.local_epochs(), 1, 1000));
  HILUM_RETURN_IF_ERROR(
      InRange("training.batch_size", training.batch_size(), 1, 1024));
  if (optimizer.kind() != v1::Optimizer::KIND_SGD &&
      optimizer.kind() != v1::Optimizer::KIND_ADAM) {
    return Bad("training.optimizer.kind", "sgd or adam");
  }
  HILUM_RETURN_IF_ERROR(InRange("training.optimizer.learning_rate",
                                optimizer.learning_rate(), 1e-9, 100));
  HILUM_RETURN_IF_ERROR(
      InRange("training.optimizer.momentum", optimizer.momentum(), 0, 0.9999));
  HILUM_RETURN_IF_ERROR(InRange("training.optimizer.weight_decay",
                                optimizer.weight_decay(), 0, 10));
  HILUM_RETURN_IF_ERROR(
      InRange("training.logit_adjustment", training.logit_adjustment(), 0, 4));
  if (training.class_weights() != v1::Training::CLASS_WEIGHTS_NONE &&
      training.class_weights() != v1::Training::CLASS_WEIGHTS_BALANCED) {
    return Bad("training.class_weights", "none or balanced");
  }
  return absl::OkStatus();
}

absl::Status CheckAggregation(const v1::Study& study) {
  const v1::Aggregation& rules = study.aggregation();
  HILUM_RETURN_IF_ERROR(InRange("aggregation.minimum_sites",
                                rules.minimum_sites(), 1, study.sites_size()));
  HILUM_RETURN_IF_ERROR(InRange("aggregation.round_deadline_seconds",
                                rules.round_deadline_seconds(), 1, 7 * 86400));
  return InRange("aggregation.clipping_norm", rules.clipping_norm(), 0, 1e6);
}

}  // namespace

void FillStudyDefaults(v1::Study& study) {
  if (study.arms().empty()) {
    study.add_arms(v1::ARM_SEGMENTED);
    study.add_arms(v1::ARM_WHOLE);
  }
  std::sort(study.mutable_sites()->begin(), study.mutable_sites()->end());
  v1::Model& model = *study.mutable_model();
  if (model.architecture().empty()) model.set_architecture("hilum_small");
  if (model.trainable() == v1::Model::TRAINABLE_UNSPECIFIED) {
    model.set_trainable(model.last_blocks() > 0
                            ? v1::Model::TRAINABLE_LAST_BLOCKS
                            : v1::Model::TRAINABLE_ALL);
  }
  if (model.input_size() == 0) model.set_input_size(96);
  v1::CrossValidation& folds = *study.mutable_cross_validation();
  if (folds.folds() == 0) folds.set_folds(5);
  v1::Training& training = *study.mutable_training();
  if (training.rounds() == 0) training.set_rounds(10);
  if (training.local_epochs() == 0) training.set_local_epochs(1);
  if (training.batch_size() == 0) training.set_batch_size(16);
  v1::Optimizer& optimizer = *training.mutable_optimizer();
  if (optimizer.kind() == v1::Optimizer::KIND_UNSPECIFIED) {
    optimizer.set_kind(v1::Optimizer::KIND_SGD);
    if (optimizer.momentum() == 0) optimizer.set_momentum(0.9);
  }
  if (optimizer.learning_rate() == 0) {
    optimizer.set_learning_rate(
        optimizer.kind() == v1::Optimizer::KIND_ADAM ? 0.001 : 0.01);
  }
  if (training.class_weights() == v1::Training::CLASS_WEIGHTS_UNSPECIFIED) {
    training.set_class_weights(v1::Training::CLASS_WEIGHTS_BALANCED);
  }
  v1::Aggregation& rules = *study.mutable_aggregation();
  if (rules.minimum_sites() == 0) {
    rules.set_minimum_sites(static_cast<uint32_t>(study.sites_size()));
  }
  if (rules.round_deadline_seconds() == 0) {
    rules.set_round_deadline_seconds(3600);
  }
  v1::Evaluation& evaluation = *study.mutable_evaluation();
  if (evaluation.score_bins() == 0) evaluation.set_score_bins(4096);
  v1::DataRules& data_rules = *study.mutable_data_rules();
  if (data_rules.max_bad_share() == 0) data_rules.set_max_bad_share(0.05);
}

absl::Status ValidateStudy(const v1::Study& study) {
  HILUM_RETURN_IF_ERROR(CheckName("name", study.name()));
  HILUM_RETURN_IF_ERROR(CheckClasses(study));
  HILUM_RETURN_IF_ERROR(CheckArms(study));
  HILUM_RETURN_IF_ERROR(CheckSites(study));
  HILUM_RETURN_IF_ERROR(CheckModel(study.model()));
  HILUM_RETURN_IF_ERROR(InRange("cross_validation.folds",
                                study.cross_validation().folds(), 2, 20));
  HILUM_RETURN_IF_ERROR(CheckTraining(study.training()));
  HILUM_RETURN_IF_ERROR(CheckAggregation(study));
  HILUM_RETURN_IF_ERROR(InRange("evaluation.score_bins",
                                study.evaluation().score_bins(), 16, 8192));
  return InRange("data_rules.max_bad_share", study.data_rules().max_bad_share(),
                 0, 1);
}

}  // namespace hilum
