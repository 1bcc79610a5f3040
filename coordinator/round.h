// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_ROUND_H_
#define HILUM_COORDINATOR_ROUND_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"

namespace hilum {

// Tracks which sites have answered one round, and whether it may close. One
// object is one round; no I/O, no clock: time comes with the calls. Preparation
// (census), training and evaluation are all such rounds. Life: Accept | Refuse
// | Exclude ..., StateAt, until it is not kOpen. Not thread-safe.
class Round {
 public:
  struct Options {
    uint32_t number;
    std::vector<SiteId> sites;  // who may answer
    uint32_t minimum_sites;
    absl::Time deadline;
  };

  enum class State {
    kOpen,
    kClosed,  // enough sites have answered
    kFailed,  // the quorum cannot be reached any more, or not in time
  };

  explicit Round(Options options);

  uint32_t number() const { return options_.number; }
  absl::Time deadline() const { return options_.deadline; }

  // Records the site's answer. A repeated call does no harm; an answer cancels
  // a refusal in the same round.
  void Accept(const SiteId& site);
  // Records that the site's answer was bad: the round no longer waits for it.
  void Refuse(const SiteId& site, std::string reason);
  // Admits a site that was away at the start, or refused.
  void Admit(const SiteId& site);

  bool Waits(const SiteId& site) const;  // neither accepted nor refused
  bool HasAnswer(const SiteId& site) const { return in_.contains(site); }
  const std::set<SiteId>& answered() const { return in_; }
  const std::map<SiteId, std::string>& refused() const { return refused_; }
  std::vector<SiteId> waiting() const;  // sorted

  // Closes the round when no site is waited for, or at the deadline, if at
  // least minimum_sites have answered; fails it with fewer.
  State StateAt(absl::Time now) const;

 private:
  Options options_;
  std::set<SiteId> sites_;
  std::set<SiteId> in_;
  std::map<SiteId, std::string> refused_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_ROUND_H_
