// SPDX-License-Identifier: Apache-2.0
// The vectors that an attack is after, and how much of them its results show.
#ifndef HILUM_TESTS_ADVERSARY_VECTORS_H_
#define HILUM_TESTS_ADVERSARY_VECTORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns Pearson's correlation of two vectors of the same length, at least
// two. Neither is constant.
double Correlation(absl::Span<const double> a, absl::Span<const double> b);

// Returns six standard deviations of the correlation of two independent vectors
// of n elements, one of them random. The chance of more, in absolute value, is
// about 2e-9.
double NoiseBound(size_t n);

// Returns the delta of all tracks that FakeTrainer makes at the site.
std::vector<double> DeltaOf(const v1::Study& study, const std::string& site);

// Returns the first `size` words as two's complements.
std::vector<double> AsNumbers(absl::Span<const uint32_t> words, size_t size);

// Convert the bytes of a file to words, and words to bytes.
std::vector<uint32_t> WordsIn(const std::string& bytes);

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_VECTORS_H_
