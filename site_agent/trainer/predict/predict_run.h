// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer predict`: what trained models say of radiographs.
#ifndef HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_RUN_H_
#define HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_RUN_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/model/model_facts.h"

namespace hilum {

struct PredictOptions {
  std::vector<std::string> models;  // files of weights
  std::vector<std::string> data;    // as ListCases takes it
  std::string out;                  // ends in .csv or .jsonl
  bool force = false;               // replaces `out`
  std::string arm;                  // "whole", "segmented"; empty: the models'
  ModelNotes notes;
  bool each_model = false;  // writes the scores of the single models, too
  bool every_case = false;  // CaseReadOptions'
  // Weights of the network that finds the lungs of cases without a mask; empty:
  // nothing finds them.
  std::string lungs_weights;
  int views = 1;  // of each case, which are averaged; the first is the case
  int threads = 1;
  std::string device;     // as FindDevice takes it
  bool progress = false;  // shows it on standard error
};

// Writes a row of `out` for each case: the mean over models and views of the
// classes' probabilities or, where the models should not answer, the reason.
// Prints counts to `out` and warnings to `errors`. Rows are in the order of
// `data`; the number of threads changes no bit on a CPU. ALREADY_EXISTS: `out`
// exists, and `force` is off. INVALID_ARGUMENT: an unknown arm, or none in the
// models' files; errors of Ensemble::Open and ListCases. UNKNOWN: some cases
// could not be read; all others are in `out`.
absl::Status Predict(const PredictOptions& options, std::ostream& out,
                     std::ostream& errors);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_RUN_H_
