// SPDX-License-Identifier: Apache-2.0
#include "tests/adversary/vectors.h"

#include <cmath>
#include <cstring>

#include "common/base/check.h"
#include "common/base/rng.h"
#include "common/config/study.h"
#include "common/model/architecture.h"

namespace hilum {

double Correlation(absl::Span<const double> a, absl::Span<const double> b) {
  HILUM_CHECK(a.size() == b.size() && a.size() >= 2);
  const double n = static_cast<double>(a.size());
  double mean_a = 0, mean_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    mean_a += a[i] / n;
    mean_b += b[i] / n;
  }
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

double NoiseBound(size_t n) { return 6 / std::sqrt(static_cast<double>(n)); }

std::vector<double> DeltaOf(const v1::Study& study, const std::string& site) {
  const ParameterLayout layout = StudyLayout(study).value();
  std::vector<double> delta(static_cast<size_t>(layout.travelling_size) *
                            StudyTracks(study).size());
  Rng rng(study.seed(), site);
  for (double& value : delta) value = rng.Uniform() * 1e-3;
  return delta;
}

std::vector<double> AsNumbers(absl::Span<const uint32_t> words, size_t size) {
  HILUM_CHECK(size <= words.size());
  std::vector<double> numbers(size);
  for (size_t i = 0; i < size; ++i) {
    numbers[i] = static_cast<int32_t>(words[i]);
  }
  return numbers;
}

std::vector<uint32_t> WordsIn(const std::string& bytes) {
  std::vector<uint32_t> words(bytes.size() / sizeof(uint32_t));
  std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint32_t));
  return words;
}

}  // namespace hilum
