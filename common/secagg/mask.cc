// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/mask.h"

#include <algorithm>

namespace hilum {
namespace {

// 16 KB, half of a first-level cache. A multiple of the cipher's own block
// count, so that blocks which begin at one have no incomplete ends.
constexpr size_t kElementsAtOnce = 4096;

}  // namespace

MaskStream::MaskStream(const SecretBytes& seed16, MaskSign sign)
    : adder_(seed16), sign_(sign) {}

void MaskStream::Apply(uint64_t first_element, absl::Span<uint32_t> values) {
  adder_.Apply(sign_, first_element, values);
}

void ApplyMaskStreams(absl::Span<MaskStream> streams, uint64_t first_element,
                      absl::Span<uint32_t> values) {
  while (!values.empty()) {
    const size_t size = std::min(
        values.size(),
        kElementsAtOnce - static_cast<size_t>(first_element % kElementsAtOnce));
    for (MaskStream& stream : streams) {
      stream.Apply(first_element, values.first(size));
    }
    values.remove_prefix(size);
    first_element += size;
  }
}

}  // namespace hilum
