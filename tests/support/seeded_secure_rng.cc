// SPDX-License-Identifier: Apache-2.0
#include "tests/support/seeded_secure_rng.h"

namespace hilum {

SeededSecureRng::SeededSecureRng(uint64_t seed, absl::string_view stream)
    : rng_(seed, stream) {}

void SeededSecureRng::Fill(absl::Span<uint8_t> bytes) {
  absl::MutexLock lock(&mutex_);
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i, number >>= 8) {
    if (i % 8 == 0) number = rng_.Next();
    bytes[i] = static_cast<uint8_t>(number);
  }
}

}  // namespace hilum
