// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/shamir.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

static_assert(std::endian::native == std::endian::little,
              "a share's numbers are little-endian");

// GF(p). Elements are below p; every operation takes the same time.
constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
using Wide = unsigned __int128;

constexpr int kNumLimbs = 5;
constexpr size_t kElementSize = sizeof(uint64_t);
constexpr size_t kLimbSize = 7;  // the last one is shorter
static_assert(kNumLimbs * kElementSize == kShareSize);

// Returns x mod p for x < 2 p. The code gives the compiler no comparison to
// branch on.
uint64_t ReduceOnce(uint64_t x) {
  uint64_t reduced = x - kPrime;
  uint64_t borrowed = uint64_t{0} - (reduced >> 63);  // all ones if x < p
  return reduced + (kPrime & borrowed);
}

uint64_t Add(uint64_t a, uint64_t b) { return ReduceOnce(a + b); }

uint64_t Subtract(uint64_t a, uint64_t b) { return ReduceOnce(a + kPrime - b); }

// 2^61 = 1 mod p, so the product's high part is added to its low one.
uint64_t Multiply(uint64_t a, uint64_t b) {
  Wide product = static_cast<Wide>(a) * b;
  return ReduceOnce((static_cast<uint64_t>(product) & kPrime) +
                    static_cast<uint64_t>(product >> 61));
}

// Returns a^(p - 2), which is 1 / a (Fermat); a != 0.
uint64_t Invert(uint64_t a) {
  uint64_t result = 1;
  for (int bit = 60; bit >= 0; --bit) {
    result = Multiply(result, result);
    if ((kPrime - 2) >> bit & 1) result = Multiply(result, a);
  }
  return result;
}

uint64_t Load(absl::Span<const uint8_t> elements, size_t index) {
  uint64_t value;
  std::memcpy(&value, elements.data() + index * kElementSize, kElementSize);
  return value;
}

void Store(absl::Span<uint8_t> elements, size_t index, uint64_t value) {
  std::memcpy(elements.data() + index * kElementSize, &value, kElementSize);
}

size_t LimbSize(int limb) {
  size_t begin = static_cast<size_t>(limb) * kLimbSize;
  return std::min(kLimbSize, kSharedSecretSize - begin);
}

uint64_t LoadLimb(absl::Span<const uint8_t> secret, int limb) {
  uint64_t value = 0;
  std::memcpy(&value, secret.data() + limb * kLimbSize, LimbSize(limb));
  return value;
}

void StoreLimb(absl::Span<uint8_t> secret, int limb, uint64_t value) {
  std::memcpy(secret.data() + limb * kLimbSize, &value, LimbSize(limb));
}

// Draws uniformly below p: 61 bits, drawn again if they are all ones.
uint64_t Uniform(SecureRng& rng) {
  uint64_t value = kPrime;
  while (value == kPrime) {
    rng.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(&value), sizeof value));
    value &= kPrime;
  }
  return value;
}

// Returns the coefficients of all limbs, [threshold, kNumLimbs] row-major, the
// secret in the first row.
SecretBytes DrawPolynomials(const SecretBytes& secret, int threshold,
                            SecureRng& rng) {
  size_t size = static_cast<size_t>(threshold) * kShareSize;
  return SecretBytes::FilledBy(size, [&](absl::Span<uint8_t> elements) {
    for (int limb = 0; limb < kNumLimbs; ++limb) {
      Store(elements, limb, LoadLimb(secret.ExposeBytes(), limb));
    }
    for (size_t i = kNumLimbs; i < size / kElementSize; ++i) {
      Store(elements, i, Uniform(rng));
    }
  });
}

// Evaluates the polynomials by Horner's rule, the limbs side by side.
Share MakeShare(const SecretBytes& polynomials, int threshold, uint32_t x) {
  auto next = [&](int power, absl::Span<uint8_t> y) {
    for (int limb = 0; limb < kNumLimbs; ++limb) {
      uint64_t coefficient =
          Load(polynomials.ExposeBytes(), power * kNumLimbs + limb);
      Store(y, limb, Add(Multiply(Load(y, limb), x), coefficient));
    }
  };
  SecretBytes y = SecretBytes::FilledBy(kShareSize, [&](auto elements) {
    for (int power = threshold - 1; power >= 0; --power) next(power, elements);
  });
  return Share{.x = x, .y = std::move(y)};
}

