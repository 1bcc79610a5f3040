// SPDX-License-Identifier: Apache-2.0
#include "coordinator/site_polls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr absl::Duration kLongestWait = absl::Minutes(5);
constexpr absl::Duration kBetweenIdleLines = absl::Hours(1);
constexpr size_t kIdleSites = 1000;  // most sites to remember

bool Contains(const google::protobuf::RepeatedPtrField<std::string>& hashes,
              const std::string& hash) {
  return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
}

void FillEnded(const ActiveStudy& study, const std::string* exclusion,
               v1::NextTaskResponse& response) {
  v1::StudyEnded& ended = *response.mutable_ended();
  *ended.mutable_header() = study.MakeHeader(study.machine().round());
  ended.set_completed(exclusion == nullptr &&
                      study.machine().phase() == v1::StudyStatus::COMPLETED);
  ended.set_reason(exclusion == nullptr ? study.machine().reason()
                                        : *exclusion);
}

}  // namespace

SitePolls::SitePolls(StudyBook& book)
    : book_(book),
      polls_(
          [this](const SiteId& site, const v1::NextTaskRequest& request) {
            return Ask(site, request);
          },
          [this](const SiteId& site) { OnIdle(site); }, book.clock()) {}

uint64_t SitePolls::Start(const SiteId& site,
                          const v1::NextTaskRequest& request,
                          FederationHandler::PollDone done) {
  absl::Status version = CheckSiteVersion(request.header());
  if (!version.ok()) {
    done(version);
    return 0;
  }
  const absl::Duration wait =
      std::min(absl::Milliseconds(request.wait_ms()), kLongestWait);
  return polls_.Wait(site, request, wait, std::move(done));
}

absl::StatusOr<std::optional<v1::NextTaskResponse>> SitePolls::Ask(
    const SiteId& site, const v1::NextTaskRequest& request) {
  absl::MutexLock lock(&book_.mutex());
  if (book_.is_shut_down())
    return absl::UnavailableError("coordinator shutting down");
  v1::NextTaskResponse response;
  for (const auto& study : book_.studies()) {
    if (study->HasSite(site) && Answer(*study, site, request, response)) {
      return response;
    }
  }
  return std::nullopt;
}

bool SitePolls::Answer(ActiveStudy& study, const SiteId& site,
                       const v1::NextTaskRequest& request,
                       v1::NextTaskResponse& response) {
  const std::string& hash = study.stored().hash;
  const std::string* exclusion = study.machine().ExclusionOf(site);
  const bool approved = Contains(request.approved_studies(), hash);
  const bool known = Contains(request.known_studies(), hash);
  if (Contains(request.refused_studies(), hash)) {
    if (!study.Ended() && exclusion == nullptr) {
      book_.Log(absl::StrCat("study ", study.study().name(), ": ", site.name(),
                             " declined"));
      study.machine().Exclude(site, "its officer declined the study");
      book_.Advance(study);
    }
    return false;
  }
  if (!approved) {
    if (known || study.Ended()) return false;
    response.mutable_offer()->set_study(study.stored().study);
    return true;
  }
  if (study.Ended() || exclusion != nullptr) {
    FillEnded(study, exclusion, response);
    return true;
  }
  v1::Task::Kind kind = study.machine().TaskFor(site);
  if (kind == v1::Task::KIND_UNSPECIFIED) return false;
  *response.mutable_task() = study.MakeTask(kind, site);
  return true;
}

void SitePolls::OnIdle(const SiteId& site) {
  absl::MutexLock lock(&book_.mutex());
  if (book_.studies().empty()) return;
  for (const auto& study : book_.studies()) {
    if (study->HasSite(site)) return;
  }
  if (idle_lines_.size() >= kIdleSites) idle_lines_.clear();
  const absl::Time now = book_.clock().Now();
  auto [line, is_first] = idle_lines_.try_emplace(site, now);
  if (!is_first && now < line->second + kBetweenIdleLines) return;
  line->second = now;
  book_.Log(
      absl::StrCat("site ", site.name(), " asked for work; no study names it"));
}

}  // namespace hilum
