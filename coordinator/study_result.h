// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STUDY_RESULT_H_
#define HILUM_COORDINATOR_STUDY_RESULT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"
#include "hilum/v1/totals.pb.h"

namespace hilum {

// One committed training round.
struct RoundSummary {
  uint32_t round;                    // from 1
  std::vector<SiteId> contributors;  // sorted; none: its sum was lost
  // [arms], over all tracks of the arm; NaN where nobody trained. Rounds from
  // before losses were pooled have [tracks] here.
  std::vector<double> mean_loss;
  // [tracks], in the cohort. Empty: the study does not validate.
  std::vector<uint64_t> validation_examples = {};
  // [tracks], of the global that the round began with; NaN where no site had
  // cases. [arms] in rounds of protocols in which they were pooled (up to 6).
  std::vector<double> validation_loss = {};
  // [tracks]: training cases behind each track's updates, over all
  // contributors; zeros where the sum was lost. Empty: an older round without
  // these counts.
  std::vector<uint64_t> examples = {};
  // [contributors], over all tracks. Empty: unknown, because the round has a
  // masked sum.
  std::vector<uint64_t> site_examples = {};

  // Returns the contributors whose update counted with at least one case.
  std::vector<SiteId> Trainers() const;
  // Returns whether the lengths fit each other, as a stored round's must.
  bool HasFittingLengths() const;
  // Return the loss over all tracks of the arm, one of `arms`; NaN: there were
  // no examples. For an old round with losses by track, the first is the mean
  // of its tracks.
  double ArmLoss(size_t arm, size_t arms) const;
  double ArmValidationLoss(size_t arm, size_t arms) const;
  // Returns the loss over the examples of all tracks; NaN: there were none.
  double MeanValidationLoss() const { return ArmValidationLoss(0, 1); }
};

// A file of weights in the export.
struct ModelFile {
  std::string path;    // relative to the folder, e.g. model/NAME.pth
  std::string sha256;  // hex
  uint32_t round = 0;  // the round after which the weights came
};

// The coordinator's result of a finished study: the input of the reports and of
// the export. Holds no time, path or transport, so equal studies give equal
// reports.
struct StudyResult {
  v1::Study study;
  std::string study_hash;  // 32 raw bytes
  // Totals of the whole cohort, in the study's shape.
  v1::CensusTotals census_totals;
  v1::EvaluationTotals evaluation_totals;
  // Figures of the sites that are known one by one: all sites or, with secure
  // aggregation, those that publish theirs. A census without arms is not
  // published.
  std::map<SiteId, v1::SubmitCensusRequest> census;
  std::map<SiteId, v1::SubmitEvaluationRequest> evaluations;
  std::vector<RoundSummary> rounds;
  // Why the study was stopped before its end; empty: it was not. A stopped
  // study has no evaluation.
  std::string stopped;
  // [tracks]: the round after which each track's evaluated model came; 0: the
  // starting weights. Before the last round only where validation chose it.
  std::vector<uint32_t> model_rounds;
  // [tracks], hex, of the exported safetensors file; empty for a track that is
  // not trained, which has none.
  std::vector<std::string> model_sha256;
  std::vector<ModelFile> model_files;  // all, in the order of writing
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_RESULT_H_
