// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/shamir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <utility>

#include "common/base/rng.h"
#include "tests/support/hex_secret.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

// The slow reference: the field by division, the inverse by Euclid, the limbs
// by bytes.
using Wide = __int128;
using Limbs = std::array<uint64_t, 5>;
constexpr uint64_t kPrime = 2305843009213693951;  // 2^61 - 1
constexpr size_t kLimbSizes[] = {7, 7, 7, 7, 4};

uint64_t Mod(Wide value) {
  Wide rest = value % static_cast<Wide>(kPrime);
  return static_cast<uint64_t>(rest < 0 ? rest + kPrime : rest);
}

uint64_t Inverse(uint64_t a) {
  Wide r0 = kPrime, r1 = a, s0 = 0, s1 = 1;
  while (r1 != 0) {
    Wide q = r0 / r1;
    r0 = std::exchange(r1, r0 - q * r1);
    s0 = std::exchange(s1, s0 - q * s1);
  }
  return Mod(s0);
}

uint64_t Number(absl::Span<const uint8_t> bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;) number = number * 256 + bytes[i];
  return number;
}

Limbs LimbsOfSecret(const SecretBytes& secret) {
  Limbs limbs;
  for (size_t i = 0; i < 5; ++i) {
    limbs[i] = Number(secret.ExposeBytes().subspan(7 * i, kLimbSizes[i]));
  }
  return limbs;
}

Limbs LimbsOfShare(const Share& share) {
  Limbs limbs;
  for (size_t i = 0; i < 5; ++i) {
    limbs[i] = Number(share.y.ExposeBytes().subspan(8 * i, 8));
  }
  return limbs;
}

Share ShareOf(uint32_t x, const Limbs& limbs) {
  std::vector<uint8_t> bytes;
  for (uint64_t limb : limbs) {
    for (int i = 0; i < 8; ++i, limb >>= 8) {
      bytes.push_back(static_cast<uint8_t>(limb));
    }
  }
  return Share{.x = x, .y = SecretBytes::FromBytes(bytes)};
}

struct Point {
  uint64_t x;
  Limbs y;
};

// Returns the value at `at` of the polynomials through `points`, by Lagrange's
// formula.
Limbs Interpolate(const std::vector<Point>& points, uint64_t at) {
  Limbs result{};
  for (const Point& one : points) {
    uint64_t weight = 1;
    for (const Point& other : points) {
      if (other.x == one.x) continue;
      Wide above = static_cast<Wide>(at) - other.x;
      uint64_t under = Mod(static_cast<Wide>(one.x) - other.x);
      weight = Mod(static_cast<Wide>(weight) * Mod(above));
      weight = Mod(static_cast<Wide>(weight) * Inverse(under));
    }
    for (size_t i = 0; i < 5; ++i) {
      result[i] = Mod(result[i] + static_cast<Wide>(weight) * one.y[i]);
    }
  }
  return result;
}

Share CopyOf(const Share& share) {
  return Share{.x = share.x, .y = share.y.Copy()};
}

std::vector<Share> Split(const SecretBytes& secret, int threshold, int n,
                         SecureRng& rng) {
  absl::StatusOr<std::vector<Share>> shares =
      SplitSecret(secret, threshold, n, rng);
  EXPECT_TRUE(shares.ok()) << shares.status();
  return std::move(shares).value();
}

std::string Combined(absl::Span<const Share* const> shares, int threshold) {
  absl::StatusOr<SecretBytes> secret = CombineShares(shares, threshold);
  return secret.ok() ? HexOf(*secret) : secret.status().ToString();
}

std::string Combined(const std::vector<Share>& shares, int threshold) {
  absl::StatusOr<SecretBytes> secret = CombineShares(shares, threshold);
  return secret.ok() ? HexOf(*secret) : secret.status().ToString();
}

SecretBytes RandomSecret(uint64_t seed) {
  SeededSecureRng rng(seed, "shared secret");
  return SecretBytes::Random(rng, kSharedSecretSize);
}

// Returns these numbers, in this order.
class ScriptedRng : public SecureRng {
 public:
  explicit ScriptedRng(std::vector<uint64_t> numbers)
      : numbers_(std::move(numbers)) {}
  void Fill(absl::Span<uint8_t> bytes) override {
    ASSERT_EQ(bytes.size(), 8u);
    ASSERT_LT(next_, numbers_.size());
    uint64_t number = numbers_[next_++];
    for (uint8_t& byte : bytes) {
      byte = static_cast<uint8_t>(number);
      number >>= 8;
    }
  }
  bool done() const { return next_ == numbers_.size(); }

 private:
  std::vector<uint64_t> numbers_;
  size_t next_ = 0;
};

