// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/overlap.h"

#include <algorithm>
#include <cstddef>
#include <map>

namespace hilum {

Overlap OverlapOf(const BinaryMask& a, const BinaryMask& b) {
  double both = 0, sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    both += a.pixels[i] & b.pixels[i];
    sum += a.pixels[i] + b.pixels[i];
  }
  if (sum == 0) return {1, 1};
  return {2 * both / sum, both / (sum - both)};
}

MeanInterval PatientBootstrap(absl::Span<const double> values,
                              absl::Span<const std::string> patients,
                              Rng& rng) {
  struct Sum {
    double sum = 0, count = 0;
  };
  std::map<std::string, Sum> by_patient;
  Sum all;
  for (size_t i = 0; i < values.size(); ++i) {
    Sum& patient = by_patient[patients[i]];
    for (Sum* s : {&patient, &all}) {
      s->sum += values[i];
      s->count += 1;
    }
  }
  if (all.count == 0) return {};
  std::vector<Sum> sums;
  for (const auto& [patient, sum] : by_patient) sums.push_back(sum);
  std::vector<double> means;
  for (int b = 0; b < kBootstraps; ++b) {
    Sum drawn;
    for (size_t i = 0; i < sums.size(); ++i) {
      const Sum& s = sums[rng.Below(sums.size())];
      drawn.sum += s.sum;
      drawn.count += s.count;
    }
    means.push_back(drawn.sum / drawn.count);
  }
  std::sort(means.begin(), means.end());
  return {all.sum / all.count, means[kBootstraps / 40],
          means[kBootstraps - 1 - kBootstraps / 40]};
}

}  // namespace hilum
