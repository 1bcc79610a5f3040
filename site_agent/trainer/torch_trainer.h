// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_
#define HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "site_agent/trainer/case_pool.h"
#include "site_agent/trainer/module.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// The trainer that learns. Everything random comes from the study's seed,
// in a stream per site, track and round; the same request gives the same bits,
// whatever else the machine does. Threads work on tracks side by side, each on
// one, so their number does not change a bit either; only a network too large
// to be held several times is trained by all threads together, and its last
// bits then depend on their number.
// Not thread-safe; several may run in threads of their own.
class TorchTrainer : public Trainer {
 public:
  // `further`: sites whose cases a simulator pools with those of the request,
  // and whose data_rules.max_bad_share then counts the pool's rows.
  explicit TorchTrainer(std::vector<CaseSource> further = {});
  ~TorchTrainer() override;

  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  // FAILED_PRECONDITION: not prepared. OUT_OF_RANGE: the loss is not finite
  // (names the track). DATA_LOSS: a blob of another length.
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  struct Prepared;

  // One track's part of a task.
  struct TrackRun {
    std::vector<float> delta;
    v1::TrackUpdate update;
    v1::TrackEvaluation evaluation;
    std::string predictions;
  };

  absl::Status Begin(const std::string& frozen_path);
  absl::StatusOr<std::vector<float>> LoadTrack(Module& module,
                                               const std::string& global_path,
                                               size_t track) const;
  absl::Status TrainTrack(Module& module, const v1::TrainRequest& request,
                          size_t track, TrackRun& run) const;
  absl::Status EvaluateTrack(Module& module, const v1::EvaluateRequest& request,
                             size_t track, TrackRun& run) const;
  // `make` for every track, in as many threads as there are modules;
  // `consume` in the tracks' order.
  absl::Status ForEachTrack(
      absl::FunctionRef<absl::Status(Module&, size_t, TrackRun&)> make,
      absl::FunctionRef<absl::Status(size_t, TrackRun&)> consume);

  const std::vector<CaseSource> further_;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_
