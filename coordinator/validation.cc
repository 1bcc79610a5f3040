// SPDX-License-Identifier: Apache-2.0
#include "coordinator/validation.h"

#include <cmath>
#include <limits>

namespace hilum {
namespace {

uint32_t TriedWithoutGain(const std::vector<RoundSummary>& rounds,
                          double minimum_gain) {
  double to_beat = std::numeric_limits<double>::infinity();
  uint32_t without = 0;
  for (const RoundSummary& round : rounds) {
    const double loss = round.MeanValidationLoss();
    if (std::isnan(loss)) continue;
    if (loss < to_beat - minimum_gain) {
      to_beat = loss;
      without = 0;
    } else {
      ++without;
    }
  }
  return without;
}

}  // namespace

std::optional<uint32_t> BestRound(const std::vector<RoundSummary>& rounds) {
  std::optional<uint32_t> best;
  double lowest = std::numeric_limits<double>::infinity();
  for (const RoundSummary& round : rounds) {
    const double loss = round.MeanValidationLoss();
    if (std::isnan(loss) || loss >= lowest) continue;
    lowest = loss;
    best = round.round - 1;
  }
  return best;
}

uint32_t EvaluatedRound(const std::vector<RoundSummary>& rounds,
                        bool has_best) {
  const auto last = static_cast<uint32_t>(rounds.size());
  return has_best ? BestRound(rounds).value_or(last) : last;
}

bool TrainingIsOver(const v1::Study& study,
                    const std::vector<RoundSummary>& rounds) {
  if (rounds.size() >= study.training().rounds()) return true;
  const v1::Validation& validation = study.training().validation();
  return validation.patience() > 0 &&
         TriedWithoutGain(rounds, validation.minimum_gain()) >=
             validation.patience();
}

}  // namespace hilum
