// SPDX-License-Identifier: Apache-2.0
// The masks of secure aggregation: a seed of 16 bytes is stretched to a vector
// over the ring of integers mod 2^32, which is added to a site's vector x:
//   y_u = x_u + PRG(b_u) + sum_{u<v} PRG(s_uv) - sum_{u>v} PRG(s_uv)
// In the sum over all sites the pairwise masks PRG(s_uv) cancel.
//
// Element i of PRG(seed) is the little-endian 32-bit number at byte 4 i of the
// AES-128-CTR stream of the seed from counter zero. A seed makes one mask, and
// a mask hides one vector: two vectors under the same mask reveal their
// difference. Time does not depend on seeds or values.
// Source: Bonawitz et al. 2017 (ePrint 2017/281), sections 3.4 and 4.
#ifndef HILUM_COMMON_SECAGG_MASK_H_
#define HILUM_COMMON_SECAGG_MASK_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "common/crypto/aes_ctr_add.h"
#include "common/crypto/secret.h"

namespace hilum {

inline constexpr size_t kMaskSeedSize = kAes128KeySize;

using MaskSign = AesCtrAdder::Sign;

// One mask, for a vector that comes in blocks, in any order. Its key is
// expanded once, which takes as long as some hundred elements. Not thread-safe.
class MaskStream {
 public:
  MaskStream(const SecretBytes& seed16, MaskSign sign);

  // Computes values[i] += or -= mask[first_element + i] mod 2^32, in place, any
  // length.
  void Apply(uint64_t first_element, absl::Span<uint32_t> values);

 private:
  AesCtrAdder adder_;
  MaskSign sign_;
};

// Applies every mask to a block of `values` while it is in cache, then goes to
// the next block: memory is read once, however many masks there are.
void ApplyMaskStreams(absl::Span<MaskStream> streams, uint64_t first_element,
                      absl::Span<uint32_t> values);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_MASK_H_
