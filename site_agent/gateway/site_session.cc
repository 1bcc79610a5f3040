// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_session.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/step_rules.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/egress_limits.h"

namespace hilum {
namespace {

constexpr uint32_t kDefaultMinimumCases = 8;
constexpr uint32_t kWaitMs = 30000;

absl::Status CheckVersion(const v1::Header& header) {
  if (header.protocol_version() == kProtocolVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the coordinator speaks protocol ", header.protocol_version(),
      ", this site ", kProtocolVersion, "; install the same release on both"));
}

}  // namespace

v1::NextTaskRequest SiteSession::Poll(
    const std::set<std::string>& offered, const std::set<std::string>& approved,
    const std::set<std::string>& refused) const {
  v1::NextTaskRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  // Tells of no more studies than the gate allows, those that are worked on
  // first.
  auto tell = [](auto* list, const std::string& hash) {
    if (list->size() < kMaxStudiesTold) list->Add(std::string(hash));
  };
  auto* told_approved = request.mutable_approved_studies();
  auto* told_known = request.mutable_known_studies();
  for (const std::string& hash : approved) {
    tell(unusable_.contains(hash) ? told_known : told_approved, hash);
  }
  for (const std::string& hash : refused) {
    tell(request.mutable_refused_studies(), hash);
  }
  for (const std::string& hash : offered) {
    if (approved.contains(hash) || refused.contains(hash)) continue;
    tell(told_known, hash);
  }
  request.set_wait_ms(kWaitMs);
  request.set_software_version(std::string(SoftwareVersion()));
  return request;
}

absl::StatusOr<SiteSession::Action> SiteSession::OnAnswer(
    const v1::NextTaskResponse& answer, const std::set<std::string>& approved) {
  Action action;
  if (answer.has_offer()) {
    action.what = Do::kStoreOffer;
    action.study = answer.offer().study();
    action.study_hash = Sha256Of(action.study);
    return action;
  }
  if (answer.has_ended()) {
    action.what = Do::kEnd;
    action.study_hash = answer.ended().header().study_hash();
    action.completed = answer.ended().completed();
    action.reason = answer.ended().reason();
    return action;
  }
  if (!answer.has_task()) return action;
  action.task = answer.task();
  HILUM_RETURN_IF_ERROR(CheckVersion(action.task.header()));
  action.study_hash = action.task.header().study_hash();
  if (!approved.contains(action.study_hash)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "the coordinator sent a task of study ", ToHex(action.study_hash),
        ", which this site's officer has not approved; ignored"));
  }
  action.needs_prepare = !IsPrepared(action.study_hash);
  switch (action.task.kind()) {
    case v1::Task::PREPARE:
      action.what = Do::kPrepare;
      return action;
    case v1::Task::TRAIN:
      action.what = Do::kTrain;
      return action;
    case v1::Task::EVALUATE:
      action.what = Do::kEvaluate;
      return action;
    default:
      return absl::FailedPreconditionError(
          "the coordinator sent a task that this release does not know");
  }
}

absl::Status SiteSession::CheckPolicy(const v1::Study& study) const {
  const std::string& wanted = study.model().architecture();
  const auto& allowed = policy_.architectures();
  if (!allowed.empty() &&
      std::find(allowed.begin(), allowed.end(), wanted) == allowed.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("policy.architectures does not list ", wanted));
  }
  HILUM_RETURN_IF_ERROR(CheckFewSteps(study, LimitsOf(policy_)));
  if (IsSecure(study)) return CheckSurvivors(study);
  if (!policy_.require_secure_aggregation()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the study has no secure aggregation; "
      "policy.require_secure_aggregation is true");
}

// Compares the policy with the number of sites that every step of a sum keeps
// to: the other sites could do without a site that asks for more.
absl::Status SiteSession::CheckSurvivors(const v1::Study& study) const {
  const auto least = static_cast<uint32_t>(LeastSites(study));
  if (policy_.minimum_survivors() <= least) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("policy.minimum_survivors is ", policy_.minimum_survivors(),
                   "; in this study a sum may contain only ", least, " of ",
                   study.sites_size(), " sites"));
}

absl::Status SiteSession::CheckCases(
    const std::vector<uint64_t>& cases_per_arm) const {
  uint32_t minimum = policy_.minimum_cases() > 0 ? policy_.minimum_cases()
                                                 : kDefaultMinimumCases;
  uint64_t most = 0;
  for (uint64_t cases : cases_per_arm) most = std::max(most, cases);
  if (most >= minimum) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "only ", most, " usable cases; policy.minimum_cases is ", minimum));
}

}  // namespace hilum
