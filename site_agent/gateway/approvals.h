// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_APPROVALS_H_
#define HILUM_SITE_AGENT_GATEWAY_APPROVALS_H_

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// The risks and weights that an officer has accepted together with a study.
struct Acceptance {
  std::set<std::string> risks;  // names, site_agent/gateway/risks.h
  std::string weights_sha256;   // raw, of starting weights; empty: none
};

// The officer's decisions, as files below the site's state folder, so that they
// can be made whether the site runs or not. studies/HASH.study is the study
// that was offered. approvals/HASH.approved or .refused is the decision; a
// refusal outweighs an approval. .approved has a line "accept NAME" for each
// accepted risk and a line "weights HEX"; both files have a line "by WHO".
// approvals/HASH.ended: the study is over.
// A study counts as offered only if its hash is in the index studies/offers,
// which PutOffer alone writes, and if the SHA-256 of the file's bytes is its
// name. A decision counts only if its study was offered. So the coordinator
// never learns a file name that somebody else put into these folders.
// PutOffer is called by one thread of one process; the other functions are
// thread-safe. Keeps nothing in memory. Hashes are raw, 32 bytes.
class Approvals {
 public:
  static absl::StatusOr<Approvals> Open(const std::string& state_dir);

  static constexpr uint64_t kMaxStudyBytes = 1 << 20;

  // DATA_LOSS: the bytes do not have the hash that they claim.
  // INVALID_ARGUMENT: over kMaxStudyBytes.
  absl::Status PutOffer(absl::string_view hash, absl::string_view study) const;
  // Returns the serialised study. NOT_FOUND: never offered here.
  absl::StatusOr<std::string> Offer(absl::string_view hash) const;
  std::set<std::string> Offered() const;
  // Counts the files in studies/ that look like offers, but were never offered
  // or have changed since.
  size_t Strangers() const;
  // The offers on which the officer has not decided.
  struct Waiting {
    size_t count = 0;
    uint64_t bytes = 0;
  };
  Waiting Undecided() const;
  std::set<std::string> Approved() const;  // and not refused, not ended
  std::set<std::string> Refused() const;   // and not ended
  // Includes studies that were refused or ended later: this site may have taken
  // part in them.
  std::set<std::string> EverApproved() const;
  bool HasEnded(absl::string_view hash) const;

  // `by`: who decides, for log and ledger. NOT_FOUND: never offered here.
  absl::Status Approve(absl::string_view hash, const Acceptance& accepted = {},
                       absl::string_view by = "") const;
  // Returns nothing accepted if the study is not approved, or if it was
  // approved by a release that asked for less.
  absl::StatusOr<Acceptance> Accepted(absl::string_view hash) const;
  absl::Status Refuse(absl::string_view hash, absl::string_view by = "") const;
  // Returns who made the decision, printable and at most 200 bytes. Empty: not
  // known; decisions of earlier releases have no name.
  std::string DecidedBy(absl::string_view hash, bool refused) const;
  absl::Status MarkEnded(absl::string_view hash) const;
  // Whether the ledger has the decision.
  bool IsRecorded(absl::string_view hash, bool refused) const;
  absl::Status MarkRecorded(absl::string_view hash, bool refused) const;

  const std::string& approvals_dir() const { return approvals_; }
  const std::string& studies_dir() const { return studies_; }

 private:
  Approvals(std::string studies, std::string approvals)
      : studies_(std::move(studies)), approvals_(std::move(approvals)) {}
  // Returns the hashes in the index, also of studies whose files are gone.
  std::set<std::string> Index() const;
  std::string StudyPath(absl::string_view hash) const;
  // Returns the hashes of the files in a folder that are named by a hash and
  // `suffix`.
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
