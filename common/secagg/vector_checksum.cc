// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/vector_checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/blob_file.h"
#include "common/aggregation/sum_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hilum {

static_assert(std::endian::native == std::endian::little);

namespace {

using Uint128 = unsigned __int128;

constexpr Uint128 kP = (Uint128{1} << 127) - 1;

// Words between two reductions. A dot product of so many words below 2^48 with
// limbs of 64 bits stays below 2^121, and needs no carry.
constexpr size_t kPowers = SumChecksum::kStep;
constexpr int64_t kBlock = 1 << 16;  // words read at once
static_assert(kBlock % kPowers == 0 && kBlock % SumFile::kCarryStep == 0);

// Returns x mod p, since 2^127 = 1.
Uint128 Reduce(Uint128 x) {
  x = (x & kP) + (x >> 127);
  return x >= kP ? x - kP : x;
}

Uint128 AddMod(Uint128 a, Uint128 b) { return Reduce(a + b); }

Uint128 Product(uint64_t a, uint64_t b) { return static_cast<Uint128>(a) * b; }

// Returns x * 2^64 mod p: the high 64 bits of x times 2^128 = 2, plus the low
// 64 bits, whose top bit becomes 2^127 = 1.
Uint128 TimesTwo64(Uint128 x) {
  const auto low = static_cast<uint64_t>(x);
  const auto high = static_cast<uint64_t>(x >> 64);
  return AddMod(static_cast<Uint128>(high) << 1, Reduce(Uint128{low} << 64));
}

// Requires a, b < p.
Uint128 MultiplyMod(Uint128 a, Uint128 b) {
  const auto a0 = static_cast<uint64_t>(a), b0 = static_cast<uint64_t>(b);
  const auto a1 = static_cast<uint64_t>(a >> 64);
  const auto b1 = static_cast<uint64_t>(b >> 64);
  // The limbs a1 and b1 are below 2^63: no sum here reaches 2^128.
  const Uint128 middle =
      AddMod(Reduce(Product(a0, b1)), Reduce(Product(a1, b0)));
  const Uint128 high = Reduce(Product(a1, b1));  // times 2^128 = 2
  return AddMod(AddMod(Reduce(Product(a0, b0)), TimesTwo64(middle)),
                AddMod(high, high));
}

absl::StatusOr<Uint128> RhoOf(absl::string_view challenge) {
  if (challenge.size() != kChecksumChallengeSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a checksum's challenge has ", challenge.size(),
                     " bytes, expected ", kChecksumChallengeSize));
  }
  for (char counter = 0;; ++counter) {
    const std::string digest = Sha256Of(absl::StrCat(
        "hilum vector checksum v1", challenge, absl::string_view(&counter, 1)));
    Uint128 rho;
    std::memcpy(&rho, digest.data(), sizeof(rho));
    rho &= kP;  // 127 bits
    if (rho != 0 && rho != kP) return rho;
  }
}

// Returns x * 2^bits mod p for x < p and bits < 127: a rotation of 127 bits.
Uint128 TimesTwoTo(Uint128 x, int bits) {
  return Reduce(((x << bits) & kP) | (x >> (127 - bits)));
}

bool HasAvx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

}  // namespace

// rho, rho^2, ..., rho^kPowers.
class SumChecksum::Powers {
 public:
  Powers(Uint128 rho, Path path) : vectors_(path == Path::kBest && HasAvx2()) {
    Uint128 power = rho;
    for (size_t i = 0; i < kPowers; ++i) {
      low_[i] = static_cast<uint64_t>(power);
      high_[i] = static_cast<uint64_t>(power >> 64);
      for (size_t k = 0; k < kLimbs; ++k) {
        limbs_[k][i] = static_cast<uint32_t>(power >> (kLimbBits * k)) &
                       ((1u << kLimbBits) - 1);
      }
      if (i + 1 == kPowers) step_ = power;
      power = MultiplyMod(power, rho);
    }
  }

  // Returns sum_i T_i rho^(first + i + 1), where T_i = low_i + carry_i * 2^32.
  // Empty carries are zeros.
  Uint128 SumOf(uint64_t first, absl::Span<const uint32_t> low,
                absl::Span<const uint32_t> carries) const {
    Uint128 sum = 0, before = StepTo(first / kPowers);
    for (size_t at = 0; at < low.size(); at += kPowers) {
      const auto piece = low.subspan(at, kPowers);
      const auto over =
          carries.empty() ? carries : carries.subspan(at, kPowers);
      sum = AddMod(sum, MultiplyMod(Dot(piece, over), before));
      before = MultiplyMod(before, step_);
    }
    return sum;
  }

