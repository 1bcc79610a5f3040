// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_SUMS_AT_WORK_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_SUMS_AT_WORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hilum/v1/ledger.pb.h"
#include "tests/site_agent/gateway/honest_sum.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {

// Masked sums of the site under test, "a", and of three peers, whose vectors
// are zeros: the sum is what the site gave.
class SumsOfFour {
 public:
  using Step = HonestSum::Step;

  struct Attempt {
    v1::Task task;  // without its step
    char id = 0;    // of the sum, 32 times
    // The first step that is not taken any more; the next attempt follows.
    Step lost_in = Step::kDone;
  };

  // Gives out tasks once the coordinator's own are done. The coordinator
  // outlives this object.
  SumsOfFour(std::string folder, ScriptedCoordinator& coordinator);

  std::deque<Attempt> attempts;
  // Changes what the site is shown.
  std::function<void(v1::Task&)> tamper = [](v1::Task&) {};
  std::vector<std::vector<uint32_t>> read;  // the sums that came about

 private:
  std::optional<v1::Task> NextTask();
  void Begin();
  // The task's present step, as the site is shown it.
  v1::Task Asked(const SiteId& site) const;
  // The answer of the site under test; then come those of its peers.
  absl::Status On(const v1::SubmitSecureStepRequest& said);
  absl::Status AskPeer(const SiteId& site, SumSite& peer);
  void Read();

  const std::string folder_;
  ScriptedCoordinator& coordinator_;
  Attempt attempt_;
  std::unique_ptr<HonestSum> sum_;
  std::map<SiteId, std::unique_ptr<SumSite>> peers_;
  std::vector<uint32_t> upload_;
  int times_shown_ = 0;
};

// A site at work on a small study with secure aggregation, in a folder that is
// of the running test and `name`.
struct SecureSiteAtWork {
  explicit SecureSiteAtWork(const std::string& name = "");

  // Of its kind's round.
  v1::Task MakeTask(v1::Task::Kind kind) const;
  // Asks for the site's own census, before which it gives none to a sum.
  void AskForCensus();

  std::vector<v1::LedgerEntry> Ledger() const;
  // Of the ledger's lines of that kind, and of the method where it is given.
  std::vector<std::string> Details(v1::LedgerEntry::Kind kind,
                                   const std::string& method = "") const;
  bool IsRefused() const;  // the study, for good
  bool HasRevealed() const;

  const std::string folder;
  SiteAtWork site;
  SumsOfFour sums;
  std::string log;
};

// That it cannot work on the study, and nothing of why.
void ExpectOnlyUnableLeft(const ScriptedCoordinator& coordinator);

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_SUMS_AT_WORK_H_
