// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_RNG_H_
#define HILUM_COMMON_BASE_RNG_H_

#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"

namespace hilum {

// Repeatable pseudo-random numbers; never for keys, masks or noise. Each
// component draws from its own named stream, so that one more draw in one
// component changes no other. The same (seed, stream) gives the same numbers on
// every machine. Not thread-safe.
// Source: SplitMix64 (Steele, Lea, Flood 2014) seeding xoshiro256** (Blackman,
// Vigna 2018).
class Rng {
 public:
  Rng(uint64_t seed, absl::string_view stream);

  uint64_t Next();
  // Uniform in [0, 1), 53 bits.
  double Uniform();
  // Uniform in [0, bound), unbiased; bound > 0.
  uint64_t Below(uint64_t bound);
  // Standard normal, Box-Muller.
  double Normal();

  // Fisher-Yates over anything with size() and operator[].
  template <typename Container>
  void Shuffle(Container& items) {
    for (uint64_t i = items.size(); i > 1; --i) {
      uint64_t j = Below(i);
      using std::swap;
      swap(items[i - 1], items[j]);
    }
  }

 private:
  uint64_t state_[4];
};

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_RNG_H_
