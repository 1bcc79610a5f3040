// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_SUMS_AT_WORK_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_SUMS_AT_WORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hilum/v1/ledger.pb.h"
#include "tests/site_agent/gateway/honest_sum.h"
#include "tests/site_agent/gateway/published_sums.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {

// Returns the census of a site with FakeTrainer's cases.
v1::SubmitCensusRequest FakeCensus(const v1::Study& study);

// Masked sums of the site under test, "a", and three peers. Peers have
// FakeTrainer's cases and give zeros to the other sums, so these sums equal
// what the site gave. If the first attempt is not a census, a census in which
// "a" too has FakeTrainer's cases is made before it.
class SumsOfFour {
 public:
  using Step = HonestSum::Step;

  struct Attempt {
    v1::Task task;  // without its step, its model and its openings
    char id = 0;    // of the sum, 32 times
    // The first step that is not taken; then the next attempt follows.
    Step lost_in = Step::kDone;
    // The coordinator gets no shares of the peers in Unmask.
    bool unmask_is_lost = false;
    std::set<SiteId> lost_peers = {};  // give no vector
    bool without_site = false;         // the peers alone make the sum
  };

  // Gives out tasks after the coordinator's own. `site` outlives this object.
  SumsOfFour(std::string folder, SiteAtWork& site);

  std::deque<Attempt> attempts;
  // Changes what the site is shown.
  std::function<void(v1::Task&)> tamper = [](v1::Task&) {};
  // Changes a peer's census.
  std::function<void(const SiteId&, v1::SubmitCensusRequest&)> change_census =
      [](const SiteId&, v1::SubmitCensusRequest&) {};
  std::vector<std::vector<uint32_t>> read;  // the opened sums
  PublishedSums published;

  // Returns the task with the model and openings that the next attempt names.
  v1::Task Filled(v1::Task task);

 private:
  using Peers = std::map<SiteId, std::unique_ptr<SumSite>>;

  std::optional<v1::Task> NextTask();
  void Begin();
  SumSite NewPeer(const SiteId& site, v1::Task::Kind kind);
  // Makes a whole sum of these sites, without the site under test.
  void MakeSum(const v1::Task& task, const std::set<SiteId>& sites);
  // Returns the task's present step, as the site is shown it.
  v1::Task Asked(const SiteId& site) const;
  // Takes the answer of the site under test, then asks its peers.
  absl::Status On(const v1::SubmitSecureStepRequest& said);
  absl::Status AskPeer(const SiteId& site, SumSite& peer);
  void Publish();

  const std::string folder_;
  SiteAtWork& site_;
  Attempt attempt_;
  std::unique_ptr<HonestSum> sum_;
  Peers peers_;
  std::vector<uint32_t> upload_;
  int times_shown_ = 0;
};

// Returns a study of four sites with secure aggregation.
v1::Study StudyOfFour(bool pins_keys = false);

// A site at work on a small study with secure aggregation, in a folder named by
// the running test and `name`.
struct SecureSiteAtWork {
  explicit SecureSiteAtWork(const std::string& name = "",
                            const v1::Study& study = StudyOfFour());

  // Return a task of the kind's round, or of that round, without model and
  // openings.
  v1::Task MakeTask(v1::Task::Kind kind) const;
  v1::Task MakeTraining(uint32_t round) const;
  // Asks for the site's own census, which it gives before any census sum.
  void AskForCensus();

  std::vector<v1::LedgerEntry> Ledger() const;
  // Returns the details of the ledger's lines of that kind and, if given,
  // method.
  std::vector<std::string> Details(v1::LedgerEntry::Kind kind,
                                   const std::string& method = "") const;
  bool IsRefused() const;  // the study, for good
  bool HasRevealed() const;
  int VectorsGiven() const;

  const std::string folder;
  SiteAtWork site;
  SumsOfFour sums;
  std::string log;
};

// Expects that the site has sent only that it is unable, and the kind of the
// reason.
void ExpectOnlyUnableLeft(const ScriptedCoordinator& coordinator);

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_SUMS_AT_WORK_H_
