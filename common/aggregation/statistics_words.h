// SPDX-License-Identifier: Apache-2.0
// Functions that census and evaluation share as vectors (statistics_vector.h).
#ifndef HILUM_COMMON_AGGREGATION_STATISTICS_WORDS_H_
#define HILUM_COMMON_AGGREGATION_STATISTICS_WORDS_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// Takes a vector apart, from the front.
class WordReader {
 public:
  explicit WordReader(absl::Span<const uint32_t> words) : words_(words) {}
  uint32_t Next() {
    const uint32_t word = words_.front();
    words_.remove_prefix(1);
    return word;
  }

 private:
  absl::Span<const uint32_t> words_;
};

template <typename Counts>
uint64_t SumOf(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// Adds: sums[i] += counts[i]; an old study without counts adds none.
template <typename Counts>
void AddCounts(const Counts& counts, Counts& sums) {
  const int size = std::min(counts.size(), sums.size());
  for (int i = 0; i < size; ++i) sums[i] += counts[i];
}

template <typename Counts>
void AppendCounts(const Counts& counts, std::vector<uint32_t>& words) {
  for (auto count : counts) words.push_back(static_cast<uint32_t>(count));
}

template <typename Counts>
void ReadCounts(WordReader& words, Counts& counts) {
  for (auto& count : counts) count = words.Next();
}

// INVALID_ARGUMENT: size != wanted.
absl::Status LengthIs(absl::string_view what, size_t size, int64_t wanted);

// ABORTED: no sites can have such a sum.
absl::Status Absurd(absl::string_view what);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_STATISTICS_WORDS_H_
