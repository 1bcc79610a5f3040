// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SEGMENTATION_REPORT_H_
#define HILUM_TESTS_COORDINATOR_SEGMENTATION_REPORT_H_

#include "tests/coordinator/written_report.h"

namespace hilum {

// So many patients with two cases each, half of them with this Dice and half
// with a tenth less; one case is implausible.
inline v1::Overlap OverlapOf(uint64_t patients, double dice) {
  v1::Overlap overlap;
  overlap.set_cases(2 * patients);
  overlap.set_patients(patients);
  overlap.set_implausible(1);
  const double half = static_cast<double>(patients) / 2, low = dice - 0.1;
  overlap.set_dice_sum(half * (dice + low));
  overlap.set_dice_square_sum(half * (dice * dice + low * low));
  overlap.set_iou_sum(half * 0.5);
  overlap.set_iou_square_sum(half * 0.25);
  return overlap;
}

inline v1::SubmitEvaluationRequest Overlaps(double dice) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation& track = *evaluation.add_tracks();
    track.set_track(t);
    track.set_loss_sum(4);
    *track.add_overlaps() = OverlapOf(4, dice);
    *track.add_overlaps() = OverlapOf(6, dice);
    *track.add_overlaps() = OverlapOf(10, dice);
    track.mutable_overlaps(2)->set_implausible(2);
  }
  return evaluation;
}

class SegmentationReportTest : public ReportTest {
 protected:
  SegmentationReportTest() {
    study_.Clear();
    study_.set_name("lungs");
    study_.set_task(v1::STUDY_TASK_SEGMENTATION);
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    for (const char* site : {"a", "b"}) study_.add_sites(site);
    study_.mutable_cross_validation()->set_folds(2);
    FillStudyDefaults(study_);
    EXPECT_TRUE(ValidateStudy(study_).ok()) << ValidateStudy(study_);
    federated_.study = study_;
    federated_.evaluations[a_] = Overlaps(0.9);
    federated_.evaluations[b_] = Overlaps(0.7);
    federated_.census[a_].set_rejected_masks(0, 5);
    federated_.census_totals = SumCensus(study_, federated_.census);
    federated_.evaluation_totals =
        SumEvaluations(study_, federated_.evaluations);
  }

  const SiteId a_{"a"}, b_{"b"};
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SEGMENTATION_REPORT_H_
