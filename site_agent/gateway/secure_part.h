// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SECURE_PART_H_
#define HILUM_SITE_AGENT_GATEWAY_SECURE_PART_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/crypto/secure_rng.h"
#include "common/secagg/client.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "site_agent/gateway/revealed_lists.h"

namespace hilum {

// This site's part in secure sums, one at a time: answers the steps that the
// coordinator shows it, and remembers on disk in which round of a study it has
// revealed shares, and of which model and survivors: two sums of one round, or
// about one model, that differ in a site would open that site's vector. A sum
// is of the round in which it began: what is revealed in it is noted under that
// one. What it was asked already it answers alike; asked otherwise it refuses,
// and takes no further step of that sum. Not thread-safe.
class SecurePart {
 public:
  struct Options {
    SiteId site;
    const SiteCredentials* credentials;  // null: takes part in no sum
    SecureRng* rng;
    // For HASH.revealed (SHA-256, message) and revealed.lists.
    std::string studies_dir;
  };

  // What this site takes itself to be asked, and what else must hold.
  struct Asked {
    SecAggContext context;
    std::string model_sha256;  // what the sum is about
    // What else of it other studies' sums may be about too: the approved
    // starting weights, where the sum is the first one about them.
    std::string start_sha256;
    // The officer accepts that this sum's survivors differ in one or two sites
    // from those of another study's sum about the same.
    bool may_differ = false;
    std::string checksum;  // RoundKeys.checksum
    // Of the vector in its file; a file that has changed is not masked. Empty:
    // not compared, where nobody else can write the file.
    std::string vector_sha256 = {};
    // Of a roster whose keys are signed and asked alike; then of the sites that
    // are to be in the sum.
    std::function<absl::Status(const v1::Roster&)> check_roster =
        [](const v1::Roster&) { return absl::OkStatus(); };
    std::function<absl::Status(const std::set<SiteId>&)> check_survivors =
        [](const std::set<SiteId>&) { return absl::OkStatus(); };
  };

  // What the options point to outlives this object.
  explicit SecurePart(Options options) : options_(std::move(options)) {}

  // Takes no further step of the sum at hand: it cannot be followed.
  void Leave(const absl::Status& why) { left_ = why; }

  // May this site still give to the round? FAILED_PRECONDITION: it has
  // revealed shares in this one or in a later one. DATA_LOSS, ABORTED: the
  // file that tells was changed, or cannot be read.
  absl::Status CheckRound(const v1::Header& header) const;

  // What the task's step is answered with. The vector is in the file
  // `vector_path`, and goes masked to `masked_path` where the answer names it.
  // PERMISSION_DENIED: the coordinator is not to be trusted with this study;
  // RESOURCE_EXHAUSTED: disk full, to be asked again; other errors, of its own
  // files ABORTED: this site leaves the sum. After one of these it stays with
  // it.
  absl::StatusOr<v1::SubmitSecureStepRequest> Answer(
      const v1::Task& task, const Asked& asked, const std::string& vector_path,
      const std::string& masked_path);

 private:
  struct Answered {
    std::string shown_sha256;
    v1::SubmitSecureStepRequest said;
  };

  // Can such a step be asked of this site at all?
  absl::Status CheckAsked(const v1::Task& task,
                          const SecAggContext& context) const;
  std::string RevealedPath(const v1::Header& header) const;
  // What this site said last in an Unmask of the study, if it ever did.
  absl::StatusOr<std::optional<v1::RevealedOnce>> Revealed(
      const v1::Header& header) const;
  absl::Status Begin(const v1::Task& task, const Asked& asked);
  // Of the sum at hand.
  absl::StatusOr<v1::SubmitSecureStepRequest> AnswerOnce(
      const v1::Task& task, const Asked& asked, const std::string& vector_path,
      const std::string& masked_path);
  absl::StatusOr<v1::SubmitSecureStepRequest> Take(
      const v1::Task& task, const Asked& asked, const std::string& vector_path,
      const std::string& masked_path);
  absl::StatusOr<v1::SubmitSecureStepRequest> Share(const v1::Task& task,
                                                    const Asked& asked);
  absl::StatusOr<v1::SubmitSecureStepRequest> Mask(
      const v1::Task& task, const Asked& asked, const std::string& vector_path,
      const std::string& masked_path);
  absl::StatusOr<v1::SubmitSecureStepRequest> Confirm(const v1::Task& task,
                                                      const Asked& asked);
  absl::StatusOr<v1::SubmitSecureStepRequest> Unmask(const v1::Task& task);
  // One model, one list of survivors, in all studies.
  absl::Status CheckOneList(const v1::Task& task, const Asked& asked,
                            const std::set<SiteId>& survivors) const;
  RevealedLists lists() const {
    return RevealedLists(options_.studies_dir + "/revealed.lists");
  }

  const Options options_;
  // The sum at hand.
  std::string sum_id_;
  v1::Header header_;
  std::string model_sha256_;           // what it is about, as it began
  std::vector<std::string> subjects_;  // the same, and the start
  std::set<SiteId> survivors_;         // that this site has confirmed
  std::unique_ptr<SecAggClient> client_;
  std::map<int, Answered> answered_;  // by SecureStep::ShownCase
  // Made for the roster of this SHA-256, which is not checked yet.
  std::optional<v1::SealedShares> to_share_;
  std::string roster_sha256_;
  // Made, but not yet on disk.
  std::optional<v1::RevealedShares> to_reveal_;
  absl::Status left_;  // why this site takes no further step of it
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SECURE_PART_H_
