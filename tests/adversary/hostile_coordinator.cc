// SPDX-License-Identifier: Apache-2.0
#include "tests/adversary/hostile_coordinator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using Step = v1::SubmitSecureStepRequest;

// Returns the core's receipt for the message as the site sent it.
v1::SubmitResponse ReceiptFor(const Signer& signer, const SiteId& site,
                              const Step& said) {
  v1::ReceiptBody body;
  *body.mutable_header() = said.header();
  body.set_site(site.name());
  body.set_method("SubmitSecureStep");
  body.set_request_sha256(Sha256Of(said.SerializeAsString()));
  body.set_update_sha256(said.masked().sha256());
  v1::SubmitResponse response;
  response.mutable_receipt()->set_body(body.SerializeAsString());
  response.mutable_receipt()->set_signature(
      signer.Sign(response.receipt().body()));
  return response;
}

}  // namespace

v1::BlobRef HostileCoordinator::Serve(const std::string& bytes) {
  v1::BlobRef blob;
  blob.set_sha256(Sha256Of(bytes));
  blob.set_size(bytes.size());
  served_[{SiteId(), blob.sha256()}] = bytes;
  return blob;
}

void HostileCoordinator::ServeInstead(const std::string& sha256,
                                      const std::string& bytes,
                                      const SiteId& only) {
  served_[{only, sha256}] = bytes;
}

std::string HostileCoordinator::Blob(const v1::BlobRef& blob) const {
  absl::StatusOr<std::string> bytes =
      ReadFile(absl::StrCat(state_dir_, "/blobs/", ToHex(blob.sha256())));
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or("");
}

void HostileCoordinator::ForgeVector(const SiteId& site, const Step& said,
                                     const std::vector<uint32_t>& added) {
  const std::string path =
      absl::StrFormat("%s/uploads/%s-%s-%08x-%s.part", state_dir_,
                      ToHex(said.header().study_hash()), site.name(),
                      said.header().round(), ToHex(said.masked().sha256()));
  absl::StatusOr<std::string> bytes = ReadFile(path);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  ASSERT_LE(added.size() * sizeof(uint32_t), bytes->size());
  for (size_t i = 0; i < added.size(); ++i) {
    uint32_t word;
    std::memcpy(&word, bytes->data() + i * sizeof word, sizeof word);
    word += added[i];
    std::memcpy(bytes->data() + i * sizeof word, &word, sizeof word);
  }
  ASSERT_TRUE(WriteFileAtomically(path, *bytes, Durability::kNone).ok());
}

void HostileCoordinator::Push(const SiteId& site, v1::NextTaskResponse answer) {
  pushed_[site].push_back(std::move(answer));
}

void HostileCoordinator::Release(const SiteId& site) {
  held_.erase(site);
  if (polls_.contains(site)) Push(site, v1::NextTaskResponse());
}

const Step* HostileCoordinator::SaidBy(const SiteId& site, Step::SaidCase what,
                                       const std::string& sum_id) const {
  for (auto it = said_.rbegin(); it != said_.rend(); ++it) {
    if (it->site == site && it->said.said_case() == what &&
        (sum_id.empty() || it->said.sum_id() == sum_id)) {
      return &it->said;
    }
  }
  return nullptr;
}

void HostileCoordinator::AnswerHeld() {
  std::vector<std::pair<PollDone, v1::NextTaskResponse>> ready;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [site, answers] : pushed_) {
      auto poll = polls_.find(site);
      if (answers.empty() || poll == polls_.end()) continue;
      ready.emplace_back(std::move(poll->second.done), answers.front());
      answers.pop_front();
      polls_.erase(poll);
    }
  }
  for (auto& [done, answer] : ready) {
    if (answer.next_case() == v1::NextTaskResponse::NEXT_NOT_SET) {
      answer.mutable_none();
    }
    done(std::move(answer));
  }
}

