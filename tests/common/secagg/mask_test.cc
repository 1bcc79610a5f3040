// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/base/rng.h"
#include "tests/support/hex_secret.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

using Values = std::vector<uint32_t>;

SecretBytes Seed(uint64_t number) {
  SeededSecureRng rng(number, "mask");
  return SecretBytes::Random(rng, kMaskSeedSize);
}

Values RandomValues(size_t size) {
  Rng rng(size, "values");
  Values values(size);
  for (uint32_t& value : values) value = static_cast<uint32_t>(rng.Next());
  return values;
}

// The mask as mask.h defines it, one element after the other.
Values SlowMask(const SecretBytes& seed, uint64_t first_element, size_t size) {
  AesCtrStream stream(seed);
  Values mask;
  for (uint64_t i = first_element; i < first_element + size; ++i) {
    uint8_t block[kAesBlockSize];
    stream.Fill(i / 4, absl::MakeSpan(block));
    const uint8_t* bytes = block + i % 4 * 4;
    mask.push_back(bytes[0] + bytes[1] * 256u + bytes[2] * 65536u +
                   bytes[3] * 16777216u);
  }
  return mask;
}

Values Sum(Values values, const Values& mask, MaskSign sign) {
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] =
        sign == MaskSign::kAdd ? values[i] + mask[i] : values[i] - mask[i];
  }
  return values;
}

// AES-128 of zero under the zero key: see AesCtrStreamTest.
TEST(MaskTest, ElementsAreLittleEndianNumbersOfTheStream) {
  SecretBytes zero = SecretFromHex("00000000000000000000000000000000");
  Values values(4, 1);
  MaskStream(zero, MaskSign::kAdd).Apply(0, absl::MakeSpan(values));
  EXPECT_THAT(values, testing::ElementsAre(0xd44be966u + 1, 0x3b2c8aefu + 1,
                                           0x59fa4c88u + 1, 0x2e2b34cau + 1));
}

TEST(MaskTest, EqualsTheSlowSumForEverySizePlaceAndSign) {
  SecretBytes seed = Seed(1);
  for (size_t size : {0, 1, 3, 4, 5, 63, 1008, 1023, 1024, 1025, 5000}) {
    for (size_t place = 0; place<18; place += size> 100 ? 7 : 1) {
      for (MaskSign sign : {MaskSign::kAdd, MaskSign::kSubtract}) {
        Values values = RandomValues(place + size + 1);
        Values expected = values;
        Values mask = SlowMask(seed, 400, size);
        Values inside(values.begin() + place, values.end() - 1);
        Values sum = Sum(inside, mask, sign);
        std::copy(sum.begin(), sum.end(), expected.begin() + place);
        MaskStream(seed, sign)
            .Apply(400, absl::MakeSpan(values).subspan(place, size));
        ASSERT_EQ(values, expected) << size << " at " << place;
      }
    }
  }
}

TEST(MaskTest, SubtractingTakesAwayWhatAddingBrought) {
  Values values = RandomValues(3000);
  MaskStream(Seed(1), MaskSign::kAdd).Apply(8, absl::MakeSpan(values));
  EXPECT_NE(values, RandomValues(3000));
  MaskStream(Seed(1), MaskSign::kSubtract).Apply(8, absl::MakeSpan(values));
  EXPECT_EQ(values, RandomValues(3000));
}

TEST(MaskTest, BlocksInAnyOrderGiveTheWhole) {
  Values whole = RandomValues(5000), blocks = whole;
  MaskStream(Seed(1), MaskSign::kAdd).Apply(0, absl::MakeSpan(whole));
  MaskStream stream(Seed(1), MaskSign::kAdd);
  struct Block {
    size_t first, size;
  };
  for (Block block :
       {Block{4000, 1000}, {0, 4}, {4, 1996}, {2004, 1996}, {2000, 4}}) {
    stream.Apply(block.first,
                 absl::MakeSpan(blocks).subspan(block.first, block.size));
  }
  EXPECT_EQ(blocks, whole);
}

TEST(MaskTest, PiecesBeginAnywhereInABlockOfTheCipher) {
  Values whole = RandomValues(5000), pieces = whole;
  MaskStream(Seed(1), MaskSign::kSubtract).Apply(0, absl::MakeSpan(whole));
  MaskStream stream(Seed(1), MaskSign::kSubtract);
  size_t at = 0;
  for (size_t size : {1, 2, 1030, 0, 7, 2049, 1911}) {
    stream.Apply(at, absl::MakeSpan(pieces).subspan(at, size));
    at += size;
  }
  ASSERT_EQ(at, 5000u);
  EXPECT_EQ(pieces, whole);
}

TEST(MaskTest, ElementsPastTwoToTheThirtyFourthDoNotRepeat) {
  for (uint64_t first : {uint64_t{1} << 34, (uint64_t{1} << 34) - 4}) {
    Values values = RandomValues(12);
    MaskStream(Seed(1), MaskSign::kAdd).Apply(first, absl::MakeSpan(values));
    EXPECT_EQ(values, Sum(RandomValues(12), SlowMask(Seed(1), first, 12),
                          MaskSign::kAdd));
    EXPECT_NE(values,
              Sum(RandomValues(12), SlowMask(Seed(1), 0, 12), MaskSign::kAdd));
  }
}

TEST(MaskTest, ManyMasksAtOnceAreTheSumOfEach) {
  Values expected = RandomValues(5000), values = expected;
  std::vector<MaskStream> masks;
  for (uint64_t i = 0; i < 7; ++i) {
    MaskSign sign = i % 3 == 0 ? MaskSign::kSubtract : MaskSign::kAdd;
    masks.emplace_back(Seed(i), sign);
    expected = Sum(expected, SlowMask(Seed(i), 16, 5000), sign);
  }
  ApplyMaskStreams(absl::MakeSpan(masks), 16, absl::MakeSpan(values));
  EXPECT_EQ(values, expected);
  Values untouched = RandomValues(10);
  ApplyMaskStreams({}, 0, absl::MakeSpan(untouched));
  EXPECT_EQ(untouched, RandomValues(10));
}

// Bonawitz et al. 2017, section 4.1: y_u adds the masks of u < v and subtracts
// those of u > v.
TEST(MaskTest, PairwiseMasksCancelInTheSumOfAllSites) {
  constexpr uint64_t kSites = 5;
  Values expected(2000), sum(2000);
  for (uint64_t u = 0; u < kSites; ++u) {
    Values x = RandomValues(2000 + u);
    x.resize(2000);
    expected = Sum(expected, x, MaskSign::kAdd);
    std::vector<MaskStream> masks;
    for (uint64_t v = 0; v < kSites; ++v) {
      if (v == u) continue;
      masks.emplace_back(Seed(std::min(u, v) * kSites + std::max(u, v)),
                         u < v ? MaskSign::kAdd : MaskSign::kSubtract);
    }
    ApplyMaskStreams(absl::MakeSpan(masks), 0, absl::MakeSpan(x));
    sum = Sum(sum, x, MaskSign::kAdd);
    EXPECT_EQ(sum == expected, u == kSites - 1) << u;
  }
}

}  // namespace
}  // namespace hilum
