// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segmentation_session.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/track_choice.h"
#include "site_agent/trainer/learning/network_pool.h"
#include "site_agent/trainer/learning/track_output.h"
#include "site_agent/trainer/segmentation/segment_track.h"
#include "site_agent/trainer/segmentation/segmenter.h"

namespace hilum {
namespace {

class SegmentationSession : public StudySession {
 public:
  explicit SegmentationSession(SiteStudy site)
      : site_(std::move(site)), study_(site_.study) {}

  absl::Status Open(const v1::PrepareRequest& request,
                    const TorchTrainerOptions& options);

  v1::PrepareResponse Describe() const override { return DescribeSite(site_); }
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  // Makes one for each thread, but not more than there are tracks.
  absl::Status MakeSegmenters();
  void WarnOfMissingMasks();
  // Loads a segmenter for one track; returns the travelling parameters.
  absl::StatusOr<std::vector<float>> Load(Segmenter& segmenter,
                                          const std::string& global_path,
                                          size_t track) const;
  // Runs NetworkPool::ForEach over the tracks.
  template <typename Item>
  absl::Status ForEachTrack(
      absl::FunctionRef<absl::Status(Segmenter&, int64_t, Item&)> make,
      absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
    return segmenters_.ForEach<Item>(static_cast<int64_t>(study_.tracks.size()),
                                     segmenters_.size(), /*torch_threads=*/1,
                                     make, consume);
  }

  SiteStudy site_;
  const PreparedStudy& study_;  // the site's
  NetworkPool<Segmenter> segmenters_;
};

absl::Status SegmentationSession::Open(const v1::PrepareRequest& request,
                                       const TorchTrainerOptions& options) {
  if (request.devices_size() > 1 || site_.ranks.size > 1) {
    return absl::InvalidArgumentError(
        "a study of segmentation trains on one device, not several: give one "
        "in trainer.devices");
  }
  HILUM_RETURN_IF_ERROR(ChooseDevice(request, site_));
  HILUM_RETURN_IF_ERROR(MakeSegmenters());
  HILUM_RETURN_IF_ERROR(LoadCases(request, options.further, site_));
  WarnOfMissingMasks();
  return absl::OkStatus();
}

absl::Status SegmentationSession::MakeSegmenters() {
  const int tracks = static_cast<int>(study_.tracks.size());
  const int count = site_.device.cuda ? 1 : std::min(site_.threads, tracks);
  const std::vector<float> none(
      static_cast<size_t>(study_.layout.travelling_size));
  for (int i = 0; i < count; ++i) {
    HILUM_ASSIGN_OR_RETURN(
        std::unique_ptr<Segmenter> segmenter,
        Segmenter::Create(static_cast<int>(study_.study.model().input_size()),
                          none, study_.study.training(), site_.device));
    segmenters_.Add(std::move(segmenter));
  }
  return absl::OkStatus();
}

void SegmentationSession::WarnOfMissingMasks() {
  const size_t cases = study_.cases().size();
  size_t missing = 0;
  for (size_t i = 0; i < cases; ++i) {
    missing += study_.LungsOf(v1::ARM_WHOLE, i).empty();
  }
  if (missing == 0) return;
  site_.warnings.push_back(
      absl::StrCat(missing, " of ", cases,
                   " cases have no lung mask that can be used: nothing is "
                   "learned from them"));
}

absl::StatusOr<std::vector<float>> SegmentationSession::Load(
    Segmenter& segmenter, const std::string& global_path, size_t track) const {
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> values,
      ReadTrack(global_path, track, study_.layout.travelling_size));
  HILUM_RETURN_IF_ERROR(segmenter.Load(values));
  return values;
}

absl::StatusOr<v1::TrainResponse> SegmentationSession::Train(
    const v1::TrainRequest& request) {
  if (request.round() == 0) {
    return absl::InvalidArgumentError("training rounds count from 1");
  }
  HILUM_ASSIGN_OR_RETURN(TrainOutput output,
                         TrainOutput::Open(request.delta_path()));
  HILUM_RETURN_IF_ERROR(ForEachTrack<TrainedTrack>(
      [&](Segmenter& segmenter, int64_t i,
          TrainedTrack& trained) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        if (IsStopped(request.choices(), track)) {
          LeaveOut(static_cast<size_t>(study_.layout.travelling_size), trained);
          return absl::OkStatus();
        }
        HILUM_ASSIGN_OR_RETURN(const std::vector<float> before,
                               Load(segmenter, request.global_path(), track));
        return TrainSegmentTrack(study_, segmenter, track, request.round(),
                                 before, trained);
      },
      [&](int64_t i, TrainedTrack& trained) {
        return output.Add(static_cast<size_t>(i), trained);
      }));
  return output.Take();
}

absl::StatusOr<v1::EvaluateResponse> SegmentationSession::Evaluate(
    const v1::EvaluateRequest& request) {
  EvaluateOutput output(request,
                        absl::StrCat(kPredictionCells, ",", kSegmentCells));
  HILUM_RETURN_IF_ERROR(ForEachTrack<EvaluatedTrack>(
      [&](Segmenter& segmenter, int64_t i,
          EvaluatedTrack& out) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        if (study_.tracks[track].IsFinal()) return absl::OkStatus();
        HILUM_RETURN_IF_ERROR(
            Load(segmenter, request.global_path(), track).status());
        return EvaluateSegmentTrack(study_, segmenter, track, output.model(),
                                    out);
      },
      [&](int64_t i, EvaluatedTrack& out) {
        if (!study_.tracks[static_cast<size_t>(i)].IsFinal()) {
          output.Add(std::move(out));
        }
        return absl::OkStatus();
      }));
  return output.Finish();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StudySession>> CreateSegmentationSession(
    const v1::PrepareRequest& request, const TorchTrainerOptions& options,
    SiteStudy site) {
  auto session = std::make_unique<SegmentationSession>(std::move(site));
  HILUM_RETURN_IF_ERROR(session->Open(request, options));
  return session;
}

}  // namespace hilum