uint64_t HostileCoordinator::StartNextTask(const SiteId& site,
                                           const v1::NextTaskRequest& request,
                                           PollDone done) {
  bool held = false;
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mutex_);
    held = held_.contains(site) || !pushed_[site].empty();
    if (held) {
      id = next_poll_++;
      polls_[site] = {id, std::move(done)};
    }
  }
  if (held) {
    AnswerHeld();
    return id;
  }
  return core_.StartNextTask(site, request,
                             [this, site, done = std::move(done)](
                                 absl::StatusOr<v1::NextTaskResponse> answer) {
                               if (answer.ok()) {
                                 absl::MutexLock lock(&mutex_);
                                 on_next(site, *answer);
                               }
                               done(std::move(answer));
                               AnswerHeld();
                             });
}

void HostileCoordinator::CancelPoll(uint64_t poll) {
  if (poll < kHeldPoll) return core_.CancelPoll(poll);
  PollDone done;
  {
    absl::MutexLock lock(&mutex_);
    for (auto it = polls_.begin(); it != polls_.end(); ++it) {
      if (it->second.id != poll) continue;
      done = std::move(it->second.done);
      polls_.erase(it);
      break;
    }
  }
  if (done) done(absl::CancelledError("the caller has gone"));
}

absl::StatusOr<v1::NextTaskResponse> HostileCoordinator::NextTask(
    const SiteId& site, const v1::NextTaskRequest& request) {
  return core_.NextTask(site, request);
}

absl::StatusOr<v1::FetchBlobResponse> HostileCoordinator::FetchBlob(
    const SiteId& site, const v1::FetchBlobRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    auto served = served_.find({site, request.sha256()});
    if (served == served_.end()) {
      served = served_.find({SiteId(), request.sha256()});
    }
    if (served != served_.end()) {
      const std::string& bytes = served->second;
      v1::FetchBlobResponse response;
      response.set_total_size(bytes.size());
      const size_t offset = std::min<size_t>(request.offset(), bytes.size());
      response.set_data(bytes.substr(offset, request.max_bytes()));
      return response;
    }
  }
  return core_.FetchBlob(site, request);
}

absl::StatusOr<v1::UploadChunkResponse> HostileCoordinator::UploadChunk(
    const SiteId& site, const v1::UploadChunkRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    std::string& bytes = uploads_[{site, request.blob().sha256()}];
    if (request.offset() == bytes.size()) bytes += request.data();
  }
  return core_.UploadChunk(site, request);
}

absl::StatusOr<v1::SubmitResponse> HostileCoordinator::SubmitCensus(
    const SiteId& site, const v1::SubmitCensusRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    censuses_.push_back(request);
  }
  return core_.SubmitCensus(site, request);
}

absl::StatusOr<v1::SubmitResponse> HostileCoordinator::SubmitUpdate(
    const SiteId& site, const v1::SubmitUpdateRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    ++in_the_clear_;
  }
  return core_.SubmitUpdate(site, request);
}

absl::StatusOr<v1::SubmitResponse> HostileCoordinator::SubmitEvaluation(
    const SiteId& site, const v1::SubmitEvaluationRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    ++in_the_clear_;
  }
  return core_.SubmitEvaluation(site, request);
}

absl::StatusOr<v1::SubmitResponse> HostileCoordinator::SubmitSecureStep(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  Step told = request;
  {
    absl::MutexLock lock(&mutex_);
    said_.push_back({site, request});
    on_step(site, told);
  }
  AnswerHeld();
  absl::StatusOr<v1::SubmitResponse> answer =
      core_.SubmitSecureStep(site, told);
  // The site must not learn that its message was changed.
  if (told.SerializeAsString() != request.SerializeAsString()) {
    answer = ReceiptFor(signer_, site, request);
  }
  if (answer.ok()) {
    absl::MutexLock lock(&mutex_);
    on_receipt(site, *answer);
  }
  return answer;
}

}  // namespace hilum