 private:
  static constexpr size_t kLimbs = 5;
  static constexpr size_t kLimbBits = 26;
  static constexpr size_t kLanes = 8;  // words in a register of 256 bits
  // Words between two carries of the limbs. Each of the 4 sums in a register
  // takes kFlush / 4 products below 2^(32 + kLimbBits).
  static constexpr size_t kFlush = 256;
  static_assert(kLimbs * kLimbBits >= 127 && kPowers % kFlush == 0);
  static_assert(kFlush / 4 <= size_t{1} << (64 - 32 - kLimbBits));

  // Returns rho^(kPowers * count).
  Uint128 StepTo(uint64_t count) const {
    Uint128 power = 1, square = step_;
    for (; count > 0; count >>= 1) {
      if ((count & 1) != 0) power = MultiplyMod(power, square);
      square = MultiplyMod(square, square);
    }
    return power;
  }

  Uint128 Dot(absl::Span<const uint32_t> low,
              absl::Span<const uint32_t> carries) const {
    if (!vectors_ || low.size() < kPowers) {
      return carries.empty()
                 ? DotPlain(low.size(), [&](size_t i) { return low[i]; })
                 : DotPlain(low.size(), [&](size_t i) {
                     return low[i] | static_cast<uint64_t>(carries[i]) << 32;
                   });
    }
    const Uint128 sum = DotAvx2(low.data());
    return carries.empty()
               ? sum
               : AddMod(sum, TimesTwoTo(DotAvx2(carries.data()), 32));
  }

  // Returns sum_i word(i) rho^(i+1) as four sums: no limb waits for a carry.
  template <typename Word>
  Uint128 DotPlain(size_t size, const Word& word) const {
    Uint128 low[2] = {}, high[2] = {};
    size_t i = 0;
    for (; i + 2 <= size; i += 2) {
      low[0] += Product(word(i), low_[i]);
      high[0] += Product(word(i), high_[i]);
      low[1] += Product(word(i + 1), low_[i + 1]);
      high[1] += Product(word(i + 1), high_[i + 1]);
    }
    if (i < size) {
      low[0] += Product(word(i), low_[i]);
      high[0] += Product(word(i), high_[i]);
    }
    return AddMod(Reduce(low[0] + low[1]),
                  TimesTwo64(Reduce(high[0] + high[1])));
  }

#if defined(__x86_64__)
  // Returns the same for kPowers words, with limbs of kLimbBits bits.
  [[gnu::target("avx2")]] Uint128 DotAvx2(const uint32_t* words) const {
    Uint128 sums[kLimbs] = {};
    for (size_t from = 0; from < kPowers; from += kFlush) {
      __m256i lanes[kLimbs] = {};
      for (size_t i = from; i < from + kFlush; i += kLanes) {
        const __m256i even = Load(words + i);
        const __m256i odd = _mm256_srli_epi64(even, 32);
        for (size_t k = 0; k < kLimbs; ++k) {
          // A product takes the lower half of each 64 bits.
          const __m256i a = _mm256_mul_epu32(even, Load(limbs_[k] + i));
          const __m256i b = _mm256_mul_epu32(odd, Load(limbs_[k] + i + 1));
          lanes[k] = _mm256_add_epi64(lanes[k], _mm256_add_epi64(a, b));
        }
      }
      for (size_t k = 0; k < kLimbs; ++k) {
        uint64_t four[4];
        std::memcpy(four, &lanes[k], sizeof(four));
        for (uint64_t lane : four) sums[k] += lane;
      }
    }
    Uint128 sum = 0;
    for (size_t k = 0; k < kLimbs; ++k) {
      sum = AddMod(sum, TimesTwoTo(sums[k], static_cast<int>(kLimbBits * k)));
    }
    return sum;
  }

  [[gnu::target("avx2")]] static __m256i Load(const uint32_t* words) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
  }
#else
  Uint128 DotAvx2(const uint32_t*) const { return 0; }  // never called
#endif

  const bool vectors_;
  uint64_t low_[kPowers];  // of rho^(i+1)
  uint64_t high_[kPowers];
  uint32_t limbs_[kLimbs][kPowers + kLanes] = {};  // a load reaches one behind
  Uint128 step_ = 0;                               // rho^kPowers
};

