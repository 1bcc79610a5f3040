// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_STUDY_FOLLOWER_H_
#define HILUM_SITE_AGENT_GATEWAY_STUDY_FOLLOWER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aggregation/ring.h"
#include "common/base/ids.h"
#include "common/model/architecture.h"
#include "common/secagg/chain.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/gateway/blob_cache.h"
#include "site_agent/gateway/blob_transfer.h"

namespace hilum {

// Follows one study from its approved starting weights: splits these, and with
// secure aggregation works out the cohort's census and each next model from the
// sums that the coordinator opens. Nothing of it is taken on the coordinator's
// word, but by a site that was away: that one takes the state after the last
// sum as told, and its question is then compared with the others' in the
// roster. What it knows is on disk (STATE/studies/HASH.chain) before anything
// that depends on it leaves.
// A site that lost its copy of the model that a sum began from works no further
// in the study, as nothing may be taken as told by a site that was in the sum.
// Life: Start, then for each task Follow, and for each roster CheckRoster.
// Errors: PERMISSION_DENIED: the coordinator shows something that does not
// follow; the study is to be refused. Others: of files, and as of
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
    // Are its sites' keys the pinned ones, and its survivors enough of those
    // whom this site's policy trusts?
    std::function<absl::Status(const v1::SumOpening&)> check_opening =
        [](const v1::SumOpening&) { return absl::OkStatus(); };
    // Tells the egress gate of a blob that this site is about to ask for.
    std::function<void(const v1::BlobRef&)> announce = [](const v1::BlobRef&) {
    };
  };

  // What the options point to outlives this object.
  explicit StudyFollower(Options options) : options_(std::move(options)) {}

  // Fetches the starting weights where they are not here, compares their
  // SHA-256 to the approved study's and splits them. PERMISSION_DENIED: they
  // are others, or not finite.
  absl::Status Start(const v1::Header& header);

  // Catches up with the sums that the task follows from. `masked_path`: what
  // this site gave to the last one, where that is still here.
  absl::Status Follow(const v1::Task& task, const std::string& masked_path);

  // Checks by the checksums in the keys of the next sum that the last one is
  // the sum of what its survivors sent. FAILED_PRECONDITION: that cannot be
  // told, as a vector is not to be had.
  absl::Status CheckRoster(const v1::Header& header, const v1::Roster& roster);

  // What this site is asked by a task.
  SecAggContext ContextOf(const v1::Task& task) const;
  const v1::StudyChain& chain() const { return state_.chain(); }
  // Of the travelling starting weights; empty before Start.
  const std::string& start_sha256() const { return state_.start().sha256(); }
  // Not there before the first Follow.
  bool HasCohort() const { return state_.has_cohort(); }
  const v1::CensusTotals& cohort() const { return state_.cohort(); }
  const std::string& checksum() const { return state_.checksum(); }

  // Paths of the frozen parameters (empty: none) and of the model that a task
  // of this kind is about, fetched where they are not here.
  absl::StatusOr<std::string> FrozenPath(const v1::Header& header);
  absl::StatusOr<std::string> ModelPath(const v1::Header& header,
                                        v1::Task::Kind kind);
  // Returns what is to stay in the cache.
  std::vector<v1::BlobRef> Needed() const;
  // Returns the same of a study that this process has not opened, whose state
  // is in this file; nothing where there is none, or it cannot be read.
  static std::vector<v1::BlobRef> NeededBy(const std::string& state_path);

 private:
  absl::Status Load();
  absl::Status Save();
  absl::Status FetchStart(const v1::Header& header);
  absl::StatusOr<std::string> Fetch(const v1::Header& header,
                                    const v1::BlobRef& blob) const;
  v1::BlobRef ModelRef(const std::string& sha256) const;
  SecAggContext ContextOf(const v1::SumOpening& opening) const;
  absl::StatusOr<v1::SumOpening> FetchOpening(const v1::Header& header,
                                              const v1::BlobRef& blob);
  absl::StatusOr<std::string> FetchSum(const v1::Header& header,
                                       const v1::SumOpening& opening,
                                       int64_t size);
  absl::Status ReadCensus(const v1::Task& task);
  absl::Status CatchUp(const v1::Task& task, const std::string& masked_path);
  absl::Status FollowLast(const v1::Task& task);
  // Whether this site is among the sum's survivors.
  bool IsIn(const v1::SumOpening& opening) const;
  absl::Status JumpTo(const v1::SumOpening& opening);
  // What is told of the state after a sum fits what is known of that sum.
  absl::Status CheckTold(const v1::SumOpening& opening) const;
  absl::Status CheckIsOf(const v1::StudyChain& state,
                         const v1::SumOpening& opening) const;
  absl::Status Advance(const v1::Header& header, const v1::SumOpening& opening);
  absl::Status NoteOwnVector(const v1::SumOpening& opening,
                             const std::string& masked_path);
  int64_t SizeOf(const v1::SumOpening& opening) const;  // of its vectors
  absl::StatusOr<std::string> StatementOf(const v1::SumOpening& opening) const;

  const Options options_;
  bool loaded_ = false;
  v1::FollowedStudy state_;
  // The last sum, while it is not checked.
  std::optional<v1::SumOpening> unchecked_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_STUDY_FOLLOWER_H_
