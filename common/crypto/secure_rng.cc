// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/secure_rng.h"

#include <openssl/rand.h>

#include "common/base/check.h"

namespace hilum {
namespace {

class OpenSslRng : public SecureRng {
 public:
  void Fill(absl::Span<uint8_t> bytes) override {
    HILUM_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  }
};

}  // namespace

SecureRng& RealSecureRng() {
  static OpenSslRng* const rng = new OpenSslRng;
  return *rng;
}

}  // namespace hilum
