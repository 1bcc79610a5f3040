// SPDX-License-Identifier: Apache-2.0
#include "coordinator/waiting_polls.h"

namespace hilum {
namespace {

v1::NextTaskResponse None() {
  v1::NextTaskResponse response;
  response.mutable_none();
  return response;
}

}  // namespace

WaitingPolls::WaitingPolls(Ask ask, OnNone on_none, Clock& clock)
    : ask_(std::move(ask)), on_none_(std::move(on_none)), clock_(clock) {
  thread_ = std::thread([this] { Loop(); });
}

WaitingPolls::~WaitingPolls() {
  Shutdown();
  thread_.join();
}

uint64_t WaitingPolls::Wait(const SiteId& site, v1::NextTaskRequest request,
                            absl::Duration wait, Done done) {
  const absl::Time until = clock_.Now() + wait;
  uint64_t wakes = 0;
  {
    absl::MutexLock lock(&mutex_);
    wakes = wakes_;
  }
  auto now = ask_(site, request);
  if (!now.ok() || now->has_value()) {
    done(now.ok() ? Answer(**std::move(now)) : Answer(now.status()));
    return 0;
  }
  if (wait <= absl::ZeroDuration()) {
    on_none_(site);
    done(None());
    return 0;
  }
  return Keep({.site = site,
               .request = std::make_shared<const v1::NextTaskRequest>(
                   std::move(request)),
               .until = until,
               .done = std::move(done)},
              wakes);
}

uint64_t WaitingPolls::Keep(Poll poll, uint64_t wakes) {
  std::vector<Poll> pushed_out;
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (!shutdown_) {
      pushed_out = MakeRoom(poll.site);
      id = next_id_++;
      const bool is_next =
          deadlines_.empty() || poll.until < deadlines_.begin()->first;
      deadlines_.insert({poll.until, id});
      sites_[poll.site].insert(id);
      // A wake may have been for this site, after the question for it.
      if (wakes_ != wakes) woken_.insert(poll.site);
      if (is_next || wakes_ != wakes) changed_.Signal();
      polls_.emplace(id, std::move(poll));
    }
  }
  for (Poll& out : pushed_out) out.done(None());
  if (id == 0) {
    // It was moved only where it has an id.
    // NOLINTNEXTLINE(bugprone-use-after-move)
    poll.done(absl::UnavailableError("coordinator shutting down"));
  }
  return id;
}

void WaitingPolls::Cancel(uint64_t id) {
  std::optional<Poll> poll;
  {
    absl::MutexLock lock(&mutex_);
    poll = Take(id);
  }
  if (poll.has_value()) poll->done(absl::CancelledError("the caller has gone"));
}

void WaitingPolls::Wake(const SiteId& site) {
  absl::MutexLock lock(&mutex_);
  ++wakes_;
  if (!sites_.contains(site)) return;
  woken_.insert(site);
  changed_.Signal();
}

void WaitingPolls::Shutdown() {
  std::map<uint64_t, Poll> polls;
  {
    absl::MutexLock lock(&mutex_);
    shutdown_ = true;
    polls.swap(polls_);
    sites_.clear();
    deadlines_.clear();
    woken_.clear();
    changed_.Signal();
  }
  for (auto& [id, poll] : polls) {
    poll.done(absl::UnavailableError("coordinator shutting down"));
  }
}

size_t WaitingPolls::size() const {
  absl::MutexLock lock(&mutex_);
  return polls_.size();
}

void WaitingPolls::Loop() {
  absl::MutexLock lock(&mutex_);
  while (!shutdown_) {
    if (!woken_.empty()) {
      const SiteId site = *woken_.begin();
      woken_.erase(woken_.begin());
      AskAgain(site);
      continue;
    }
    if (deadlines_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const absl::Duration left = deadlines_.begin()->first - clock_.Now();
    if (left > absl::ZeroDuration()) {
      changed_.WaitWithTimeout(&mutex_, left);
    } else {
      AnswerLate();
    }
  }
}

void WaitingPolls::AskAgain(const SiteId& site) {
  std::vector<std::pair<uint64_t, std::shared_ptr<const v1::NextTaskRequest>>>
      asked;
  auto own = sites_.find(site);
  if (own == sites_.end()) return;
  for (uint64_t id : own->second) {
    asked.emplace_back(id, polls_.at(id).request);
  }
  for (const auto& [id, request] : asked) {
    mutex_.Unlock();
    auto now = ask_(site, *request);
    mutex_.Lock();
    if (now.ok() && !now->has_value()) continue;
    std::optional<Poll> poll = Take(id);
    if (!poll.has_value()) continue;  // answered meanwhile
    mutex_.Unlock();
    poll->done(now.ok() ? Answer(**std::move(now)) : Answer(now.status()));
    mutex_.Lock();
  }
}

void WaitingPolls::AnswerLate() {
  std::optional<Poll> poll = Take(deadlines_.begin()->second);
  mutex_.Unlock();
  on_none_(poll->site);
  poll->done(None());
  mutex_.Lock();
}

std::optional<WaitingPolls::Poll> WaitingPolls::Take(uint64_t id) {
  auto found = polls_.find(id);
  if (found == polls_.end()) return std::nullopt;
  Poll poll = std::move(found->second);
  polls_.erase(found);
  deadlines_.erase({poll.until, id});
  auto site = sites_.find(poll.site);
  site->second.erase(id);
  if (site->second.empty()) sites_.erase(site);
  return poll;
}

std::vector<WaitingPolls::Poll> WaitingPolls::MakeRoom(const SiteId& site) {
  std::vector<Poll> out;
  auto own = sites_.find(site);
  if (own != sites_.end() && own->second.size() >= kPerSite) {
    out.push_back(*Take(*own->second.begin()));
  }
  if (polls_.size() >= kInAll) {
    out.push_back(*Take(polls_.begin()->first));
  }
  return out;
}

}  // namespace hilum
