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
// "weights HEX"; both have "by WHO"), approvals/HASH.ended that the study is
// over.
// A file name alone says nothing: a study counts as offered only where it is in
// the index studies/offers, which PutOffer alone writes, and where the SHA-256
// of its bytes is its name. A decision counts only of such a study. So no name
// that somebody else wrote into these folders reaches the coordinator.
// PutOffer is called by one thread of one process; the rest is thread-safe.
// Keeps nothing in memory. Hashes are raw, 32 bytes.
class Approvals {
 public:
  static absl::StatusOr<Approvals> Open(std::string state_dir);

  static constexpr uint64_t kMaxStudyBytes = 1 << 20;

  // DATA_LOSS: the bytes do not have the hash that they claim.
  // INVALID_ARGUMENT: over kMaxStudyBytes.
  absl::Status PutOffer(absl::string_view hash, absl::string_view study) const;
  // The serialised study. NOT_FOUND: never offered here.
  absl::StatusOr<std::string> Offer(absl::string_view hash) const;
  std::set<std::string> Offered() const;
  // How many files lie in studies/ as if they had been offered, and were not,
  // or were changed since.
  size_t Strangers() const;
  // Offers on which the officer has not decided.
  struct Waiting {
    size_t count = 0;
    uint64_t bytes = 0;
  };
  Waiting Undecided() const;
  std::set<std::string> Approved() const;  // and not refused, not ended
  std::set<std::string> Refused() const;   // and not ended
  // Whatever became of them later: this site may have taken part in them.
  std::set<std::string> EverApproved() const;
  bool HasEnded(absl::string_view hash) const;

  // `by`: who decides, for log and ledger. NOT_FOUND: never offered here.
  absl::Status Approve(absl::string_view hash, const Acceptance& accepted = {},
                       absl::string_view by = "") const;
  // Nothing accepted where the study is not approved, or was by a release that
  // asked for less.
  absl::StatusOr<Acceptance> Accepted(absl::string_view hash) const;
  absl::Status Refuse(absl::string_view hash, absl::string_view by = "") const;
  // Who made the decision, printable and of 200 bytes at most; empty: it is not
  // known, as decisions of earlier releases have no name.
  std::string DecidedBy(absl::string_view hash, bool refused) const;
  absl::Status MarkEnded(absl::string_view hash) const;
  // That a decision stands in the ledger.
  bool IsRecorded(absl::string_view hash, bool refused) const;
  absl::Status MarkRecorded(absl::string_view hash, bool refused) const;

  const std::string& approvals_dir() const { return approvals_; }
  const std::string& studies_dir() const { return studies_; }

 private:
  Approvals(std::string studies, std::string approvals)
      : studies_(std::move(studies)), approvals_(std::move(approvals)) {}
  // What the index says was offered here, whatever became of the files.
  std::set<std::string> Index() const;
  std::string StudyPath(absl::string_view hash) const;
  // The files of a folder whose name is a hash and `suffix`.
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
