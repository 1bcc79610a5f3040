// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_STUDY_FOLLOWER_H_
#define HILUM_SITE_AGENT_GATEWAY_STUDY_FOLLOWER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aggregation/chosen_models.h"
#include "common/aggregation/ring.h"
#include "common/base/ids.h"
#include "common/model/architecture.h"
#include "common/secagg/chain.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "common/secagg/vector_checksum.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/gateway/blob_cache.h"
#include "site_agent/gateway/blob_transfer.h"

namespace hilum {

// Follows one study from its approved starting weights: splits these and, with
// secure aggregation, works out the cohort's census and each next model from
// the sums that the coordinator opens. Takes nothing on the coordinator's word,
// with one exception: a site that was away takes the state after the last sum
// as told, and the roster then shows whether the other sites were asked the
// same question. Writes its state to disk (STATE/studies/HASH.chain) before any
// message that depends on it leaves.
// A site that was in a sum takes nothing as told. If it has lost its copy of
// the model that the sum began from, it stops working in the study.
// Life: Start, then Follow for each task, and CheckRoster for each roster.
// Errors: PERMISSION_DENIED: the coordinator shows something that does not
// follow; refuse the study. Others: errors of files, and of
// BlobTransfer::Fetch. Not thread-safe.
class StudyFollower {
 public:
  struct Options {
    std::string study_hash;  // 32 raw bytes
    v1::Study study;
    ParameterLayout parameters;
    VectorLayout layout;
    SiteId site;
    const SiteCredentials* credentials;  // null: no study with secure sums
    const BlobCache* blobs;
    const BlobTransfer* transfer;
    std::string state_path;
    // Checks that the opening's sites have the pinned keys, and that enough of
    // its survivors are trusted by this site's policy.
    std::function<absl::Status(const v1::SumOpening&)> check_opening =
        [](const v1::SumOpening&) { return absl::OkStatus(); };
    // Announces to the egress gate a blob that this site is about to ask for.
    std::function<void(const v1::BlobRef&)> announce = [](const v1::BlobRef&) {
    };
  };

  // The objects that the options point to outlive this object.
  explicit StudyFollower(Options options) : options_(std::move(options)) {}

  // Fetches the starting weights if they are not here, compares their SHA-256
  // with the approved study's and splits them. PERMISSION_DENIED: they differ,
  // or are not finite.
  absl::Status Start(const v1::Header& header);

  // Catches up with the sums that the task follows from. `masked_path`: the
  // vector that this site gave to the last sum, if it is still here.
  // `masked_sha256`: its digest; empty: not known, so that Follow hashes it.
  absl::Status Follow(const v1::Task& task, const std::string& masked_path,
                      const std::string& masked_sha256 = {});

  // Checks that the last sum is the sum of the vectors that its survivors sent,
  // by the checksums in the keys for the next sum. FAILED_PRECONDITION: this
  // cannot be checked, since a vector is not available.
  absl::Status CheckRoster(const v1::Header& header, const v1::Roster& roster);

  // Returns the question of a task as this site understands it.
  SecAggContext ContextOf(const v1::Task& task) const;
  const v1::StudyChain& chain() const { return state_.chain(); }
  // Returns the digest of the travelling starting weights; empty before Start.
  const std::string& start_sha256() const { return state_.start().sha256(); }
  // Returns false before the first Follow.
  bool HasCohort() const { return state_.has_cohort(); }
  const v1::CensusTotals& cohort() const { return state_.cohort(); }
  const std::string& checksum() const { return state_.checksum(); }

  // Return the path of the frozen parameters (empty: none), and of the model
  // that a task of this kind is about, fetched if it is not here; for a
  // training round with the state of the server's optimiser.
  absl::StatusOr<std::string> FrozenPath(const v1::Header& header);
  absl::StatusOr<std::string> ModelPath(const v1::Header& header,
                                        v1::Task::Kind kind);
  // Returns the blobs that the cache must keep.
  std::vector<v1::BlobRef> Needed() const;
  // Returns the blobs that the cache must keep for a study that this process
  // has not opened, from its state file; none if the file is absent or
  // unreadable.
  static std::vector<v1::BlobRef> NeededBy(const std::string& state_path);

 private:
  absl::Status Load();
  absl::Status Save();
  absl::Status FetchStart(const v1::Header& header);
  absl::StatusOr<std::string> Fetch(const v1::Header& header,
                                    const v1::BlobRef& blob) const;
  v1::BlobRef ModelRef(const std::string& sha256) const;
  void TakeChain(const v1::StudyChain& chain);
  // Fetches the model and the optimiser's state that a sum began from.
  struct Before {
    std::string model;
    std::string optimizer;  // empty: there is none yet
  };
  absl::StatusOr<Before> FetchBefore(const v1::Header& header) const;
  SecAggContext ContextOf(const v1::SumOpening& opening) const;
  absl::StatusOr<v1::SumOpening> FetchOpening(const v1::Header& header,
                                              const v1::BlobRef& blob);
  absl::StatusOr<std::string> FetchSum(const v1::Header& header,
                                       const v1::SumOpening& opening,
                                       int64_t size);
  absl::Status ReadCensus(const v1::Task& task);
  absl::Status CatchUp(const v1::Task& task, const std::string& masked_path,
                       const std::string& masked_sha256);
  absl::Status FollowLast(const v1::Task& task);
  // Whether this site is among the sum's survivors.
  bool IsIn(const v1::SumOpening& opening) const;
  absl::Status JumpTo(const v1::SumOpening& opening);
  // Checks that the told state after a sum fits what is known of that sum.
  absl::Status CheckTold(const v1::SumOpening& opening) const;
  absl::Status CheckIsOf(const v1::StudyChain& state,
                         const v1::SumOpening& opening) const;
  absl::Status Advance(const v1::Header& header, const v1::SumOpening& opening);
  // A blob that follows from a sum; with an empty path it is one of before.
  struct Followed {
    std::string sha256;
    std::string path;
  };
  // Returns the chosen models after the round; no digest: no track was tried.
  // `before` and `after`: the models with which the round began and ended.
  absl::StatusOr<Followed> Chosen(const v1::Header& header,
                                  const RoundChoice& round,
                                  const std::string& before,
                                  const Followed& after) const;
  // Takes the state after the sum as told if this site was not in it.
  // FAILED_PRECONDITION: it was, and cannot check the next model without
  // `what`.
  absl::Status GoOnWithout(absl::string_view what,
                           const v1::SumOpening& opening);
  absl::Status NoteOwnVector(const v1::SumOpening& opening,
                             const std::string& masked_path,
                             const std::string& masked_sha256);
  int64_t SizeOf(const v1::SumOpening& opening) const;  // of its vectors
  absl::StatusOr<std::string> StatementOf(const v1::SumOpening& opening) const;

  // The last sum, until it is checked.
  struct Unchecked {
    v1::SumOpening opening;
    // The published sum's, if it was read for the next model.
    std::optional<VectorChecksum> checksum = std::nullopt;
  };
  // Returns the checksum of the last published sum.
  absl::StatusOr<VectorChecksum> ChecksumOfLast(const v1::Header& header,
                                                const Unchecked& last);

  const Options options_;
  bool loaded_ = false;
  v1::FollowedStudy state_;
  std::optional<Unchecked> unchecked_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_STUDY_FOLLOWER_H_