SumChecksum::SumChecksum(std::unique_ptr<const Powers> powers)
    : powers_(std::move(powers)) {}
SumChecksum::~SumChecksum() = default;

absl::StatusOr<std::unique_ptr<SumChecksum>> SumChecksum::Create(
    absl::string_view challenge, Path path) {
  HILUM_ASSIGN_OR_RETURN(const Uint128 rho, RhoOf(challenge));
  return std::unique_ptr<SumChecksum>(
      new SumChecksum(std::make_unique<Powers>(rho, path)));
}

void SumChecksum::Add(int64_t first, absl::Span<const uint32_t> low,
                      absl::Span<const uint32_t> carries) {
  VectorChecksum piece;
  piece.value_ = powers_->SumOf(static_cast<uint64_t>(first), low, carries);
  absl::MutexLock lock(&mutex_);
  sum_.Add(piece);
}

VectorChecksum SumChecksum::Sum() const {
  absl::MutexLock lock(&mutex_);
  return sum_;
}

absl::StatusOr<VectorChecksum> VectorChecksum::FromBytes(
    absl::string_view bytes) {
  if (bytes.size() != kVectorChecksumSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a vector's checksum has ", bytes.size(),
                     " bytes, expected ", kVectorChecksumSize));
  }
  VectorChecksum checksum;
  std::memcpy(&checksum.value_, bytes.data(), bytes.size());
  if (checksum.value_ >= kP) {
    return absl::InvalidArgumentError(
        "a vector's checksum is not below 2^127 - 1");
  }
  return checksum;
}

std::string VectorChecksum::ToBytes() const {
  return std::string(reinterpret_cast<const char*>(&value_),
                     kVectorChecksumSize);
}

void VectorChecksum::Add(const VectorChecksum& other) {
  value_ = AddMod(value_, other.value_);
}

absl::StatusOr<VectorChecksum> ChecksumOfWords(absl::Span<const uint64_t> words,
                                               absl::string_view challenge) {
  HILUM_ASSIGN_OR_RETURN(auto of_low, SumChecksum::Create(challenge));
  HILUM_ASSIGN_OR_RETURN(auto of_high, SumChecksum::Create(challenge));
  std::vector<uint32_t> low(words.size()), high(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    low[i] = static_cast<uint32_t>(words[i]);
    high[i] = static_cast<uint32_t>(words[i] >> 32);
  }
  of_low->Add(0, low, {});
  of_high->Add(0, high, {});
  VectorChecksum checksum = of_high->Sum();
  for (int bit = 0; bit < 32; ++bit) checksum.Add(VectorChecksum(checksum));
  checksum.Add(of_low->Sum());
  return checksum;
}

absl::StatusOr<VectorChecksum> ChecksumOfVector(const std::string& path,
                                                int64_t size,
                                                absl::string_view challenge) {
  HILUM_ASSIGN_OR_RETURN(auto checksum, SumChecksum::Create(challenge));
  HILUM_ASSIGN_OR_RETURN(BlobFile file, BlobFile::Open(path, size));
  std::vector<uint32_t> room(static_cast<size_t>(std::min(size, kBlock)));
  for (int64_t at = 0; at < size; at += kBlock) {
    const auto words = absl::MakeSpan(room).subspan(
        0, static_cast<size_t>(std::min(kBlock, size - at)));
    HILUM_RETURN_IF_ERROR(file.Read(at, words));
    checksum->Add(at, words, {});
  }
  return checksum->Sum();
}

absl::StatusOr<VectorChecksum> ChecksumOfSum(const std::string& path,
                                             int64_t size, int num_vectors,
                                             absl::string_view challenge) {
  HILUM_ASSIGN_OR_RETURN(auto checksum, SumChecksum::Create(challenge));
  HILUM_ASSIGN_OR_RETURN(SumFile file, SumFile::Open(path, size, num_vectors));
  const auto most = static_cast<size_t>(std::min(size, kBlock));
  std::vector<uint32_t> low(most), carries(most);
  for (int64_t at = 0; at < size; at += kBlock) {
    const auto count = static_cast<size_t>(std::min(kBlock, size - at));
    const auto words = absl::MakeSpan(low.data(), count);
    const auto over = absl::MakeSpan(carries.data(), count);
    HILUM_RETURN_IF_ERROR(file.ReadLow(at, words));
    HILUM_RETURN_IF_ERROR(file.ReadCarries(at, over));
    checksum->Add(at, words, over);
  }
  return checksum->Sum();
}

}  // namespace hilum
