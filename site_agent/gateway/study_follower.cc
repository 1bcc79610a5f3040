// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/statistics_vector.h"
#include "common/aggregation/sum_file.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/track_choice.h"
#include "common/crypto/sha256.h"
#include "common/model/split_file.h"
#include "common/secagg/mask.h"
#include "common/secagg/opening.h"
#include "common/secagg/vector_checksum.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxOpeningBytes = 64 << 20;
constexpr size_t kSha256Size = 32;

absl::Status Untrusted(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("secure aggregation: ", why));
}

// Treats a message of the coordinator that cannot be read like a false one.
absl::Status AsUntrusted(const absl::Status& status) {
  if (absl::IsInvalidArgument(status) || absl::IsAborted(status)) {
    return Untrusted(status.message());
  }
  return status;
}

absl::StatusOr<v1::FollowedStudy> ReadState(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  const std::string sha256 = bytes.substr(0, kSha256Size);
  const std::string message = bytes.substr(sha256.size());
  v1::FollowedStudy state;
  if (Sha256Of(message) == sha256 && state.ParseFromString(message)) {
    return state;
  }
  return absl::DataLossError(absl::StrCat(
      path, ": changed since it was written; without it this site cannot tell ",
      "which sums it has followed"));
}

v1::BlobRef RefOf(const v1::FollowedStudy& state, const std::string& sha256) {
  v1::BlobRef ref;
  ref.set_sha256(sha256);
  ref.set_size(state.start().size());
  return ref;
}

std::vector<v1::BlobRef> NeededOf(const v1::FollowedStudy& state) {
  std::vector<v1::BlobRef> needed = {
      state.frozen(), RefOf(state, state.chain().model_sha256())};
  if (state.optimizer().size() > 0) needed.push_back(state.optimizer());
  if (AnyTried(state.chain().choices())) {
    needed.push_back(RefOf(state, state.chain().best_sha256()));
  }
  return needed;
}

bool HasDigest(const std::string& path, const std::string& sha256) {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Sha256 sha;
  auto take = [&](absl::string_view block) { sha.Update(block); };
  return fd.get() >= 0 && ReadBlocks(fd.get(), path, take).ok() &&
         sha.Finish() == sha256;
}

}  // namespace

absl::Status StudyFollower::Load() {
  if (loaded_) return absl::OkStatus();
  absl::StatusOr<v1::FollowedStudy> state = ReadState(options_.state_path);
  if (!state.ok() && !absl::IsNotFound(state.status())) return state.status();
  if (state.ok()) state_ = *std::move(state);
  loaded_ = true;
  return absl::OkStatus();
}

absl::Status StudyFollower::Save() {
  const std::string message = state_.SerializeAsString();
  return WriteFileAtomically(options_.state_path, Sha256Of(message) + message,
                             Durability::kSync, 0600);
}

void StudyFollower::TakeChain(const v1::StudyChain& chain) {
  *state_.mutable_chain() = chain;
  state_.clear_optimizer();
  if (chain.optimizer_sha256().empty()) return;
  state_.mutable_optimizer()->set_sha256(chain.optimizer_sha256());
  state_.mutable_optimizer()->set_size(
      StateBytes(options_.study, options_.layout));
}

v1::BlobRef StudyFollower::ModelRef(const std::string& sha256) const {
  return RefOf(state_, sha256);
}

absl::StatusOr<std::string> StudyFollower::Fetch(
    const v1::Header& header, const v1::BlobRef& blob) const {
  options_.announce(blob);
  return options_.transfer->Fetch(header, blob);
}

