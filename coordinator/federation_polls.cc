// SPDX-License-Identifier: Apache-2.0
// Sites' polls for work.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "coordinator/federation_core.h"

namespace hilum {
namespace {

constexpr absl::Duration kLongestWait = absl::Minutes(5);
constexpr absl::Duration kBetweenIdleLines = absl::Hours(1);
constexpr size_t kIdleSites = 1000;  // most sites to remember

}  // namespace

absl::StatusOr<std::optional<v1::NextTaskResponse>> FederationCore::Ask(
    const SiteId& site, const v1::NextTaskRequest& request) {
  absl::MutexLock lock(&mutex_);
  if (shutdown_) return absl::UnavailableError("coordinator shutting down");
  v1::NextTaskResponse response;
  for (const auto& study : studies_) {
    if (study->HasSite(site) && Answer(*study, site, request, response)) {
      return response;
    }
  }
  return std::nullopt;
}

void FederationCore::OnIdle(const SiteId& site) {
  absl::MutexLock lock(&mutex_);
  if (studies_.empty()) return;
  for (const auto& study : studies_) {
    if (study->HasSite(site)) return;
  }
  if (idle_lines_.size() >= kIdleSites) idle_lines_.clear();
  const absl::Time now = clock_.Now();
  auto [line, is_first] = idle_lines_.try_emplace(site, now);
  if (!is_first && now < line->second + kBetweenIdleLines) return;
  line->second = now;
  options_.log(
      absl::StrCat("site ", site.name(), " asked for work; no study names it"));
}

void FederationCore::WakePolls(const ActiveStudy& study) {
  for (const std::string& site : study.study().sites()) {
    polls_.Wake(SiteId(site));
  }
}

uint64_t FederationCore::StartNextTask(const SiteId& site,
                                       const v1::NextTaskRequest& request,
                                       PollDone done) {
  absl::Status version = CheckVersion(request.header());
  if (!version.ok()) {
    done(version);
    return 0;
  }
  const absl::Duration wait =
      std::min(absl::Milliseconds(request.wait_ms()), kLongestWait);
  return polls_.Wait(site, request, wait, std::move(done));
}

void FederationCore::CancelPoll(uint64_t poll) { polls_.Cancel(poll); }

absl::StatusOr<v1::NextTaskResponse> FederationCore::NextTask(
    const SiteId& site, const v1::NextTaskRequest& request) {
  absl::Notification answered;
  absl::StatusOr<v1::NextTaskResponse> answer;
  StartNextTask(site, request, [&](absl::StatusOr<v1::NextTaskResponse> came) {
    answer = std::move(came);
    answered.Notify();
  });
  answered.WaitForNotification();
  return answer;
}

}  // namespace hilum
