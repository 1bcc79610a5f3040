// SPDX-License-Identifier: Apache-2.0
#include "common/config/step_rules.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/config/step_plan.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using Server = v1::ServerOptimizer;

constexpr uint32_t kMaxCohortBatch = 100'000;
constexpr char kServer[] = "aggregation.server_optimizer";

StepFault OutOf(absl::string_view field, double value, double low,
                double high) {
  if (std::isfinite(value) && value >= low && value <= high) return {};
  return {std::string(field),
          absl::StrCat("from ", low, " to ", high, ", not ", value)};
}

StepFault LocalFault(const v1::Study& study) {
  const v1::Training& training = study.training();
  if (training.has_local_steps() && training.has_local_epochs()) {
    return {"training.local_steps",
            "left out where `training.local_epochs` is given: a round counts "
            "in one of them"};
  }
  if (!training.has_local_steps()) {
    StepFault fault =
        OutOf("training.local_epochs", training.local_epochs(), 1, 1000);
    return fault.field.empty()
               ? OutOf("training.batch_size", training.batch_size(), 1, 1024)
               : fault;
  }
  if (IsSegmentation(study)) {
    return {"training.local_steps",
            "left out with `task: segmentation`, whose batch normalisation "
            "learns from each site's own batch"};
  }
  StepFault fault =
      OutOf("training.local_steps", training.local_steps(), 1, 1000);
  return fault.field.empty() ? OutOf("training.batch_size",
                                     training.batch_size(), 1, kMaxCohortBatch)
                             : fault;
}

StepFault NormalizationFault(const v1::Study& study) {
  const int normalization = study.aggregation().normalization();
  if (normalization != v1::Aggregation::NORMALIZATION_NONE &&
      normalization != v1::Aggregation::NORMALIZATION_FEDNOVA) {
    return {"aggregation.normalization", "none or fednova"};
  }
  if (normalization == v1::Aggregation::NORMALIZATION_FEDNOVA &&
      HasLocalSteps(study)) {
    return {"aggregation.normalization",
            "none with `training.local_steps`: all sites make equally many "
            "steps"};
  }
  if (normalization == v1::Aggregation::NORMALIZATION_FEDNOVA &&
      study.model().batch_norm() == v1::Model::BATCH_NORM_AVERAGED) {
    return {"model.batch_norm",
            "frozen or local with `aggregation.normalization: fednova`: "
            "running statistics are no sums of gradients"};
  }
  return {};
}

StepFault KindFault(const Server& server) {
  if (server.kind() < Server::KIND_SGD || server.kind() > Server::KIND_ADAMW) {
    return {absl::StrCat(kServer, ".kind"),
            "sgd, adam, yogi, adagrad or adamw"};
  }
  const bool sgd = server.kind() == Server::KIND_SGD;
  if (!sgd && server.momentum() != 0) {
    return {absl::StrCat(kServer, ".momentum"),
            "given with `kind: sgd` only; the others have beta1"};
  }
  if (!sgd && server.kind() != Server::KIND_ADAMW &&
      server.weight_decay() != 0) {
    return {absl::StrCat(kServer, ".weight_decay"),
            "given with `kind: sgd` or `adamw` only"};
  }
  return {};
}

StepFault ScheduleFault(const v1::Study& study) {
  const v1::Schedule& schedule =
      study.aggregation().server_optimizer().schedule();
  const std::string field = absl::StrCat(kServer, ".schedule");
  if (schedule.kind() < v1::Schedule::KIND_CONSTANT ||
      schedule.kind() > v1::Schedule::KIND_STEP) {
    return {field + ".kind", "constant, cosine or step"};
  }
  if ((schedule.kind() == v1::Schedule::KIND_STEP) !=
      (schedule.step_rounds() > 0)) {
    return {field + ".step_rounds",
            "given (1 or more) with `kind: step`, and only so"};
  }
  for (const StepFault& fault :
       {OutOf(field + ".warmup_rounds", schedule.warmup_rounds(), 0,
              study.training().rounds()),
        OutOf(field + ".step_factor", schedule.step_factor(), 0, 1),
        OutOf(field + ".final_fraction", schedule.final_fraction(), 0, 1)}) {
    if (!fault.field.empty()) return fault;
  }
  return {};
}