absl::Status StudyFollower::FetchStart(const v1::Header& header) {
  int64_t elements = 0;
  for (const TensorSpec& tensor : options_.parameters.architecture.tensors) {
    elements += tensor.size();
  }
  v1::BlobRef whole;
  whole.set_sha256(options_.study.initial_weights_sha256());
  whole.set_size(static_cast<uint64_t>(elements) * sizeof(float));
  absl::StatusOr<std::string> path = Fetch(header, whole);
  // A crash may have left wrong bytes; Fetch has dropped them.
  if (absl::IsDataLoss(path.status())) path = Fetch(header, whole);
  if (absl::IsDataLoss(path.status())) {
    return absl::PermissionDeniedError(absl::StrCat(
        "the coordinator's starting weights are not those of the approved ",
        "study: ", path.status().message()));
  }
  HILUM_RETURN_IF_ERROR(path.status());
  const std::string frozen = options_.blobs->NewPath("frozen");
  const std::string start = options_.blobs->NewPath("start");
  absl::StatusOr<SplitFiles> cut = SplitWeightsFile(
      options_.parameters, *path, options_.layout.num_tracks, frozen, start);
  if (absl::IsInvalidArgument(cut.status())) {
    return absl::PermissionDeniedError(
        absl::StrCat("the study's starting weights: ", cut.status().message()));
  }
  HILUM_ASSIGN_OR_RETURN(SplitFiles split, std::move(cut));
  state_.mutable_start()->set_sha256(split.global.sha256);
  state_.mutable_start()->set_size(split.global.num_bytes);
  HILUM_RETURN_IF_ERROR(options_.blobs->Adopt(start, state_.start()));
  if (split.frozen.num_bytes > 0) {
    state_.mutable_frozen()->set_sha256(split.frozen.sha256);
    state_.mutable_frozen()->set_size(split.frozen.num_bytes);
    HILUM_RETURN_IF_ERROR(options_.blobs->Adopt(frozen, state_.frozen()));
  }
  return absl::OkStatus();
}

absl::Status StudyFollower::Start(const v1::Header& header) {
  HILUM_RETURN_IF_ERROR(Load());
  const bool known = state_.has_start();
  if (known &&
      (state_.frozen().size() == 0 || options_.blobs->Has(state_.frozen()))) {
    return absl::OkStatus();
  }
  const v1::FollowedStudy before = state_;
  absl::Status started = FetchStart(header);
  if (started.ok() && !known) {
    *state_.mutable_chain() =
        FirstChain(options_.study_hash, state_.start().sha256());
    started = Save();
  }
  // Only the state on disk counts.
  if (!started.ok()) state_ = before;
  return started;
}

SecAggContext StudyFollower::ContextOf(const v1::Task& task) const {
  const uint32_t round = task.header().round();
  return hilum::ContextOf(
      options_.study, options_.study_hash, round,
      Question(options_.study_hash, round, task.kind(), state_.chain()));
}

SecAggContext StudyFollower::ContextOf(const v1::SumOpening& opening) const {
  return hilum::ContextOf(
      options_.study, options_.study_hash, opening.round(),
      Question(options_.study_hash, opening.round(),
               static_cast<v1::Task::Kind>(opening.kind()), opening.before()));
}

int64_t StudyFollower::SizeOf(const v1::SumOpening& opening) const {
  return opening.kind() == v1::Task::PREPARE ? CensusVectorSize(options_.study)
                                             : options_.layout.size();
}

absl::StatusOr<v1::SumOpening> StudyFollower::FetchOpening(
    const v1::Header& header, const v1::BlobRef& blob) {
  if (blob.sha256().size() != kSha256Size || blob.size() == 0 ||
      blob.size() > kMaxOpeningBytes) {
    return Untrusted(
        "the coordinator asks for a sum without opening the one before it");
  }
  HILUM_ASSIGN_OR_RETURN(std::string path, Fetch(header, blob));
  HILUM_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  v1::SumOpening opening;
  if (!opening.ParseFromString(bytes)) {
    return Untrusted("the coordinator's opening of a sum cannot be read");
  }
  HILUM_RETURN_IF_ERROR(AsUntrusted(CheckOpening(
      ContextOf(opening), *options_.credentials->verifier, opening)));
  HILUM_RETURN_IF_ERROR(options_.check_opening(opening));
  return opening;
}

absl::StatusOr<std::string> StudyFollower::FetchSum(
    const v1::Header& header, const v1::SumOpening& opening, int64_t size) {
  const uint64_t wanted = SumFileBytes(size, opening.survivors_size());
  if (opening.sum().sha256().size() == kSha256Size &&
      opening.sum().size() == wanted) {
    return Fetch(header, opening.sum());
  }
  return Untrusted(absl::StrCat("the coordinator's sum of round ",
                                opening.round(), " has ", opening.sum().size(),
                                " bytes, not ", wanted));
}

absl::StatusOr<std::string> StudyFollower::StatementOf(
    const v1::SumOpening& opening) const {
  return hilum::StatementOf(ContextOf(opening), opening);
}