TEST(ShamirTest, SharesAreThePolynomialsOfTheDrawnCoefficients) {
  SecretBytes secret = RandomSecret(1);
  Limbs limbs = LimbsOfSecret(secret);
  const std::vector<uint64_t> drawn = {1, kPrime - 1, 0, 12345, kPrime / 2,
                                       7, kPrime - 2, 3, 99999, 1ull << 60};
  ScriptedRng rng(drawn);
  for (const Share& share : Split(secret, 3, 10, rng)) {
    Limbs y = LimbsOfShare(share);
    for (size_t i = 0; i < 5; ++i) {
      Wide x = share.x;
      EXPECT_EQ(y[i], Mod(limbs[i] + x * drawn[i] +
                          x * x * static_cast<Wide>(drawn[5 + i])));
    }
  }
  EXPECT_TRUE(rng.done());
}

TEST(ShamirTest, ACoefficientOutsideTheFieldIsDrawnAgain) {
  SecretBytes secret = RandomSecret(1);
  // The three bits over 61 are cut off; then p itself is rejected.
  ScriptedRng cut({kPrime, ~uint64_t{0}, 5ull << 61 | 1, 2, 3, 4, kPrime, 5});
  ScriptedRng plain({1, 2, 3, 4, 5});
  std::vector<Share> got = Split(secret, 2, 2, cut);
  std::vector<Share> expected = Split(secret, 2, 2, plain);
  EXPECT_TRUE(cut.done());
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(ConstantTimeEquals(got[i].y, expected[i].y));
  }
}

TEST(ShamirTest, AThresholdOfOneGivesTheSecretToEach) {
  SeededSecureRng rng(1, "shamir");
  SecretBytes secret = RandomSecret(1);
  for (const Share& share : Split(secret, 1, 3, rng)) {
    EXPECT_EQ(LimbsOfShare(share), LimbsOfSecret(secret));
  }
}

TEST(ShamirTest, EverySubsetOfThresholdOrMoreGivesTheSecret) {
  SeededSecureRng rng(2, "shamir");
  for (int n = 1; n <= 7; ++n) {
    for (int threshold = 1; threshold <= n; ++threshold) {
      SecretBytes secret = SecretBytes::Random(rng, kSharedSecretSize);
      std::vector<Share> shares = Split(secret, threshold, n, rng);
      for (unsigned subset = 0; subset < 1u << n; ++subset) {
        std::vector<const Share*> chosen;
        for (int i = n - 1; i >= 0; --i) {
          if (subset >> i & 1) chosen.push_back(&shares[i]);
        }
        if (chosen.size() < static_cast<size_t>(threshold)) continue;
        ASSERT_EQ(Combined(chosen, threshold), HexOf(secret))
            << threshold << " of " << n << ", subset " << subset;
      }
    }
  }
}

TEST(ShamirTest, ExtremeSecretsComeBack) {
  SeededSecureRng rng(3, "shamir");
  for (char byte : {'\0', '\xff', '\x80', '\x01'}) {
    SecretBytes secret =
        SecretBytes::FromBytes(AsBytes(std::string(kSharedSecretSize, byte)));
    EXPECT_EQ(Combined(Split(secret, 4, 5, rng), 4), HexOf(secret));
  }
}

TEST(ShamirTest, AnyThresholdOfManySharesGivesTheSecret) {
  SeededSecureRng secure(4, "shamir");
  Rng rng(4, "shamir");
  for (int n : {20, 133, kMaxShares}) {
    int threshold = n / 2 + 1 + static_cast<int>(rng.Below(n / 3));
    SecretBytes secret = SecretBytes::Random(secure, kSharedSecretSize);
    std::vector<Share> shares = Split(secret, threshold, n, secure);
    ASSERT_EQ(shares.back().x, static_cast<uint32_t>(n));
    rng.Shuffle(shares);
    EXPECT_EQ(Combined(shares, threshold), HexOf(secret)) << n;
  }
}

TEST(ShamirTest, SharesAndSecretAgreeWithTheSlowField) {
  SeededSecureRng rng(5, "shamir");
  for (int threshold : {2, 3, 8}) {
    SecretBytes secret = SecretBytes::Random(rng, kSharedSecretSize);
    std::vector<Share> shares = Split(secret, threshold, 12, rng);
    std::vector<Point> points;
    for (int i = 0; i < threshold; ++i) {
      points.push_back({shares[i].x, LimbsOfShare(shares[i])});
    }
    EXPECT_EQ(Interpolate(points, 0), LimbsOfSecret(secret));
    for (const Share& share : shares) {
      EXPECT_EQ(Interpolate(points, share.x), LimbsOfShare(share)) << share.x;
    }
    // Combining takes any x, the largest included.
    constexpr uint32_t kFar = 0xffffffff;
    shares[0] = ShareOf(kFar, Interpolate(points, kFar));
    EXPECT_EQ(Combined(shares, threshold), HexOf(secret));
  }
}

// One share less than the threshold excludes no secret: for each secret there
// is exactly one last share that leads to it.
TEST(ShamirTest, FewerSharesThanTheThresholdFitEverySecret) {
  SeededSecureRng rng(6, "shamir");
  constexpr int kThreshold = 4;
  std::vector<Share> shares = Split(RandomSecret(1), kThreshold, 5, rng);
  for (uint64_t seed = 2; seed < 20; ++seed) {
    SecretBytes other = RandomSecret(seed);
    std::vector<Point> points = {{0, LimbsOfSecret(other)}};
    std::vector<Share> held;
    for (int i = 0; i < kThreshold - 1; ++i) {
      points.push_back({shares[i].x, LimbsOfShare(shares[i])});
      held.push_back(CopyOf(shares[i]));
    }
    held.push_back(ShareOf(4, Interpolate(points, 4)));
    EXPECT_EQ(Combined(held, kThreshold), HexOf(other));
  }
}

