// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/site_at_work.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/config/census.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
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

const std::string& StartingWeights() {
  static const std::string& weights = *[] {
    v1::Study study;
    study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
    for (const char* label : {"sick", "well"}) study.add_classes(label);
    FillStudyDefaults(study);
    const ParameterLayout layout = StudyLayout(study).value();
    int64_t elements = 0;
    for (const TensorSpec& tensor : layout.architecture.tensors) {
      elements += tensor.size();
    }
    Rng rng(3, "starting weights");
    std::vector<float> values(static_cast<size_t>(elements));
    for (float& value : values) value = static_cast<float>(rng.Uniform());
    return new std::string(BlobBytes(values));
  }();
  return weights;
}

std::string StartingModel(const v1::Study& study) {
  const std::vector<float> initial = BlobValues(StartingWeights()).value();
  const SplitWeights split =
      SplitInitial(StudyLayout(study).value(), initial).value();
  return std::string(BlobBytes(RepeatForTracks(
      split.travelling, static_cast<int>(StudyTracks(study).size()))));
}

VectorLayout LayoutOf(const v1::Study& study) {
  return {.track_size = StudyLayout(study)->travelling_size,
          .num_tracks = static_cast<int>(StudyTracks(study).size()),
          .num_arms = study.arms_size(),
          .validates = IsValidated(study)};
}

v1::CensusTotals CohortOfFifties(const v1::Study& study) {
  constexpr int kCases = 50;
  const int classes = study.classes_size();
  const int cells =
      static_cast<int>(study.cross_validation().folds()) * classes;
  const int tracks = static_cast<int>(StudyTracks(study).size());
  const int folds = IsValidated(study) ? cells / classes : 0;
  v1::CensusTotals totals;
  *totals.mutable_sites() = study.sites();
  for (int i = 0; i < study.arms_size(); ++i) {
    v1::ArmCensus& arm = *totals.add_arms();
    arm.mutable_fold_class_counts()->Resize(cells, kCases);
    arm.mutable_fold_class_patients()->Resize(cells, kCases);
    arm.mutable_fold_validation_patients()->Resize(folds, kCases);
  }
  const auto sites = static_cast<uint64_t>(study.sites_size());
  totals.mutable_track_sites()->Resize(tracks, sites);
  totals.mutable_track_class_sites()->Resize(tracks * classes, sites);
  totals.mutable_capped_patients()->Resize(
      study.arms_size() * cells, std::min<uint64_t>(kCases, kCellCap * sites));
  totals.mutable_capped_validation_patients()->Resize(
      study.arms_size() * folds, std::min<uint64_t>(kCases, kCellCap * sites));
  return totals;
}

v1::BlobRef PutBlob(Blobs& blobs, const std::string& bytes) {
  v1::BlobRef ref;
  ref.set_sha256(Sha256Of(bytes));
  ref.set_size(bytes.size());
  blobs[ref.sha256()] = bytes;
  return ref;
}

v1::Study SmallStudy(const std::vector<std::string>& sites) {
  v1::Study study;
  study.set_name("tiny");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const std::string& site : sites) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_evaluation()->set_score_bins(16);
  study.set_initial_weights_sha256(Sha256Of(StartingWeights()));
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
    return AnswerFetch(dynamic_cast<const v1::FetchBlobRequest&>(request),
                       response);
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

absl::Status ScriptedCoordinator::AnswerFetch(
    const v1::FetchBlobRequest& request, google::protobuf::Message* response) {
  {
    absl::MutexLock lock(mutex_.get());
    fetched_.insert(request.sha256());
  }
  if (absl::Status may = on_fetch(request); !may.ok()) return may;
  const auto blob = blobs.find(request.sha256());
  if (blob == blobs.end()) return absl::NotFoundError("no such blob");
  if (request.offset() > blob->second.size()) {
    return absl::OutOfRangeError("past the blob's end");
  }
  v1::FetchBlobResponse chunk;
  chunk.set_data(blob->second.substr(request.offset(), request.max_bytes()));
  chunk.set_total_size(blob->second.size());
  response->CopyFrom(chunk);
  return absl::OkStatus();
}

bool ScriptedCoordinator::WasFetched(const std::string& sha256) const {
  absl::MutexLock lock(mutex_.get());
  return fetched_.contains(sha256);
}

std::optional<v1::Task> ScriptedCoordinator::TakeTask() {
  if (tasks.empty()) return next_task();
  v1::Task task = tasks.front();
  tasks.pop_front();
  return task;
}

std::vector<uint32_t> ScriptedCoordinator::UploadedExamples(
    size_t num_tracks) const {
  // The loss of the one arm lies behind them.
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
  PutBlob(coordinator.blobs, StartingWeights());
  model = PutBlob(coordinator.blobs, StartingModel(study));
}

v1::Task SiteAtWork::MakeTask(v1::Task::Kind kind, uint32_t round) const {
  v1::Task task;
  task.set_kind(kind);
  task.mutable_header()->set_protocol_version(kProtocolVersion);
  task.mutable_header()->set_study_hash(hash);
  task.mutable_header()->set_round(round);
  if (kind == v1::Task::PREPARE) return task;
  *task.mutable_global() = model;
  *task.mutable_census() = CohortOfFifties(study);
  return task;
}

absl::StatusOr<std::unique_ptr<SessionRunner>> SiteAtWork::Start() {
  SessionRunner::Options options{.site = SiteId("a"),
                                 .patient_key = std::string(32, 'k'),
                                 .credentials = credentials,
                                 .exit_when_done = exit_when_done,
                                 .offer_patience = offer_patience};
  options.config.set_state_dir(state_dir);
  options.config.set_manifest(manifest);
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
