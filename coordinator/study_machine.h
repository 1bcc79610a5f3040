// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STUDY_MACHINE_H_
#define HILUM_COORDINATOR_STUDY_MACHINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "coordinator/round.h"
#include "hilum/v1/admin.pb.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The life of one study, without I/O: round 0 prepares (census), rounds
// 1 .. R train, round R + 1 evaluates. What sites send and what time it is go
// in; what each site should do, and what the owner should do, come out.
// All sites of a training round know the same cohort, from which their weights
// follow: a site whose first census comes while one is open is in from the next
// round on.
// Life: Accept* | Refuse* | Next, and after kAggregate Committed; until
// phase() is COMPLETED or STOPPED. Not thread-safe.
class StudyMachine {
 public:
  using Phase = v1::StudyStatus::Phase;

  // What the owner must do after a call.
  enum class Command {
    kNone,
    kAggregate,  // then Committed()
    kEnded,      // the study has just completed or stopped
  };

  // Where a study stands when its process starts: all from storage.
  struct Progress {
    uint32_t committed_rounds = 0;
    std::set<SiteId> census;
    std::set<SiteId> withdrawn;  // among those with a census
    std::set<SiteId> joining;    // likewise: in from the round after this one
    std::set<SiteId> updates;    // of the round after the last committed one
    std::set<SiteId> evaluations;
    bool prepared = false;  // round 0 has closed
  };

  StudyMachine(const v1::Study& study, const Progress& progress,
               absl::Time now);

  Phase phase() const { return phase_; }
  uint32_t round() const { return round_.number(); }
  const std::string& reason() const { return reason_; }
  absl::Time deadline() const { return round_.deadline(); }
  std::vector<SiteId> waiting() const { return round_.waiting(); }
  const std::set<SiteId>& answered() const { return round_.answered(); }

  // Its census is in, and it is neither withdrawn nor excluded.
  bool IsPrepared(const SiteId& site) const;

  // KIND_UNSPECIFIED: wait.
  v1::Task::Kind TaskFor(const SiteId& site) const;

  // Is an answer of this kind and round welcome? FAILED_PRECONDITION: the
  // round is over or not yet open. PERMISSION_DENIED: not of the cohort, or
  // out of the study.
  absl::Status Check(const SiteId& site, v1::Task::Kind kind,
                     uint32_t round) const;

  // After Check. The answer is stored.
  void Accept(const SiteId& site);
  // The answer was bad: the site is out of this round only.
  void Refuse(const SiteId& site, std::string reason);
  // The site cannot work on the study: no round waits for it until its census
  // comes (again).
  void Withdraw(const SiteId& site);
  // The site is out of the study: it declined, or trains another network.
  void Exclude(const SiteId& site, std::string reason);
  void Stop(std::string reason);
  void Complete() { phase_ = v1::StudyStatus::COMPLETED; }  // was, when stored
  // Why the site is out of the study; null: it is not.
  const std::string* ExclusionOf(const SiteId& site) const;

  // Moves on as far as answers and time allow.
  Command Next(absl::Time now);
  // The aggregate of the closed round is stored.
  void Committed(absl::Time now);

 private:
  Round MakeRound(uint32_t number, absl::Time now) const;
  Command CloseRound(absl::Time now);
  std::vector<SiteId> WithCensus() const;

  v1::Study study_;
  std::set<SiteId> census_;
  std::set<SiteId> withdrawn_;
  std::set<SiteId> joining_;
  std::map<SiteId, std::string> excluded_;
  Round round_;
  Phase phase_;
  bool aggregating_ = false;
  std::string reason_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_MACHINE_H_
