// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_SITE_AT_WORK_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_SITE_AT_WORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "common/aggregation/ring.h"
#include "common/base/clock.h"
#include "common/config/track_choice.h"
#include "site_agent/gateway/session_runner.h"
#include "tests/support/fake_trainer.h"
#include "tests/support/fingerprint.h"

namespace hilum {

// The blobs of a coordinator, by raw SHA-256.
using Blobs = std::map<std::string, std::string>;
v1::BlobRef PutBlob(Blobs& blobs, const std::string& bytes);

// Hands out scripted tasks and takes what is sent; calls `on_end` after the
// last task. `next_task` and `on_step` make and take the steps of masked sums.
// Blobs are fetched from several threads, all other calls come from one.
class ScriptedCoordinator : public Transport {
 public:
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override;
  void Shutdown() override {}

  std::deque<v1::Task> tasks;
  // Returns a task after the scripted ones; none: the script is at its end.
  std::function<std::optional<v1::Task>()> next_task = [] {
    return std::nullopt;
  };
  std::function<absl::Status(const v1::SubmitSecureStepRequest&)> on_step =
      [](const v1::SubmitSecureStepRequest&) { return absl::OkStatus(); };
  std::function<void()> on_end = [] {};
  absl::Status census_answer;
  Blobs blobs;  // for FetchBlob
  // Returns the status of a FetchBlob; called from several threads.
  std::function<absl::Status(const v1::FetchBlobRequest&)> on_fetch =
      [](const v1::FetchBlobRequest&) { return absl::OkStatus(); };
  // Answers to NextTask before the tasks.
  std::deque<v1::NextTaskResponse> answers;
  // Changes the answer to a call, NextTask excepted. For FetchBlob it is called
  // from several threads.
  std::function<void(absl::string_view, google::protobuf::Message&)> tamper =
      [](absl::string_view, google::protobuf::Message&) {};
  // Returns num_examples of each track in the last upload.
  std::vector<uint32_t> UploadedExamples(size_t num_tracks) const;
  // Returns the words behind the tracks of the last upload.
  std::vector<uint32_t> UploadedTail(size_t words) const;
  // The received requests, in order.
  std::vector<v1::NextTaskRequest> polls;
  std::vector<v1::SubmitCensusRequest> censuses;
  std::vector<v1::SubmitUpdateRequest> updates;
  std::vector<v1::SubmitEvaluationRequest> evaluations;
  std::vector<v1::SubmitSecureStepRequest> steps;
  // Whether the blob was asked for.
  bool WasFetched(const std::string& sha256) const;
  std::string upload;  // the last one, of one chunk

 private:
  absl::Status Answer(absl::string_view method,
                      const google::protobuf::Message& request,
                      google::protobuf::Message* response);
  absl::Status AnswerNext(google::protobuf::Message* response);
  std::optional<v1::Task> TakeTask();
  absl::Status AnswerFetch(const v1::FetchBlobRequest& request,
                           google::protobuf::Message* response);

  // A pointer, so that a coordinator can be assigned.
  std::shared_ptr<absl::Mutex> mutex_ = std::make_shared<absl::Mutex>();
  std::set<std::string> fetched_;
};

// A FakeTrainer that fails, has more cases or diverges where a test says so.
class FailingTrainer : public FakeTrainer {
 public:
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override {
    ++times_prepared;
    on_prepare();
    if (!prepare.ok()) return prepare;
    auto response = FakeTrainer::Prepare(request);
    if (!spoil_manifest.empty()) {
      response->set_manifest_sha256(spoil_manifest);
    }
    if (!warning.empty()) response->add_warnings(warning);
    for (v1::ArmCensus& arm : *response->mutable_arms()) {
      for (uint64_t& n : *arm.mutable_fold_class_counts()) n *= times_cases;
      FillFingerprint(arm);
      change_arm(arm);
    }
    return response;
  }
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override {
    ++times_trained;
    choices_seen.push_back(Text(request.choices()));
    if (!train.ok()) return train;
    auto response = FakeTrainer::Train(request);
    for (v1::TrackUpdate& track : *response->mutable_tracks()) {
      track.set_num_examples(track.num_examples() * times_cases);
      track.set_validation_examples(track.validation_examples() * times_cases);
      track.set_validation_loss_sum(track.validation_loss_sum() *
                                    static_cast<double>(times_cases));
    }
    if (diverges) Spoil(request.delta_path());
    change_update(*response);
    return response;
  }
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override {
    choices_seen.push_back(Text(request.choices()));
    if (!evaluate.ok()) return evaluate;
    return FakeTrainer::Evaluate(request);
  }

  // Returns "BEST_ROUND,STOPPED_AFTER" of each track.
  static std::string Text(const TrackChoices& choices) {
    return absl::StrJoin(choices, " ",
                         [](std::string* out, const v1::TrackChoice& choice) {
                           absl::StrAppend(out, choice.best_round(), ",",
                                           choice.stopped_after());
                         });
  }

  absl::Status prepare, train, evaluate;
  std::vector<std::string> choices_seen;  // by Train and Evaluate
  std::function<void()> on_prepare = [] {};
  int times_prepared = 0, times_trained = 0;
  uint64_t times_cases = 1;  // times FakeTrainer's
  bool diverges = false;     // its delta has a NaN
  // Changes the cases that it finds.
  std::function<void(v1::ArmCensus&)> change_arm = [](v1::ArmCensus&) {};
  // Changes its answer to Train.
  std::function<void(v1::TrainResponse&)> change_update =
      [](v1::TrainResponse&) {};
  std::string spoil_manifest;  // said instead of the network's digest
  std::string warning;         // of its Prepare

 private:
  static void Spoil(const std::string& delta_path);
};

// Moves on by a minute at each call, so pauses are over at once.
class HastyClock : public Clock {
 public:
  absl::Time Now() override { return now_ += absl::Minutes(1); }

 private:
  absl::Time now_ = absl::UnixEpoch();
};

// Returns a study of two classes, one arm, two folds and a final track, which
// starts from StartingWeights.
v1::Study SmallStudy(const std::vector<std::string>& sites = {"a", "b"});
const std::string& StartingWeights();
// Returns the first global model of a study like SmallStudy.
std::string StartingModel(const v1::Study& study);
VectorLayout LayoutOf(const v1::Study& study);
// Returns a cohort without secure aggregation, with fifty cases in each cell.
v1::CensusTotals CohortOfFifties(const v1::Study& study);

// Site "a", whose officer has approved one small study.
class SiteAtWork {
 public:
  explicit SiteAtWork(std::string state_dir, v1::Study study = SmallStudy());

  // Returns a task of the study about its first model.
  v1::Task MakeTask(v1::Task::Kind kind, uint32_t round) const;
  absl::StatusOr<std::unique_ptr<SessionRunner>> Start();
  // Works until the script is at its end.
  absl::Status Run();

  const std::string state_dir;
  v1::Study study;
  std::string hash;  // raw
  ScriptedCoordinator coordinator;
  v1::BlobRef model;  // the first model
  FailingTrainer trainer;
  HastyClock clock;
  bool exit_when_done = false;
  absl::Duration offer_patience = absl::InfiniteDuration();
  std::string manifest;  // path; only its stamp is read
  v1::Policy policy;
  const SiteCredentials* credentials = nullptr;
  std::function<void(absl::string_view)> on_log = [](absl::string_view) {};
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_SITE_AT_WORK_H_