StepFault ServerFault(const v1::Study& study) {
  if (!study.aggregation().has_server_optimizer()) return {};
  const Server& server = study.aggregation().server_optimizer();
  const auto named = [](absl::string_view name) {
    return absl::StrCat(kServer, ".", name);
  };
  for (const StepFault& fault :
       {KindFault(server),
        OutOf(named("learning_rate"), server.learning_rate(),
              server.kind() == Server::KIND_SGD ? 0.01 : 1e-5, 1000),
        OutOf(named("momentum"), server.momentum(), 0, 0.9999),
        OutOf(named("beta1"), server.beta1(), 0, 0.9999),
        OutOf(named("beta2"), server.beta2(), 0, 0.999999),
        OutOf(named("epsilon"), server.epsilon(), 1e-12, 1),
        OutOf(named("weight_decay"), server.weight_decay(), 0, 10),
        OutOf(named("clip"), server.clip(), 0, 1e6), ScheduleFault(study)}) {
    if (!fault.field.empty()) return fault;
  }
  // Otherwise a step could turn the weights round or stop them, and two sums
  // would be about one model.
  if (server.clip() > 0 && server.clip() < 1e-6) {
    return {named("clip"), "0 (none) or at least 1e-6"};
  }
  if (server.learning_rate() * server.weight_decay() >= 1) {
    return {named("weight_decay"), "under 1 / learning_rate"};
  }
  return {};
}

void FillServer(Server& server) {
  const bool sgd = server.kind() == Server::KIND_SGD;
  if (!server.has_learning_rate()) server.set_learning_rate(sgd ? 1 : 0.001);
  if (!server.has_beta1()) server.set_beta1(0.9);
  if (!server.has_beta2()) server.set_beta2(0.99);
  if (!server.has_epsilon()) server.set_epsilon(1e-6);
  v1::Schedule& schedule = *server.mutable_schedule();
  if (schedule.kind() == v1::Schedule::KIND_UNSPECIFIED) {
    schedule.set_kind(v1::Schedule::KIND_CONSTANT);
  }
  if (!schedule.has_step_factor()) schedule.set_step_factor(0.1);
}

}  // namespace

void FillStepDefaults(v1::Study& study) {
  v1::Training& training = *study.mutable_training();
  if (!training.has_local_epochs() && !training.has_local_steps()) {
    training.set_local_epochs(1);
  }
  if (study.aggregation().has_server_optimizer()) {
    FillServer(*study.mutable_aggregation()->mutable_server_optimizer());
  }
}

StepFault FindStepFault(const v1::Study& study) {
  for (const StepFault& fault :
       {LocalFault(study), NormalizationFault(study), ServerFault(study)}) {
    if (!fault.field.empty()) return fault;
  }
  return {};
}

bool HasFewSteps(const v1::Study& study, uint32_t minimum_steps) {
  return HasLocalSteps(study) && study.training().local_steps() < minimum_steps;
}

absl::Status CheckFewSteps(const v1::Study& study, const PolicyLimits& limits) {
  if (!HasLocalSteps(study) || limits.minimum_batch == 0 ||
      study.sites_size() == 1) {
    return absl::OkStatus();
  }
  const std::string few =
      absl::StrCat("training.local_steps is ", study.training().local_steps(),
                   ": a sum is nearly the gradient of a few batches");
  if (!IsSecure(study)) {
    return absl::FailedPreconditionError(absl::StrCat(
        few, ", which needs secure aggregation (three sites or more); give ",
        "aggregation.secure_aggregation: on, or training.local_epochs"));
  }
  if (study.training().batch_size() < limits.minimum_batch) {
    return absl::FailedPreconditionError(absl::StrCat(
        few, " of ", study.training().batch_size(), " cases; give ",
        "training.batch_size: ", limits.minimum_batch,
        " or more (policy.minimum_batch), or training.local_epochs"));
  }
  if (LeastSites(study) >= study.sites_size()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      few, ", and without a site it would be of fewer cases; give ",
      "aggregation.minimum_sites: ", study.sites_size(),
      " (all sites), or training.local_epochs"));
}

}  // namespace hilum
