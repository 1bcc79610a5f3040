// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/mask.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "common/base/check.h"

namespace hilum {
namespace {

static_assert(std::endian::native == std::endian::little,
              "a mask's elements are little-endian");

constexpr uint64_t kElementsPerAesBlock = kAesBlockSize / sizeof(uint32_t);

// 4 KB: measured the fastest of 4 to 16 KB, where a block, its keystream and
// what the machine reads ahead share a first-level cache of 32 KB.
constexpr size_t kElementsAtOnce = 1024;

// Where blocks begin, so that no vector of AVX2 straddles two cache lines.
constexpr size_t kCacheLine = 64;

absl::Span<uint8_t> BytesOf(absl::Span<uint32_t> values) {
  return {reinterpret_cast<uint8_t*>(values.data()),
          values.size() * sizeof(uint32_t)};
}

// `xored` is value XOR mask. For each instruction set the compiler makes the
// loop anew.
using Combine = void (*)(const uint32_t* xored, size_t size, uint32_t* values);

template <MaskSign kSign>
[[gnu::always_inline]] inline void CombineLoop(const uint32_t* __restrict xored,
                                               size_t size,
                                               uint32_t* __restrict values) {
  for (size_t i = 0; i < size; ++i) {
    uint32_t mask = xored[i] ^ values[i];
    values[i] += kSign == MaskSign::kAdd ? mask : 0 - mask;
  }
}

template <MaskSign kSign>
void CombinePlain(const uint32_t* xored, size_t size, uint32_t* values) {
  CombineLoop<kSign>(xored, size, values);
}

#if defined(__x86_64__)
template <MaskSign kSign>
[[gnu::target("avx2")]] void CombineAvx2(const uint32_t* xored, size_t size,
                                         uint32_t* values) {
  CombineLoop<kSign>(xored, size, values);
}
#endif

template <MaskSign kSign>
Combine FastestCombine() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return CombineAvx2<kSign>;
#endif
  return CombinePlain<kSign>;
}

Combine CombineOf(MaskSign sign) {
  static const Combine add = FastestCombine<MaskSign::kAdd>();
  static const Combine subtract = FastestCombine<MaskSign::kSubtract>();
  return sign == MaskSign::kAdd ? add : subtract;
}

// Of the block that ends where a cache line does.
size_t FirstBlockSize(absl::Span<const uint32_t> values) {
  size_t past = reinterpret_cast<uintptr_t>(values.data()) % kCacheLine;
  return std::min(values.size(), kElementsAtOnce - past / sizeof(uint32_t));
}

}  // namespace

MaskStream::MaskStream(const SecretBytes& seed16, MaskSign sign)
    : stream_(seed16), sign_(sign) {}

void MaskStream::MoveTo(uint64_t element) {
  if (element == next_element_) return;
  HILUM_CHECK(element % kElementsPerAesBlock == 0);
  stream_.Seek(element / kElementsPerAesBlock);
  next_element_ = element;
}

void MaskStream::ApplyHere(absl::Span<uint32_t> xored,
                           absl::Span<uint32_t> values) {
  // The cipher reads the values where it would read zeros: that fetches them
  // from memory while it computes, and the sum then finds them in cache.
  stream_.NextXor(BytesOf(values), BytesOf(xored));
  CombineOf(sign_)(xored.data(), values.size(), values.data());
  next_element_ += values.size();
}

void MaskStream::Apply(uint64_t first_element, absl::Span<uint32_t> values) {
  ApplyMaskStreams(absl::MakeSpan(this, 1), first_element, values);
}

void ApplyMaskStreams(absl::Span<MaskStream> streams, uint64_t first_element,
                      absl::Span<uint32_t> values) {
  alignas(kCacheLine) uint32_t memory[kElementsAtOnce];
  absl::Span<uint32_t> used(memory, std::min(values.size(), kElementsAtOnce));
  for (MaskStream& stream : streams) stream.MoveTo(first_element);
  absl::Span<uint32_t> block = values.first(FirstBlockSize(values));
  while (!block.empty()) {
    for (MaskStream& stream : streams) {
      stream.ApplyHere(used.first(block.size()), block);
    }
    values.remove_prefix(block.size());
    block = values.subspan(0, kElementsAtOnce);
  }
  WipeMemory(BytesOf(used));
}

void ApplyMasks(absl::Span<const SeededMask> masks, uint64_t first_element,
                absl::Span<uint32_t> values) {
  std::vector<MaskStream> streams;
  streams.reserve(masks.size());
  for (const SeededMask& mask : masks) {
    streams.emplace_back(mask.seed, mask.sign);
  }
  ApplyMaskStreams(absl::MakeSpan(streams), first_element, values);
}

void ApplyMask(const SecretBytes& seed16, MaskSign sign, uint64_t first_element,
               absl::Span<uint32_t> values) {
  MaskStream(seed16, sign).Apply(first_element, values);
}

}  // namespace hilum
