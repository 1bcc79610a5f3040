// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/site_at_work.h"

#include <cstring>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"

namespace hilum {
namespace {

template <typename Request>
void GiveReceipt(absl::string_view method,
                 const google::protobuf::Message& request,
                 google::protobuf::Message* response) {
  v1::ReceiptBody body;
  *body.mutable_header() = dynamic_cast<const Request&>(request).header();
  body.set_method(std::string(method));
  body.set_request_sha256(Sha256Of(request.SerializeAsString()));
  dynamic_cast<v1::SubmitResponse&>(*response).mutable_receipt()->set_body(
      body.SerializeAsString());
}

}  // namespace

v1::Study SmallStudy(const std::vector<std::string>& sites) {
  v1::Study study;
  study.set_name("tiny");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const std::string& site : sites) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_evaluation()->set_score_bins(16);
  FillStudyDefaults(study);
  return study;
}

absl::Status ScriptedCoordinator::Call(absl::string_view method,
                                       const google::protobuf::Message& request,
                                       google::protobuf::Message* response,
                                       absl::Duration timeout) {
  if (method == "NextTask") {
    polls.emplace_back().CopyFrom(request);
    return AnswerNext(response);
  }
  const absl::Status answered = Answer(method, request, response);
  tamper(method, *response);
  return answered;
}

absl::Status ScriptedCoordinator::AnswerNext(
    google::protobuf::Message* response) {
  if (!answers.empty()) {
    response->CopyFrom(answers.front());
    answers.pop_front();
    return absl::OkStatus();
  }
  std::optional<v1::Task> task = TakeTask();
  if (!task.has_value()) {
    on_end();
    return absl::CancelledError("the script is at its end");
  }
  v1::NextTaskResponse next;
  *next.mutable_task() = *std::move(task);
  response->CopyFrom(next);
  return absl::OkStatus();
}

absl::Status ScriptedCoordinator::Answer(
    absl::string_view method, const google::protobuf::Message& request,
    google::protobuf::Message* response) {
  if (method == "FetchBlob") {
    return fetch_answer;
  } else if (method == "UploadChunk") {
    v1::UploadChunkRequest chunk;
    chunk.CopyFrom(request);
    if (!chunk.data().empty()) upload = chunk.data();
    v1::UploadChunkResponse stored;
    stored.set_stored(chunk.offset() + chunk.data().size());
    response->CopyFrom(stored);
  } else if (method == "SubmitCensus") {
    censuses.emplace_back().CopyFrom(request);
    GiveReceipt<v1::SubmitCensusRequest>(method, request, response);
    return census_answer;
  } else if (method == "SubmitUpdate") {
    updates.emplace_back().CopyFrom(request);
    GiveReceipt<v1::SubmitUpdateRequest>(method, request, response);
  } else if (method == "SubmitEvaluation") {
    evaluations.emplace_back().CopyFrom(request);
    GiveReceipt<v1::SubmitEvaluationRequest>(method, request, response);
  } else if (method == "SubmitSecureStep") {
    steps.emplace_back().CopyFrom(request);
    GiveReceipt<v1::SubmitSecureStepRequest>(method, request, response);
    return on_step(steps.back());
  }
  return absl::OkStatus();
}

std::optional<v1::Task> ScriptedCoordinator::TakeTask() {
  if (tasks.empty()) return next_task();
  v1::Task task = tasks.front();
  tasks.pop_front();
  return task;
}

std::vector<uint32_t> ScriptedCoordinator::UploadedExamples(
    size_t num_tracks) const {
  // Behind them lies the loss of the one arm.
  std::vector<uint32_t> examples = UploadedTail(num_tracks + 1);
  examples.pop_back();
  return examples;
}

std::vector<uint32_t> ScriptedCoordinator::UploadedTail(size_t words) const {
  std::vector<uint32_t> tail(words);
  const size_t bytes = tail.size() * sizeof(uint32_t);
  HILUM_CHECK(upload.size() > bytes);
  std::memcpy(tail.data(), upload.data() + upload.size() - bytes, bytes);
  return tail;
}

void FailingTrainer::Spoil(const std::string& delta_path) {
  std::string bytes = ReadFile(delta_path).value();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + 16, &nan, sizeof nan);
  HILUM_CHECK(WriteFileAtomically(delta_path, bytes, Durability::kNone).ok());
}

SiteAtWork::SiteAtWork(std::string state_dir, v1::Study approved)
    : state_dir(std::move(state_dir)), study(std::move(approved)) {
  std::string bytes = SerializeStudy(study);
  hash = Sha256Of(bytes);
  auto approvals = Approvals::Open(this->state_dir);
  HILUM_CHECK(approvals.ok() && approvals->PutOffer(hash, bytes).ok() &&
              approvals->Approve(hash, AcceptEverything(study)).ok());
}

v1::Task SiteAtWork::MakeTask(v1::Task::Kind kind, uint32_t round) const {
  v1::Task task;
  task.set_kind(kind);
  task.mutable_header()->set_protocol_version(kProtocolVersion);
  task.mutable_header()->set_study_hash(hash);
  task.mutable_header()->set_round(round);
  if (kind == v1::Task::TRAIN) {
    for (int t = 0; t < 3; ++t) task.add_track_examples(100);
  }
  return task;
}

absl::StatusOr<std::unique_ptr<SessionRunner>> SiteAtWork::Start() {
  SessionRunner::Options options{.site = SiteId("a"),
                                 .patient_key = std::string(32, 'k'),
                                 .credentials = credentials,
                                 .exit_when_done = exit_when_done};
  options.config.set_state_dir(state_dir);
  *options.config.mutable_policy() = policy;
  options.log = [this](absl::string_view line) { on_log(line); };
  return SessionRunner::Create(std::move(options), coordinator, trainer, clock);
}

absl::Status SiteAtWork::Run() {
  absl::StatusOr<std::unique_ptr<SessionRunner>> runner = Start();
  if (!runner.ok()) return runner.status();
  coordinator.on_end = [&] { (*runner)->Stop(); };
  return (*runner)->Run();
}

}  // namespace hilum