absl::Status StudyFollower::NoteOwnVector(const v1::SumOpening& opening,
                                          const std::string& masked_path,
                                          const std::string& masked_sha256) {
  state_.clear_checksum();
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    if (survivor.site() != options_.site.name()) continue;
    // If the file is gone, the other sites fetch the vector.
    if (masked_sha256 != survivor.vector().sha256() &&
        !HasDigest(masked_path, survivor.vector().sha256())) {
      break;
    }
    HILUM_ASSIGN_OR_RETURN(VectorChecksum own,
                           ChecksumOfVector(masked_path, SizeOf(opening),
                                            ChecksumChallenge(state_.chain())));
    state_.set_checksum(own.ToBytes());
  }
  return absl::OkStatus();
}

// `state`: the state after this sum.
absl::Status StudyFollower::CheckIsOf(const v1::StudyChain& state,
                                      const v1::SumOpening& opening) const {
  HILUM_ASSIGN_OR_RETURN(std::string statement, StatementOf(opening));
  if (state.round() == opening.round() &&
      state.statement() == Sha256Of(statement) &&
      state.sum_sha256() == opening.sum().sha256()) {
    return absl::OkStatus();
  }
  return Untrusted(absl::StrCat("the coordinator shows another sum of round ",
                                opening.round(), " than the one it goes on ",
                                "from"));
}

absl::Status StudyFollower::CheckTold(const v1::SumOpening& opening) const {
  const v1::StudyChain& after = opening.after();
  HILUM_RETURN_IF_ERROR(CheckIsOf(after, opening));
  if (after.previous() == History(opening.before()) &&
      after.census_sha256() == state_.chain().census_sha256()) {
    return absl::OkStatus();
  }
  return Untrusted(
      "the state that the coordinator goes on from does not follow from what "
      "the last sum began from");
}

bool StudyFollower::IsIn(const v1::SumOpening& opening) const {
  return std::any_of(opening.survivors().begin(), opening.survivors().end(),
                     [this](const v1::SumOpening::Survivor& survivor) {
                       return survivor.site() == options_.site.name();
                     });
}

// This site was away. It takes the state after the last sum as told: t sites
// signed the state that the sum began from, and the roster shows whether the
// other sites were asked the same question. At least one of them has worked
// this state out itself.
absl::Status StudyFollower::JumpTo(const v1::SumOpening& opening) {
  if (IsIn(opening)) {
    return Untrusted(absl::StrCat(
        "the coordinator shows a sum of round ", opening.round(), " with this ",
        "site in it that does not begin where this site stood"));
  }
  HILUM_RETURN_IF_ERROR(CheckTold(opening));
  TakeChain(opening.after());
  state_.set_checked(true);
  unchecked_.reset();
  return absl::OkStatus();
}

absl::Status StudyFollower::FollowLast(const v1::Task& task) {
  HILUM_ASSIGN_OR_RETURN(v1::SumOpening opening,
                         FetchOpening(task.header(), task.last_opening()));
  if (History(opening.after()) == History(state_.chain())) {
    HILUM_RETURN_IF_ERROR(CheckIsOf(state_.chain(), opening));
    if (!state_.checked()) unchecked_ = Unchecked{std::move(opening)};
    return absl::OkStatus();
  }
  if (opening.kind() != v1::Task::TRAIN ||
      opening.round() <= state_.chain().round()) {
    return Untrusted(
        "the coordinator goes back to a sum before the last one "
        "that this site has followed, or to another one");
  }
  if (History(opening.before()) == History(state_.chain())) {
    return Advance(task.header(), opening);
  }
  return JumpTo(opening);
}

absl::Status StudyFollower::CatchUp(const v1::Task& task,
                                    const std::string& masked_path,
                                    const std::string& masked_sha256) {
  const std::string before = History(state_.chain());
  if (!state_.has_cohort()) HILUM_RETURN_IF_ERROR(ReadCensus(task));
  HILUM_RETURN_IF_ERROR(FollowLast(task));
  if (History(state_.chain()) == before) return absl::OkStatus();
  state_.clear_checksum();
  if (unchecked_.has_value()) {
    HILUM_RETURN_IF_ERROR(
        NoteOwnVector(unchecked_->opening, masked_path, masked_sha256));
  }
  return Save();
}

absl::Status StudyFollower::Follow(const v1::Task& task,
                                   const std::string& masked_path,
                                   const std::string& masked_sha256) {
  HILUM_RETURN_IF_ERROR(Start(task.header()));
  const v1::FollowedStudy before = state_;
  const std::optional<Unchecked> unchecked = unchecked_;
  absl::Status followed = CatchUp(task, masked_path, masked_sha256);
  if (followed.ok()) return followed;
  // The state on disk counts, and so does the sum that is not checked yet.
  state_ = before;
  unchecked_ = unchecked;
  return followed;
}

