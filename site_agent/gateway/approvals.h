// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_APPROVALS_H_
#define HILUM_SITE_AGENT_GATEWAY_APPROVALS_H_

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// What an officer has said yes to with a study, beyond the study.
struct Acceptance {
  std::set<std::string> risks;  // names, site_agent/gateway/risks.h
  std::string weights_sha256;   // raw, of starting weights; empty: none
};

// The officer's decisions, as files below the site's state folder, so that
// they can be made while the site runs or not: studies/HASH.study is what was
// offered, approvals/HASH.approved or .refused what was decided (a refusal
// outweighs; .approved has a line "accept NAME" for each risk accepted, and
// "weights HEX"), approvals/HASH.ended that the study is over. Thread-safe;
// keeps nothing in memory. Hashes are raw, 32 bytes.
class Approvals {
 public:
  static absl::StatusOr<Approvals> Open(std::string state_dir);

  // DATA_LOSS: the bytes do not have the hash that they claim.
  absl::Status PutOffer(absl::string_view hash, absl::string_view study) const;
  // The serialised study. NOT_FOUND: never offered here.
  absl::StatusOr<std::string> Offer(absl::string_view hash) const;
  std::set<std::string> Offered() const;
  std::set<std::string> Approved() const;  // and not refused, not ended
  std::set<std::string> Refused() const;   // and not ended
  // Whatever became of them later: this site may have taken part in them.
  std::set<std::string> EverApproved() const;
  bool HasEnded(absl::string_view hash) const;

  // NOT_FOUND: never offered here.
  absl::Status Approve(absl::string_view hash,
                       const Acceptance& accepted = {}) const;
  // Nothing accepted where the study is not approved, or was by a release that
  // asked for less.
  absl::StatusOr<Acceptance> Accepted(absl::string_view hash) const;
  absl::Status Refuse(absl::string_view hash) const;
  absl::Status MarkEnded(absl::string_view hash) const;
  // That a decision stands in the ledger.
  bool IsRecorded(absl::string_view hash, bool refused) const;
  absl::Status MarkRecorded(absl::string_view hash, bool refused) const;

  const std::string& approvals_dir() const { return approvals_; }
  const std::string& studies_dir() const { return studies_; }

 private:
  Approvals(std::string studies, std::string approvals)
      : studies_(std::move(studies)), approvals_(std::move(approvals)) {}
  std::set<std::string> List(const std::string& directory,
                             absl::string_view suffix) const;
  absl::Status Mark(absl::string_view hash, absl::string_view suffix,
                    absl::string_view content = "") const;
  std::string MarkPath(absl::string_view hash, absl::string_view suffix) const;

  std::string studies_;
  std::string approvals_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_APPROVALS_H_
