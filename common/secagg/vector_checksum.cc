// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/vector_checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/blob_file.h"
#include "common/aggregation/sum_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {

static_assert(std::endian::native == std::endian::little);

namespace {

using Uint128 = unsigned __int128;

constexpr Uint128 kP = (Uint128{1} << 127) - 1;

// Words between two reductions. A dot product of so many words below 2^48 with
// limbs of 64 bits stays below 2^121, and needs no carry.
constexpr size_t kPowers = 512;
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

}  // namespace

// Computes the checksum of words that come in order: Add* Sum. All pieces but
// the last have a multiple of kPowers words.
class ChecksumStream {
 public:
  explicit ChecksumStream(Uint128 rho) {
    Uint128 power = rho;
    for (size_t i = 0; i < kPowers; ++i) {
      low_[i] = static_cast<uint64_t>(power);
      high_[i] = static_cast<uint64_t>(power >> 64);
      if (i + 1 == kPowers) step_ = power;
      power = MultiplyMod(power, rho);
    }
  }

  // Adds words below 2^48.
  template <typename Word>
  void Add(absl::Span<const Word> words) {
    for (size_t at = 0; at < words.size(); at += kPowers) {
      const auto piece = words.subspan(at, kPowers);
      sum_ = AddMod(sum_, MultiplyMod(Dot(piece), before_));
      before_ = MultiplyMod(before_, step_);
    }
  }

  VectorChecksum Sum() const {
    VectorChecksum checksum;
    checksum.value_ = sum_;
    return checksum;
  }

 private:
  // Returns sum_i words[i] rho^(i+1) as four sums: no limb waits for a carry.
  template <typename Word>
  Uint128 Dot(absl::Span<const Word> words) const {
    const Word* __restrict w = words.data();
    const size_t size = words.size();
    Uint128 low[2] = {}, high[2] = {};
    size_t i = 0;
    for (; i + 2 <= size; i += 2) {
      low[0] += Product(w[i], low_[i]);
      high[0] += Product(w[i], high_[i]);
      low[1] += Product(w[i + 1], low_[i + 1]);
      high[1] += Product(w[i + 1], high_[i + 1]);
    }
    if (i < size) {
      low[0] += Product(w[i], low_[i]);
      high[0] += Product(w[i], high_[i]);
    }
    return AddMod(Reduce(low[0] + low[1]),
                  TimesTwo64(Reduce(high[0] + high[1])));
  }

  uint64_t low_[kPowers];  // of rho^(i+1)
  uint64_t high_[kPowers];
  Uint128 step_ = 0;    // rho^kPowers
  Uint128 before_ = 1;  // rho to the number of words that came
  Uint128 sum_ = 0;
};

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
  HILUM_ASSIGN_OR_RETURN(const Uint128 rho, RhoOf(challenge));
  std::vector<uint32_t> low(words.size()), high(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    low[i] = static_cast<uint32_t>(words[i]);
    high[i] = static_cast<uint32_t>(words[i] >> 32);
  }
  ChecksumStream of_low(rho), of_high(rho);
  of_low.Add<uint32_t>(low);
  of_high.Add<uint32_t>(high);
  VectorChecksum checksum = of_high.Sum();
  for (int bit = 0; bit < 32; ++bit) checksum.Add(VectorChecksum(checksum));
  checksum.Add(of_low.Sum());
  return checksum;
}

absl::StatusOr<VectorChecksum> ChecksumOfVector(const std::string& path,
                                                int64_t size,
                                                absl::string_view challenge) {
  HILUM_ASSIGN_OR_RETURN(const Uint128 rho, RhoOf(challenge));
  HILUM_ASSIGN_OR_RETURN(BlobFile file, BlobFile::Open(path, size));
  ChecksumStream stream(rho);
  std::vector<uint32_t> room(static_cast<size_t>(std::min(size, kBlock)));
  for (int64_t at = 0; at < size; at += kBlock) {
    const auto words = absl::MakeSpan(room).subspan(
        0, static_cast<size_t>(std::min(kBlock, size - at)));
    HILUM_RETURN_IF_ERROR(file.Read(at, words));
    stream.Add<uint32_t>(words);
  }
  return stream.Sum();
}

absl::StatusOr<VectorChecksum> ChecksumOfSum(const std::string& path,
                                             int64_t size, int num_vectors,
                                             absl::string_view challenge) {
  HILUM_ASSIGN_OR_RETURN(const Uint128 rho, RhoOf(challenge));
  HILUM_ASSIGN_OR_RETURN(SumFile file, SumFile::Open(path, size, num_vectors));
  ChecksumStream stream(rho);
  const auto most = static_cast<size_t>(std::min(size, kBlock));
  std::vector<uint32_t> low(most), carries(most);
  std::vector<uint64_t> words(most);
  for (int64_t at = 0; at < size; at += kBlock) {
    const auto count = static_cast<size_t>(std::min(kBlock, size - at));
    HILUM_RETURN_IF_ERROR(file.ReadLow(at, absl::MakeSpan(low.data(), count)));
    HILUM_RETURN_IF_ERROR(
        file.ReadCarries(at, absl::MakeSpan(carries.data(), count)));
    for (size_t i = 0; i < count; ++i) {
      words[i] = low[i] | static_cast<uint64_t>(carries[i]) << 32;
    }
    stream.Add<uint64_t>(absl::MakeConstSpan(words.data(), count));
  }
  return stream.Sum();
}

}  // namespace hilum
