// SPDX-License-Identifier: Apache-2.0
// What an attack is after, and how much of it there is in what it gets.
#ifndef HILUM_TESTS_ADVERSARY_VECTORS_H_
#define HILUM_TESTS_ADVERSARY_VECTORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Pearson's. Of equal lengths of at least two, neither constant.
double Correlation(absl::Span<const double> a, absl::Span<const double> b);

// Above this in absolute value, two independent vectors of n elements, one of
// them random, correlate with a chance of about 2e-9: six standard deviations.
double NoiseBound(size_t n);

// The delta of all tracks that FakeTrainer makes at the site.
std::vector<double> DeltaOf(const v1::Study& study, const std::string& site);

// The words as two's complements, as far as `size`.
std::vector<double> AsNumbers(absl::Span<const uint32_t> words, size_t size);

// Words of a file, and the other way.
std::vector<uint32_t> WordsIn(const std::string& bytes);

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_VECTORS_H_
