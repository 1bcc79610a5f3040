// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_SEEDED_SECURE_RNG_H_
#define HILUM_TESTS_SUPPORT_SEEDED_SECURE_RNG_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/rng.h"
#include "common/crypto/secure_rng.h"

namespace hilum {

// Keys and masks that can be repeated, for tests: the bytes of Rng(seed,
// stream), eight from each number, little-endian. The result depends on how
// calls divide the bytes. Thread-safe.
class SeededSecureRng : public SecureRng {
 public:
  SeededSecureRng(uint64_t seed, absl::string_view stream);
  void Fill(absl::Span<uint8_t> bytes) override;

 private:
  absl::Mutex mutex_;
  Rng rng_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_SEEDED_SECURE_RNG_H_