absl::StatusOr<VectorChecksum> StudyFollower::ChecksumOfLast(
    const v1::Header& header, const Unchecked& last) {
  if (last.checksum.has_value()) return *last.checksum;
  const int64_t size = SizeOf(last.opening);
  HILUM_ASSIGN_OR_RETURN(std::string path,
                         FetchSum(header, last.opening, size));
  absl::StatusOr<VectorChecksum> sum =
      ChecksumOfSum(path, size, last.opening.survivors_size(),
                    ChecksumChallenge(state_.chain()));
  if (!sum.ok()) return AsUntrusted(sum.status());
  return sum;
}

absl::Status StudyFollower::CheckRoster(const v1::Header& header,
                                        const v1::Roster& roster) {
  // Before the first sum there is no sum to check.
  if (state_.checked() || !state_.has_cohort()) return absl::OkStatus();
  if (!unchecked_.has_value()) {
    return absl::FailedPreconditionError(
        "secure aggregation: the last sum is not checked, and the coordinator "
        "has not opened it again since this site started");
  }
  const v1::SumOpening& opening = unchecked_->opening;
  const int64_t size = SizeOf(opening);
  const std::string challenge = ChecksumChallenge(state_.chain());
  std::map<std::string, std::string> said;
  for (const v1::Roster::Entry& entry : roster.entries()) {
    said[entry.site()] = entry.keys().checksum();
  }
  VectorChecksum total;
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    const std::string& checksum = said[survivor.site()];
    absl::StatusOr<VectorChecksum> one;
    if (!checksum.empty()) {
      one = VectorChecksum::FromBytes(checksum);
    } else {
      if (survivor.vector().size() !=
          static_cast<uint64_t>(size) * sizeof(uint32_t)) {
        return Untrusted(absl::StrCat("the coordinator has the vector of ",
                                      survivor.site(), " in another length"));
      }
      HILUM_ASSIGN_OR_RETURN(std::string path,
                             Fetch(header, survivor.vector()));
      one = ChecksumOfVector(path, size, challenge);
    }
    if (!one.ok()) return AsUntrusted(one.status());
    total.Add(*one);
  }
  HILUM_ASSIGN_OR_RETURN(const VectorChecksum sum,
                         ChecksumOfLast(header, *unchecked_));
  if (!(sum == total)) {
    return Untrusted(absl::StrCat(
        "what the coordinator published as the sum of round ", opening.round(),
        " is not the sum of what its sites sent"));
  }
  state_.set_checked(true);
  unchecked_.reset();
  return Save();
}

absl::StatusOr<std::string> StudyFollower::FrozenPath(
    const v1::Header& header) {
  HILUM_RETURN_IF_ERROR(Start(header));
  if (state_.frozen().size() == 0) return std::string();
  return options_.blobs->PathOf(state_.frozen());
}

absl::StatusOr<std::string> StudyFollower::ModelPath(const v1::Header& header,
                                                     v1::Task::Kind kind) {
  // The next sum may take tracks from the chosen models, too. The coordinator
  // has them until that sum only, and a site that was away does not have them.
  if (AnyTried(state_.chain().choices())) {
    HILUM_RETURN_IF_ERROR(
        Fetch(header, ModelRef(state_.chain().best_sha256())).status());
  }
  // The next model follows from the optimiser's state too, which the
  // coordinator has only until then.
  if (kind == v1::Task::TRAIN && state_.optimizer().size() > 0) {
    HILUM_RETURN_IF_ERROR(Fetch(header, state_.optimizer()).status());
  }
  return Fetch(header, ModelRef(ModelOf(state_.chain(), kind)));
}

std::vector<v1::BlobRef> StudyFollower::Needed() const {
  std::vector<v1::BlobRef> needed = NeededOf(state_);
  if (unchecked_.has_value()) needed.push_back(unchecked_->opening.sum());
  return needed;
}

std::vector<v1::BlobRef> StudyFollower::NeededBy(
    const std::string& state_path) {
  const absl::StatusOr<v1::FollowedStudy> state = ReadState(state_path);
  return state.ok() ? NeededOf(*state) : std::vector<v1::BlobRef>();
}

}  // namespace hilum