TEST(ShamirTest, TheSameSecretIsSharedAnewEachTime) {
  SeededSecureRng rng(7, "shamir");
  std::vector<Share> one = Split(RandomSecret(1), 2, 3, rng);
  std::vector<Share> two = Split(RandomSecret(1), 2, 3, rng);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t limb = 0; limb < 5; ++limb) {
      EXPECT_NE(LimbsOfShare(one[i])[limb], LimbsOfShare(two[i])[limb]);
    }
  }
}

// A limb of random field elements fits its length with probability 2^-5 (2^-29
// for the last): unnoticed with probability 2^-49.
TEST(ShamirTest, SharesOfDifferentSecretsAreRefused) {
  SeededSecureRng rng(8, "shamir");
  std::vector<Share> one = Split(RandomSecret(1), 3, 5, rng);
  std::vector<Share> two = Split(RandomSecret(2), 3, 5, rng);
  const Share* mixed[] = {&one[0], &two[1], &one[2]};
  EXPECT_EQ(CombineShares(mixed, 3).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CombineShares(absl::MakeConstSpan(one).first(2), 2).status().code(),
            absl::StatusCode::kInvalidArgument)
      << "shared with a higher threshold";
}

class BadShares : public testing::Test {
 protected:
  bool AreRefused(int threshold = 2) const {
    return CombineShares(shares_, threshold).status().code() ==
           absl::StatusCode::kInvalidArgument;
  }

  SeededSecureRng rng_{9, "shamir"};
  std::vector<Share> shares_ = Split(RandomSecret(1), 2, 3, rng_);
};

TEST_F(BadShares, OfFewerThanTheThresholdAreRefused) {
  EXPECT_FALSE(AreRefused());
  EXPECT_TRUE(AreRefused(4));
  shares_.resize(1);
  EXPECT_TRUE(AreRefused());
  shares_.clear();
  EXPECT_TRUE(AreRefused());
}

TEST_F(BadShares, OfAThresholdThatIsNoneAreRefused) {
  for (int threshold : {0, -1, kMaxShares + 1}) {
    EXPECT_TRUE(AreRefused(threshold)) << threshold;
  }
}

TEST_F(BadShares, OfXZeroAreRefused) {
  shares_[2].x = 0;
  EXPECT_TRUE(AreRefused());
}

TEST_F(BadShares, OfOneXTwiceAreRefused) {
  shares_[2].x = shares_[0].x;
  EXPECT_TRUE(AreRefused());
}

TEST_F(BadShares, OfAnotherLengthAreRefused) {
  std::string bytes(AsText(shares_[1].y.ExposeBytes()));
  for (size_t size : {size_t{0}, size_t{8}, kShareSize - 1, kShareSize + 1}) {
    std::string other = bytes;
    other.resize(size);
    shares_[1].y = SecretBytes::FromBytes(AsBytes(other));
    EXPECT_TRUE(AreRefused()) << size;
  }
}

TEST_F(BadShares, OutsideTheFieldAreRefused) {
  for (size_t limb = 0; limb < 5; ++limb) {
    // The third share is not needed, but is checked too.
    Limbs y = LimbsOfShare(shares_[2]);
    for (uint64_t bad : {kPrime, kPrime + 1, uint64_t{1} << 63, ~uint64_t{0}}) {
      y[limb] = bad;
      shares_[2] = ShareOf(3, y);
      EXPECT_TRUE(AreRefused()) << limb << ": " << bad;
    }
    y[limb] = kPrime - 1;
    shares_[2] = ShareOf(3, y);
    EXPECT_FALSE(AreRefused()) << limb;
  }
}

TEST(ShamirTest, SplittingRefusesWhatCannotBeShared) {
  SeededSecureRng rng(10, "shamir");
  auto code = [&](size_t size, int threshold, int n) {
    SecretBytes secret = SecretBytes::Random(rng, size);
    return SplitSecret(secret, threshold, n, rng).status().code();
  };
  EXPECT_EQ(code(32, 2, 3), absl::StatusCode::kOk);
  EXPECT_EQ(code(32, 3, 3), absl::StatusCode::kOk);
  for (auto [threshold, n] :
       {std::pair(0, 3), {-1, 3}, {4, 3}, {0, 0}, {2, kMaxShares + 1}}) {
    EXPECT_EQ(code(32, threshold, n), absl::StatusCode::kInvalidArgument)
        << threshold << " of " << n;
  }
  for (size_t size : {0, 31, 33}) {
    EXPECT_EQ(code(size, 2, 3), absl::StatusCode::kInvalidArgument) << size;
  }
}

}  // namespace
}  // namespace hilum
