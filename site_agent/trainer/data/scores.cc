// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hilum {
namespace {

// Returns log(sum exp) over all but `without` (-1: over all).
double LogSumExp(absl::Span<const float> logits, int without) {
  double top = -std::numeric_limits<double>::infinity();
  for (int i = 0; i < static_cast<int>(logits.size()); ++i) {
    if (i != without) top = std::max<double>(top, logits[i]);
  }
  double sum = 0;
  for (int i = 0; i < static_cast<int>(logits.size()); ++i) {
    if (i != without) sum += std::exp(logits[i] - top);
  }
  return top + std::log(sum);
}

}  // namespace

std::vector<double> LogSoftmax(absl::Span<const float> logits) {
  double total = LogSumExp(logits, -1);
  std::vector<double> out;
  for (float v : logits) out.push_back(v - total);
  return out;
}

std::vector<double> LogOdds(absl::Span<const float> logits) {
  std::vector<double> out;
  for (int i = 0; i < static_cast<int>(logits.size()); ++i) {
    out.push_back(logits[i] - LogSumExp(logits, i));
  }
  return out;
}

int ScoreBin(double log_odds, int bins) {
  if (!(log_odds > -16.0)) return 0;
  double z = std::min(log_odds, 16.0);
  return std::min(bins - 1, static_cast<int>((z + 16.0) / 32.0 * bins));
}

void AddCase(absl::Span<const float> logits, int label,
             v1::TrackEvaluation& evaluation) {
  int classes = evaluation.classes_size();
  auto top = std::max_element(logits.begin(), logits.end());
  int cell = label * classes + static_cast<int>(top - logits.begin());
  evaluation.set_confusion(cell, evaluation.confusion(cell) + 1);
  std::vector<double> odds = LogOdds(logits);
  for (int k = 0; k < classes; ++k) {
    auto* histogram = evaluation.mutable_classes(k);
    auto* counts = k == label ? histogram->mutable_positives()
                              : histogram->mutable_negatives();
    ++(*counts->Mutable(ScoreBin(odds[k], counts->size())));
  }
  evaluation.set_loss_sum(evaluation.loss_sum() - LogSoftmax(logits)[label]);
}

v1::TrackEvaluation NewEvaluation(int track, int classes, int bins) {
  v1::TrackEvaluation evaluation;
  evaluation.set_track(track);
  evaluation.mutable_confusion()->Resize(classes * classes, 0);
  for (int k = 0; k < classes; ++k) {
    auto* histogram = evaluation.add_classes();
    histogram->mutable_positives()->Resize(bins, 0);
    histogram->mutable_negatives()->Resize(bins, 0);
  }
  return evaluation;
}

}  // namespace hilum
