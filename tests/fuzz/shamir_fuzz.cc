// SPDX-License-Identifier: Apache-2.0
// Fuzzes Shamir shares: a threshold, then shares, each as four bytes of x, the
// length of y, and y. The secret does not depend on the order of the shares.
#include <algorithm>
#include <cstring>
#include <vector>

#include "common/crypto/byte_view.h"
#include "common/secagg/shamir.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  FuzzInput input(data, size);
  const int threshold = static_cast<int8_t>(input.Byte());
  std::vector<Share> shares;
  while (!input.empty()) {
    Share& share = shares.emplace_back();
    const std::string x = input.Bytes(4);
    std::memcpy(&share.x, x.data(), x.size());
    share.y = SecretBytes::FromBytes(AsBytes(input.Text()));
  }
  absl::StatusOr<SecretBytes> secret = CombineShares(shares, threshold);
  if (!secret.ok()) return 0;
  HILUM_CHECK(secret->size() == kSharedSecretSize);
  std::reverse(shares.begin(), shares.begin() + threshold);
  absl::StatusOr<SecretBytes> again = CombineShares(shares, threshold);
  HILUM_CHECK(again.ok() && ConstantTimeEquals(*again, *secret));
  return 0;
}
