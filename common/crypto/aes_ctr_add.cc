// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/aes_ctr_add.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "common/base/check.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace hilum {
namespace {

static_assert(std::endian::native == std::endian::little,
              "words are little-endian");

constexpr size_t kWordsPerBlock = kAesBlockSize / sizeof(uint32_t);
constexpr int kRounds = 10;  // of AES-128

using Sign = AesCtrAdder::Sign;
using Path = AesCtrAdder::Path;

void Combine(Sign sign, absl::Span<const uint32_t> keystream,
             uint32_t* values) {
  for (size_t i = 0; i < keystream.size(); ++i) {
    values[i] += sign == Sign::kAdd ? keystream[i] : 0 - keystream[i];
  }
}

#if defined(__x86_64__)

// Round keys of 16 bytes each.
struct alignas(64) Schedule {
  uint8_t bytes[kRounds + 1][kAesBlockSize];
};

template <int kRoundConstant>
[[gnu::target("aes,sse4.1")]] inline __m128i NextKey(__m128i key) {
  __m128i mixed = _mm_aeskeygenassist_si128(key, kRoundConstant);
  mixed = _mm_shuffle_epi32(mixed, 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, mixed);
}

[[gnu::target("aes,sse4.1")]] void Expand(const uint8_t* key16,
                                          Schedule& schedule) {
  __m128i key = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key16));
  auto* out = reinterpret_cast<__m128i*>(schedule.bytes);
  _mm_store_si128(out++, key);
  _mm_store_si128(out++, key = NextKey<0x01>(key));
  _mm_store_si128(out++, key = NextKey<0x02>(key));
  _mm_store_si128(out++, key = NextKey<0x04>(key));
  _mm_store_si128(out++, key = NextKey<0x08>(key));
  _mm_store_si128(out++, key = NextKey<0x10>(key));
  _mm_store_si128(out++, key = NextKey<0x20>(key));
  _mm_store_si128(out++, key = NextKey<0x40>(key));
  _mm_store_si128(out++, key = NextKey<0x80>(key));
  _mm_store_si128(out++, key = NextKey<0x1b>(key));
  _mm_store_si128(out++, key = NextKey<0x36>(key));
}

// Blocks in parallel, enough to keep the pipeline of the AES unit full.
constexpr size_t kLanes = 8;

// Applies `groups` times kLanes blocks from counter `block` on.
template <Sign kSign>
[[gnu::target("aes,sse4.1")]] void ApplyAesNi(const Schedule& schedule,
                                              uint64_t block, uint32_t* values,
                                              size_t groups) {
  const auto* keys = reinterpret_cast<const __m128i*>(schedule.bytes);
  // The counter is big-endian, in the upper half of its block.
  const __m128i swap =
      _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  auto* at = reinterpret_cast<__m128i*>(values);
  for (; groups > 0; --groups, block += kLanes, at += kLanes) {
    __m128i lane[kLanes];
    for (size_t i = 0; i < kLanes; ++i) {
      const __m128i counter =
          _mm_set_epi64x(static_cast<long long>(block + i), 0);
      lane[i] = _mm_xor_si128(_mm_shuffle_epi8(counter, swap), keys[0]);
    }
    for (int round = 1; round < kRounds; ++round) {
      for (__m128i& state : lane) state = _mm_aesenc_si128(state, keys[round]);
    }
    for (size_t i = 0; i < kLanes; ++i) {
      const __m128i mask = _mm_aesenclast_si128(lane[i], keys[kRounds]);
      const __m128i value = _mm_loadu_si128(at + i);
      _mm_storeu_si128(at + i, kSign == Sign::kAdd
                                   ? _mm_add_epi32(value, mask)
                                   : _mm_sub_epi32(value, mask));
    }
  }
}

// Does the same with two blocks in each of kLanes registers.
template <Sign kSign>
[[gnu::target("vaes,avx2")]] void ApplyVaes(const Schedule& schedule,
                                            uint64_t block, uint32_t* values,
                                            size_t groups) {
  const auto* keys = reinterpret_cast<const __m128i*>(schedule.bytes);
  const __m256i swap = _mm256_broadcastsi128_si256(
      _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  __m256i counter = _mm256_set_epi64x(static_cast<long long>(block + 1), 0,
                                      static_cast<long long>(block), 0);
  const __m256i step = _mm256_set_epi64x(2, 0, 2, 0);
  auto* at = reinterpret_cast<__m256i*>(values);
  for (; groups > 0; --groups, at += kLanes) {
    __m256i lane[kLanes];
    __m256i key = _mm256_broadcastsi128_si256(keys[0]);
    for (__m256i& state : lane) {
      state = _mm256_xor_si256(_mm256_shuffle_epi8(counter, swap), key);
      counter = _mm256_add_epi64(counter, step);
    }
    for (int round = 1; round < kRounds; ++round) {
      key = _mm256_broadcastsi128_si256(keys[round]);
      for (__m256i& state : lane) state = _mm256_aesenc_epi128(state, key);
    }
    key = _mm256_broadcastsi128_si256(keys[kRounds]);
    for (size_t i = 0; i < kLanes; ++i) {
      const __m256i mask = _mm256_aesenclast_epi128(lane[i], key);
      const __m256i value = _mm256_loadu_si256(at + i);
      _mm256_storeu_si256(at + i, kSign == Sign::kAdd
                                      ? _mm256_add_epi32(value, mask)
                                      : _mm256_sub_epi32(value, mask));
    }
  }
}

// Some compilers' __builtin_cpu_supports does not know VAES.
bool HasVaes() {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 9 & 1) != 0;
}

