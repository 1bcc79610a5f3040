// SPDX-License-Identifier: Apache-2.0
#include "coordinator/round.h"

#include <utility>

namespace hilum {

Round::Round(Options options)
    : options_(std::move(options)),
      sites_(options_.sites.begin(), options_.sites.end()) {}

void Round::Accept(const SiteId& site) {
  if (!sites_.contains(site)) return;
  refused_.erase(site);
  in_.insert(site);
}

void Round::Refuse(const SiteId& site, std::string reason) {
  if (!sites_.contains(site)) return;
  in_.erase(site);
  refused_[site] = std::move(reason);
}

void Round::Admit(const SiteId& site) {
  refused_.erase(site);
  sites_.insert(site);
}

bool Round::Waits(const SiteId& site) const {
  return sites_.contains(site) && !in_.contains(site) &&
         !refused_.contains(site);
}

std::vector<SiteId> Round::waiting() const {
  std::vector<SiteId> waiting;
  for (const SiteId& site : sites_) {
    if (Waits(site)) waiting.push_back(site);
  }
  return waiting;
}

Round::State Round::StateAt(absl::Time now) const {
  if (in_.size() + refused_.size() < sites_.size() && now < options_.deadline) {
    return State::kOpen;
  }
  return in_.size() >= options_.minimum_sites ? State::kClosed : State::kFailed;
}

}  // namespace hilum
