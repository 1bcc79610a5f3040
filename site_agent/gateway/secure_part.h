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

// This site's part in secure sums, one sum at a time. Answers the steps that
// the coordinator shows. Remembers on disk the last round of a study in which
// it revealed shares, and the model and survivors of each such sum: two sums of
// one round, or about one model, that differ in one site would reveal that
// site's vector. A sum belongs to the round in which it began, and its revealed
// shares are noted under that round. Gives the same answer to the same
// question; refuses a step that is shown twice with differences, and then takes
// no further step of that sum. Not thread-safe.
class SecurePart {
 public:
  struct Options {
    SiteId site;
    const SiteCredentials* credentials;  // null: takes part in no sum
    SecureRng* rng;
    // The folder of HASH.revealed (SHA-256, message) and revealed.lists.
    std::string studies_dir;
  };

  // The question as this site understands it, and the conditions of its answer.
  struct Asked {
    SecAggContext context;
    std::string model_sha256;  // what the sum is about
    // A second subject, which sums of other studies may have too: the approved
    // starting weights, if the sum is the first one about them. Else empty.
    std::string start_sha256;
    // The officer accepts that the survivors of this sum differ in one or two
    // sites from the survivors of another study's sum about the same subject.
    bool may_differ = false;
    std::string checksum;  // RoundKeys.checksum
    // SHA-256 of the vector in its file; a file that has changed is not masked.
    // Empty: not compared, where no other program can write the file.
    std::string vector_sha256 = {};
    // Checks a roster whose signatures are valid and whose sites were all asked
    // alike; then the sites that are to be in the sum.
    std::function<absl::Status(const v1::Roster&)> check_roster =
        [](const v1::Roster&) { return absl::OkStatus(); };
    std::function<absl::Status(const std::set<SiteId>&)> check_survivors =
        [](const std::set<SiteId>&) { return absl::OkStatus(); };
  };

  // The objects that the options point to outlive this object.
  explicit SecurePart(Options options) : options_(std::move(options)) {}

  // Refuses all further steps of the current sum: it cannot be followed.
  void Leave(const absl::Status& why) { left_ = why; }

  // Checks whether this site may still give to the round. FAILED_PRECONDITION:
  // it has revealed shares in this round or in a later one. DATA_LOSS: its note
  // of revealed shares was changed. ABORTED: the note cannot be read.
  absl::Status CheckRound(const v1::Header& header) const;

  // Returns the answer to the task's step. The vector is in the file
  // `vector_path`; an answer that names the masked vector has written it to
  // `masked_path`. PERMISSION_DENIED: the coordinator is not to be trusted with
  // this study. RESOURCE_EXHAUSTED: disk full, ask again. ABORTED: its own
  // files failed. Other errors: this site cannot take part in the sum. After an
  // error other than RESOURCE_EXHAUSTED it answers each further step of the sum
  // with the same error.
  absl::StatusOr<v1::SubmitSecureStepRequest> Answer(
      const v1::Task& task, const Asked& asked, const std::string& vector_path,
      const std::string& masked_path);

 private:
  struct Answered {
    std::string shown_sha256;
    v1::SubmitSecureStepRequest said;
  };

  // Checks that this site can be asked for the step at all.
  absl::Status CheckAsked(const v1::Task& task,
                          const SecAggContext& context) const;
  std::string RevealedPath(const v1::Header& header) const;
  // Returns this site's last answer to an Unmask step of the study, if any.
  absl::StatusOr<std::optional<v1::RevealedOnce>> Revealed(
      const v1::Header& header) const;
  absl::Status Begin(const v1::Task& task, const Asked& asked);
  // Answers a step of the current sum, and remembers the answer.
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
  // Checks that all sums about one model have one list of survivors.
  absl::Status CheckOneList(const v1::Task& task, const Asked& asked,
                            const std::set<SiteId>& survivors) const;
  RevealedLists lists() const {
    return RevealedLists(options_.studies_dir + "/revealed.lists");
  }

  const Options options_;
  // The current sum.
  std::string sum_id_;
  v1::Header header_;
  std::string model_sha256_;           // the sum's model when it began
  std::vector<std::string> subjects_;  // the model, and the start
  std::set<SiteId> survivors_;         // confirmed by this site
  std::unique_ptr<SecAggClient> client_;
  std::map<int, Answered> answered_;  // by SecureStep::ShownCase
  // Made for the roster with the digest roster_sha256_, which is not checked
  // yet.
  std::optional<v1::SealedShares> to_share_;
  std::string roster_sha256_;
  // Made, but not on disk yet.
  std::optional<v1::RevealedShares> to_reveal_;
  absl::Status left_;  // why this site takes no further step of the sum
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SECURE_PART_H_
