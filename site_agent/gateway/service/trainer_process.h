// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_PROCESS_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "site_agent/gateway/service/trainer_launcher.h"
#include "site_agent/gateway/service/trainer_output.h"
#include "site_agent/trainer/service/trainer_client.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// A trainer in a process of its own, talked to over a Unix socket that it
// inherits. Started with the first call; started again, and its cases loaded
// again, when it has died. It ends with this process, however this one ends.
// It writes in one folder alone. What a request wants elsewhere is copied there
// from it once the call is answered, where it is a plain file; so nothing else
// of the site is open to the trainer, and no file that the gateway works with.
// A delta, which may be large, is moved: EncodeUpdateFile makes it anew.
// The trainer's answers are judged (trainer_answers.h), and what it prints is
// put into the log (trainer_output.h).
// Each Prepare has a new process: what a study left in one does
// not meet the next, and the files it may read are those of the manifest now.
// Not thread-safe, but Stop may come from any thread.
class TrainerProcess : public Trainer {
 public:
  static constexpr int kMostFull = 20;

  // `folder`: the trainer's own, which the launcher's command line names. On
  // one file system with the folders of the requests.
  TrainerProcess(TrainerLauncher& launcher, std::string folder,
                 std::function<void(absl::string_view)> log);
  ~TrainerProcess() override;

  // INTERNAL: the child died several times over the same call. ABORTED: it
  // failed otherwise. RESOURCE_EXHAUSTED: it says that its disk is full; said
  // kMostFull times in one study, while there is room, that is ABORTED too.
  // CANCELLED: stopped. DATA_LOSS: what it made is no file. Of these and of
  // texts and warnings of kMaxTrainerText bytes is all that it can say.
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

  // Ends the child; the call in flight and later ones answer CANCELLED.
  void Stop();

 private:
  // A running child, started where there is none.
  absl::StatusOr<TrainerClient*> Child();
  absl::Status Start();
  // `wanted`: it had not died.
  void End(bool wanted = false);
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      const Request& request,
      absl::StatusOr<Response> (Trainer::*method)(const Request&));

  // Calls the running child, which answers; judges its answer.
  template <typename Request, typename Response>
  absl::StatusOr<Response> CallChild(
      TrainerClient& child, const Request& request,
      absl::StatusOr<Response> (Trainer::*method)(const Request&));
  absl::Status Judge(const absl::Status& said);

  // The trainer's name for a file that is wanted at `path`.
  std::string Own(absl::string_view path) const;
  // Moves that file to `path`. DATA_LOSS: it is not a file.
  absl::Status MoveDelta(const std::string& path) const;
  // Copies that file to `path`, if there is one. DATA_LOSS: it is not a file.
  absl::Status Publish(const std::string& path) const;
  // Moves what Prepare wrote for the site's people to the study's folder.
  absl::Status PublishNotes() const;

  TrainerLauncher& launcher_;
  const std::string folder_;
  const std::function<void(absl::string_view)> log_;
  std::optional<v1::PrepareRequest> prepared_;
  std::string notes_dir_;  // where the prepared study's notes are wanted
  bool needs_prepare_ = false;
  std::string study_sha256_;               // of the last Prepare
  std::map<std::string, int> times_full_;  // by study
  std::unique_ptr<TrainerOutputLog> output_;

  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<TrainerClient> client_ ABSL_GUARDED_BY(mutex_);
  pid_t pid_ ABSL_GUARDED_BY(mutex_) = -1;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_PROCESS_H_