absl::Status CheckShare(const Share& share, std::set<uint32_t>& seen) {
  if (share.x == 0) return absl::InvalidArgumentError("a share of x = 0");
  if (!seen.insert(share.x).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("two shares of x = ", share.x));
  }
  if (share.y.size() != kShareSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("the share of x = ", share.x, " has ", share.y.size(),
                     " bytes instead of ", kShareSize));
  }
  uint64_t below = 1;  // the sign bit of y - p, of every limb
  for (int limb = 0; limb < kNumLimbs; ++limb) {
    uint64_t y = Load(share.y.ExposeBytes(), limb);
    below &= ((y - kPrime) & ~y) >> 63;
  }
  if (below == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the share of x = ", share.x, " has a number outside the field"));
  }
  return absl::OkStatus();
}

absl::Status CheckShares(absl::Span<const Share* const> shares, int threshold) {
  if (threshold < 1 || threshold > kMaxShares) {
    return absl::InvalidArgumentError(
        absl::StrCat("a threshold of ", threshold, " shares"));
  }
  if (shares.size() < static_cast<size_t>(threshold)) {
    return absl::InvalidArgumentError(absl::StrCat(
        shares.size(), " shares where the threshold is ", threshold));
  }
  std::set<uint32_t> seen;
  for (const Share* share : shares) {
    HILUM_RETURN_IF_ERROR(CheckShare(*share, seen));
  }
  return absl::OkStatus();
}

// Returns prod_{j != i} x_j / (x_j - x_i) for each i.
std::vector<uint64_t> LagrangeAtZero(absl::Span<const Share* const> shares) {
  std::vector<uint64_t> weights;
  weights.reserve(shares.size());
  for (const Share* one : shares) {
    uint64_t above = 1;
    uint64_t under = 1;
    for (const Share* other : shares) {
      if (other == one) continue;
      above = Multiply(above, other->x);
      under = Multiply(under, Subtract(other->x, one->x));
    }
    weights.push_back(Multiply(above, Invert(under)));
  }
  return weights;
}

}  // namespace

absl::StatusOr<std::vector<Share>> SplitSecret(const SecretBytes& secret32,
                                               int threshold, int num_shares,
                                               SecureRng& rng) {
  if (secret32.size() != kSharedSecretSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a secret of ", secret32.size(), " bytes instead of ",
                     kSharedSecretSize));
  }
  if (threshold < 1 || threshold > num_shares || num_shares > kMaxShares) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a threshold of ", threshold, " out of ", num_shares,
        " shares; wanted 1 <= threshold <= shares <= ", kMaxShares));
  }
  SecretBytes polynomials = DrawPolynomials(secret32, threshold, rng);
  std::vector<Share> shares;
  shares.reserve(static_cast<size_t>(num_shares));
  for (int x = 1; x <= num_shares; ++x) {
    shares.push_back(
        MakeShare(polynomials, threshold, static_cast<uint32_t>(x)));
  }
  return shares;
}

absl::StatusOr<SecretBytes> CombineShares(absl::Span<const Share* const> shares,
                                          int threshold) {
  HILUM_RETURN_IF_ERROR(CheckShares(shares, threshold));
  shares = shares.first(static_cast<size_t>(threshold));
  std::vector<uint64_t> weights = LagrangeAtZero(shares);
  uint64_t excess = 0;  // bits of limbs past their length
  SecretBytes secret =
      SecretBytes::FilledBy(kSharedSecretSize, [&](absl::Span<uint8_t> bytes) {
        for (int limb = 0; limb < kNumLimbs; ++limb) {
          uint64_t value = 0;
          for (size_t i = 0; i < shares.size(); ++i) {
            uint64_t y = Load(shares[i]->y.ExposeBytes(), limb);
            value = Add(value, Multiply(weights[i], y));
          }
          StoreLimb(bytes, limb, value);
          excess |= value >> (8 * LimbSize(limb));
        }
      });
  if (excess != 0) {
    return absl::InvalidArgumentError("the shares are not of one secret");
  }
  return secret;
}

absl::StatusOr<SecretBytes> CombineShares(absl::Span<const Share> shares,
                                          int threshold) {
  std::vector<const Share*> pointers;
  pointers.reserve(shares.size());
  for (const Share& share : shares) pointers.push_back(&share);
  return CombineShares(absl::MakeConstSpan(pointers), threshold);
}

}  // namespace hilum