using Kernel = void (*)(const Schedule& schedule, uint64_t block,
                        uint32_t* values, size_t groups);

#endif

Path Best() {
  for (Path path : {Path::kVaes, Path::kAesNi}) {
    if (AesCtrAdder::Has(path)) return path;
  }
  return Path::kOpenSsl;
}

}  // namespace

bool AesCtrAdder::Has(Path path) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool aes = __builtin_cpu_supports("aes") != 0 &&
                   __builtin_cpu_supports("sse4.1") != 0;
  if (path == Path::kAesNi) return aes;
  if (path == Path::kVaes) {
    return aes && __builtin_cpu_supports("avx2") != 0 && HasVaes();
  }
#else
  if (path == Path::kAesNi || path == Path::kVaes) return false;
#endif
  return true;
}

struct AesCtrAdder::State {
  std::optional<AesCtrStream> stream;  // Path::kOpenSsl
  uint64_t next_word = 0;              // of the stream
#if defined(__x86_64__)
  Schedule schedule;
  size_t group = 0;  // blocks that a kernel takes at once
  Kernel add = nullptr, subtract = nullptr;

  ~State() {
    WipeMemory({reinterpret_cast<uint8_t*>(&schedule), sizeof schedule});
  }

  // Applies whole groups.
  void Run(Sign sign, uint64_t block, uint32_t* values, size_t groups) {
    (sign == Sign::kAdd ? add : subtract)(schedule, block, values, groups);
  }
#endif

  void ApplyStream(Sign sign, uint64_t first_word, absl::Span<uint32_t> values);
};

AesCtrAdder::AesCtrAdder(const SecretBytes& key16, Path path)
    : state_(std::make_unique<State>()) {
  HILUM_CHECK(key16.size() == kAes128KeySize && Has(path));
  if (path == Path::kBest) path = Best();
  if (path == Path::kOpenSsl) {
    state_->stream.emplace(key16);
    return;
  }
#if defined(__x86_64__)
  Expand(key16.ExposeBytes().data(), state_->schedule);
  const bool vaes = path == Path::kVaes;
  state_->group = vaes ? 2 * kLanes : kLanes;
  state_->add = vaes ? ApplyVaes<Sign::kAdd> : ApplyAesNi<Sign::kAdd>;
  state_->subtract =
      vaes ? ApplyVaes<Sign::kSubtract> : ApplyAesNi<Sign::kSubtract>;
#endif
}

AesCtrAdder::~AesCtrAdder() = default;
AesCtrAdder::AesCtrAdder(AesCtrAdder&&) noexcept = default;
AesCtrAdder& AesCtrAdder::operator=(AesCtrAdder&&) noexcept = default;

void AesCtrAdder::State::ApplyStream(Sign sign, uint64_t first_word,
                                     absl::Span<uint32_t> values) {
  uint32_t keystream[1024];
  const absl::Span<uint8_t> bytes(reinterpret_cast<uint8_t*>(keystream),
                                  sizeof keystream);
  if (first_word != next_word) {
    stream->Seek(first_word / kWordsPerBlock);
    stream->Next(bytes.first(first_word % kWordsPerBlock * sizeof(uint32_t)));
  }
  next_word = first_word + values.size();
  while (!values.empty()) {
    const size_t size = std::min(values.size(), std::size(keystream));
    stream->Next(bytes.first(size * sizeof(uint32_t)));
    Combine(sign, {keystream, size}, values.data());
    values.remove_prefix(size);
  }
  WipeMemory(bytes);
}

void AesCtrAdder::Apply(Sign sign, uint64_t first_word,
                        absl::Span<uint32_t> values) {
  if (state_->stream.has_value()) {
    return state_->ApplyStream(sign, first_word, values);
  }
#if defined(__x86_64__)
  const size_t group_words = state_->group * kWordsPerBlock;
  // Incomplete groups at the front and the back go through a whole one.
  uint32_t padded[2 * kLanes * kWordsPerBlock];
  while (!values.empty()) {
    const uint64_t block = first_word / kWordsPerBlock;
    const size_t inside = first_word % kWordsPerBlock;
    size_t size = values.size() / group_words * group_words;
    if (inside == 0 && size > 0) {
      state_->Run(sign, block, values.data(), size / group_words);
    } else {
      size = std::min(values.size(), group_words - inside);
      std::memcpy(padded + inside, values.data(), size * sizeof(uint32_t));
      state_->Run(sign, block, padded, 1);
      std::memcpy(values.data(), padded + inside, size * sizeof(uint32_t));
    }
    values.remove_prefix(size);
    first_word += size;
  }
  WipeMemory({reinterpret_cast<uint8_t*>(padded), sizeof padded});
#endif
}

}  // namespace hilum
