// SPDX-License-Identifier: Apache-2.0
#include "common/model/weights_agreement.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/model/model_facts.h"

namespace hilum {
namespace {

absl::Status CheckTask(const WeightsFile& file, const v1::Study& study) {
  const std::string task = Said(file.metadata(), kTaskKey);
  const std::string wanted =
      IsSegmentation(study) ? "segmentation" : "classification";
  if (task.empty() || task == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(file.path(), ": its weights are of the task ", Shown(task),
                   ", and the study's is ", wanted, "; give other weights"));
}

// Returns whether the file's classes are others, or in another order.
absl::StatusOr<bool> OtherClasses(const WeightsFile& file,
                                  const v1::Study& study,
                                  const WeightsOptions& options) {
  const std::vector<std::string> classes = ClassesSaid(file.metadata());
  if (classes.empty() || IsSegmentation(study)) return false;
  const std::vector<std::string> wanted(study.classes().begin(),
                                        study.classes().end());
  if (classes == wanted) return false;
  if (options.fresh_head) return true;
  return absl::InvalidArgumentError(absl::StrCat(
      file.path(), ": its head is for the classes ",
      Shown(absl::StrJoin(classes, ", ")), ", and the study's are ",
      absl::StrJoin(wanted, ", "),
      "; give the study these classes in this order, or --fresh-head, which "
      "starts a new head"));
}

void WarnOfSize(const WeightsFile& file, const v1::Study& study,
                std::vector<std::string>& warnings) {
  const std::optional<int> size = InputSizeSaid(file.metadata());
  const uint32_t wanted = study.model().input_size();
  if (!size.has_value() || static_cast<uint32_t>(*size) == wanted) return;
  warnings.push_back(absl::StrCat(
      "model.input_size: ", wanted, ", but ", file.path(),
      " was trained at input_size ", *size,
      ", and knows less at another; model.input_size: ", *size, " fits it"));
}

void WarnOfArms(const WeightsFile& file, const v1::Study& study,
                std::vector<std::string>& warnings) {
  const std::string arm = ArmSaid(file.metadata());
  if (arm.empty()) return;
  for (int wanted : study.arms()) {
    const std::string name = ArmName(static_cast<v1::Arm>(wanted));
    if (name == arm) continue;
    warnings.push_back(absl::StrCat("arms: ", name, ", but ", file.path(),
                                    " was trained on the arm ", arm,
                                    ", and knows less on the other"));
  }
}

// With SGD, a rate / (1 - momentum) of 0.03 kept what pretrained weights know,
// and 0.3 destroyed it in the first round (docs/weights.md).
constexpr double kLargestRate = 0.1;

// Warns of a rate that destroys what the weights know.
void WarnOfRate(const WeightsFile& file, const v1::Study& study,
                std::vector<std::string>& warnings) {
  const v1::Optimizer& optimizer = study.training().optimizer();
  if (study.model().trainable() == v1::Model::TRAINABLE_HEAD ||
      optimizer.kind() != v1::Optimizer::KIND_SGD) {
    return;
  }
  const double rate = optimizer.learning_rate() / (1 - optimizer.momentum());
  if (rate < kLargestRate * 1.001) return;
  warnings.push_back(absl::StrCat(
      "training.optimizer.learning_rate: ", optimizer.learning_rate(),
      " with momentum ", optimizer.momentum(), " is ", rate,
      " in the long run; over ", kLargestRate,
      " the first round usually destroys what the weights of ", file.path(),
      " know. Try 0.003 with momentum 0.9"));
}

}  // namespace

absl::StatusOr<WeightsAgreement> CompareWithStudy(
    const WeightsFile& file, const v1::Study& study,
    const WeightsOptions& options) {
  WeightsAgreement agreement;
  HILUM_RETURN_IF_ERROR(CheckTask(file, study));
  HILUM_ASSIGN_OR_RETURN(agreement.replace_head,
                         OtherClasses(file, study, options));
  WarnOfSize(file, study, agreement.warnings);
  WarnOfArms(file, study, agreement.warnings);
  WarnOfRate(file, study, agreement.warnings);
  return agreement;
}

}  // namespace hilum
