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

// A trainer in a process of its own, called over a Unix socket that it
// inherits. Started by the first call; started again, and its cases loaded
// again, after it has died. The trainer ends with this process, even if this
// process crashes.
// The trainer writes to one folder only. After a call, files that the request
// wants elsewhere are copied from that folder, if they are plain files; so the
// trainer has access to no other file of the site. A delta may be large, so it
// is moved instead: EncodeUpdateFile writes it anew.
// The trainer's answers are judged (trainer_answers.h), and its output goes
// into the log (trainer_output.h).
// Each Prepare has a new process: no data of one study reaches the next, and
// the process may read the files that the manifest names now.
// Not thread-safe, but Stop may come from any thread.
class TrainerProcess : public Trainer {
 public:
  static constexpr int kMostFull = 20;

  // `folder`: the trainer's own folder, which the launcher's command line
  // names. Must be on the file system of the folders in the requests.
  TrainerProcess(TrainerLauncher& launcher, std::string folder,
                 std::function<void(absl::string_view)> log);
  ~TrainerProcess() override;

  // INTERNAL: the child died several times over the same call. ABORTED: it
  // failed otherwise, or it reported a full disk more than kMostFull times in
  // one study while the disk had room. RESOURCE_EXHAUSTED: it reports a full
  // disk. CANCELLED: stopped. DATA_LOSS: its result is not a plain file. The
  // trainer can say no more than one of these codes, with texts and warnings of
  // at most kMaxTrainerText bytes.
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

  // Ends the child; the call in flight and later ones answer CANCELLED.
  void Stop();

 private:
  // Returns the running child; starts one if there is none.
  absl::StatusOr<TrainerClient*> Child();
  absl::Status Start();
  // Ends the child. `wanted`: the child did not die by itself.
  void End(bool wanted = false);
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      const Request& request,
      absl::StatusOr<Response> (Trainer::*method)(const Request&));

  // Calls the running child `child`, and judges its answer.
  template <typename Request, typename Response>
  absl::StatusOr<Response> CallChild(
      TrainerClient& child, const Request& request,
      absl::StatusOr<Response> (Trainer::*method)(const Request&));
  absl::Status Judge(const absl::Status& said);

  // Returns the path in the trainer's folder of a file that is wanted at
  // `path`.
  std::string Own(absl::string_view path) const;
  // Moves the trainer's file to `path`. DATA_LOSS: it is not a plain file.
  absl::Status MoveDelta(const std::string& path) const;
  // Copies the trainer's file to `path`, if there is one. DATA_LOSS: it is not
  // a plain file.
  absl::Status Publish(const std::string& path) const;
  // Moves the files that Prepare wrote for the hospital's staff to the study's
  // folder.
  absl::Status PublishNotes() const;

  TrainerLauncher& launcher_;
  const std::string folder_;
  const std::function<void(absl::string_view)> log_;
  std::optional<v1::PrepareRequest> prepared_;
  std::string notes_dir_;  // where the prepared study's notes go
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
