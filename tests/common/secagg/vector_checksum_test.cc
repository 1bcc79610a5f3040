// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/vector_checksum.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/sum_vectors.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

using Bits = std::vector<int>;  // of a number, lowest first

const std::string kChallenge(32, 'c');

// Computes with numbers below p = 2^127 - 1, by school arithmetic on single
// bits.
class SlowField {
 public:
  // a + b, both below p.
  static Bits Add(const Bits& a, const Bits& b) {
    Bits sum(127);
    int carry = 0;
    for (size_t i = 0; i < sum.size(); ++i) {
      const int bits = a[i] + b[i] + carry;
      sum[i] = bits & 1;
      carry = bits >> 1;
    }
    // 2^127 is 1.
    for (size_t i = 0; carry != 0 && i < sum.size(); ++i) {
      const int bits = sum[i] + carry;
      sum[i] = bits & 1;
      carry = bits >> 1;
    }
    const bool is_p = std::find(sum.begin(), sum.end(), 0) == sum.end();
    return is_p ? Bits(127) : sum;
  }
  static Bits Multiply(const Bits& a, const Bits& b) {
    Bits product(127);
    Bits shifted = a;
    for (int bit : b) {
      if (bit != 0) product = Add(product, shifted);
      shifted = Add(shifted, shifted);
    }
    return product;
  }
  static Bits Of(uint64_t word) {
    Bits bits(127);
    for (size_t i = 0; i < 64; ++i) bits[i] = static_cast<int>(word >> i & 1);
    return bits;
  }
  static Bits OfBytes(const std::string& bytes) {
    Bits bits(127);
    for (size_t i = 0; i < 127; ++i) {
      bits[i] = static_cast<unsigned char>(bytes[i / 8]) >> (i % 8) & 1;
    }
    return bits;
  }
  static std::string Bytes(const Bits& bits) {
    std::string bytes(16, '\0');
    for (size_t i = 0; i < bits.size(); ++i) {
      bytes[i / 8] = static_cast<char>(bytes[i / 8] | bits[i] << (i % 8));
    }
    return bytes;
  }
};

Bits SlowRho(const std::string& challenge) {
  return SlowField::OfBytes(Sha256Of(absl::StrCat(
      "hilum vector checksum v1", challenge, std::string(1, '\0'))));
}

std::string SlowChecksum(const std::vector<uint64_t>& words) {
  const Bits rho = SlowRho(kChallenge);
  Bits sum(127), power = rho;
  for (uint64_t word : words) {
    sum = SlowField::Add(sum, SlowField::Multiply(power, SlowField::Of(word)));
    power = SlowField::Multiply(power, rho);
  }
  return SlowField::Bytes(sum);
}

std::string Checksum(const std::vector<uint64_t>& words) {
  return ChecksumOfWords(words, kChallenge).value().ToBytes();
}

std::vector<uint64_t> RandomWords(size_t size, int bits, Rng& rng) {
  std::vector<uint64_t> words(size);
  for (uint64_t& word : words) word = rng.Next() >> (64 - bits);
  return words;
}

class VectorChecksumTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/checksum_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string WriteBytes(const std::string& name, absl::string_view bytes) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }
  std::string Write(const std::string& name,
                    const std::vector<uint32_t>& words) {
    return WriteBytes(
        name, absl::string_view(reinterpret_cast<const char*>(words.data()),
                                words.size() * 4));
  }
  // Writes vectors of `size` words; most words are large, so that sums carry.
  std::vector<std::string> Vectors(int count, size_t size) {
    std::vector<std::string> paths;
    for (int v = 0; v < count; ++v) {
      Rng rng(9, absl::StrCat(v));
      std::vector<uint32_t> words(size);
      for (uint32_t& word : words) {
        word = static_cast<uint32_t>(rng.Next() | rng.Below(2) << 31);
      }
      paths.push_back(Write(absl::StrCat("vector-", v), words));
    }
    return paths;
  }

  std::string folder_;
};

TEST_F(VectorChecksumTest, IsWhatSchoolArithmeticGives) {
  Rng rng(1, "words");
  for (size_t size : {0u, 1u, 2u, 7u, 511u, 512u, 513u}) {
    for (int bits : {32, 64}) {
      if (size > 500 && bits == 32) continue;  // the reference is slow
      const std::vector<uint64_t> words = RandomWords(size, bits, rng);
      EXPECT_EQ(Checksum(words), SlowChecksum(words)) << size << " " << bits;
    }
    if (size > 500) continue;
    const std::vector<uint64_t> most(size, ~uint64_t{0});
    EXPECT_EQ(Checksum(most), SlowChecksum(most)) << size;
  }
}

// A sum of words and carries whose last piece is no whole step.
struct Pieces {
  explicit Pieces(size_t size) : low(size), carries(size) {
    Rng rng(4, "pieces");
    for (size_t i = 0; i < size; ++i) {
      low[i] = i < size / 2 ? 0xffffffff : static_cast<uint32_t>(rng.Next());
      carries[i] = static_cast<uint32_t>(rng.Below(1000));
    }
  }
  std::string Checksum(SumChecksum::Path path, size_t piece,
                       bool backwards) const {
    auto checksum = SumChecksum::Create(kChallenge, path).value();
    std::vector<size_t> starts;
    for (size_t at = 0; at < low.size(); at += piece) starts.push_back(at);
    if (backwards) std::reverse(starts.begin(), starts.end());
    for (size_t at : starts) {
      checksum->Add(static_cast<int64_t>(at),
                    absl::MakeConstSpan(low).subspan(at, piece),
                    absl::MakeConstSpan(carries).subspan(at, piece));
    }
    return checksum->Sum().ToBytes();
  }

  std::vector<uint32_t> low, carries;
};

TEST_F(VectorChecksumTest, PiecesInAnyOrderOnEitherPathGiveOneChecksum) {
  for (size_t size : {512u, 1024u, 5 * 512u + 77u}) {
    const Pieces pieces(size);
    std::vector<uint64_t> words(size);
    for (size_t i = 0; i < size; ++i) {
      words[i] = pieces.low[i] | static_cast<uint64_t>(pieces.carries[i]) << 32;
    }
    if (size == 512u) {  // the reference is slow
      EXPECT_EQ(Checksum(words), SlowChecksum(words));
    }
    for (auto path : {SumChecksum::Path::kBest, SumChecksum::Path::kPlain}) {
      for (size_t piece : {size, size_t{512}, size_t{1024}}) {
        if (piece % 512 != 0 && piece != size) continue;
        EXPECT_EQ(pieces.Checksum(path, piece, false), Checksum(words));
        EXPECT_EQ(pieces.Checksum(path, piece, true), Checksum(words));
      }
    }
  }
}

TEST_F(VectorChecksumTest, FileOfWordsHasTheChecksumOfItsWords) {
  // The sizes are over one block, and no multiple of one reduction.
  for (size_t size : {0u, 5u, 65536u, 150001u}) {
    Rng rng(2, "file");
    const std::vector<uint64_t> words = RandomWords(size, 32, rng);
    const std::string path =
        Write("v", std::vector<uint32_t>(words.begin(), words.end()));
    auto got = ChecksumOfVector(path, static_cast<int64_t>(size), kChallenge);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->ToBytes(), Checksum(words));
  }
}

TEST_F(VectorChecksumTest, IsLinearOverTheIntegers) {
  Rng rng(3, "linear");
  for (int trial = 0; trial < 20; ++trial) {
    const size_t size = 1 + rng.Below(3000);
    const std::vector<uint64_t> a = RandomWords(size, 63, rng);
    const std::vector<uint64_t> b = RandomWords(size, 63, rng);
    std::vector<uint64_t> both(size);
    for (size_t i = 0; i < size; ++i) both[i] = a[i] + b[i];
    VectorChecksum sum = ChecksumOfWords(a, kChallenge).value();
    sum.Add(ChecksumOfWords(b, kChallenge).value());
    EXPECT_TRUE(sum == ChecksumOfWords(both, kChallenge).value());
  }
}

TEST_F(VectorChecksumTest, SumOfChecksumsIsTheChecksumOfTheSumWithItsCarries) {
  for (int count : {1, 2, 3, 5, 40}) {
    constexpr int64_t kSize = 70001;
    const std::vector<std::string> paths = Vectors(count, kSize);
    VectorChecksum sum;
    for (const std::string& path : paths) {
      sum.Add(ChecksumOfVector(path, kSize, kChallenge).value());
    }
    const std::string file =
        WriteBytes("sum", SumVectorsAndCarries(paths, kSize, {})->file);
    auto got = ChecksumOfSum(file, kSize, count, kChallenge);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE(*got == sum) << count;
  }
}

TEST_F(VectorChecksumTest, ThousandVectorsOfTheLargestWordsFit) {
  constexpr int64_t kSize = 1000;
  const std::vector<std::string> paths(
      1000, Write("v", std::vector<uint32_t>(kSize, 0xffffffff)));
  const VectorChecksum one =
      ChecksumOfVector(paths[0], kSize, kChallenge).value();
  VectorChecksum sum;
  for (int i = 0; i < 1000; ++i) sum.Add(one);
  const std::string file =
      WriteBytes("sum", SumVectorsAndCarries(paths, kSize, {})->file);
  EXPECT_TRUE(ChecksumOfSum(file, kSize, 1000, kChallenge).value() == sum);
}

TEST_F(VectorChecksumTest, AnyFlippedBitOfASumIsSeen) {
  constexpr int64_t kSize = 33;
  const std::vector<std::string> paths = Vectors(6, kSize);
  const std::string good = SumVectorsAndCarries(paths, kSize, {})->file;
  const VectorChecksum want =
      ChecksumOfSum(WriteBytes("sum", good), kSize, 6, kChallenge).value();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << (bit % 8));
    auto got = ChecksumOfSum(WriteBytes("sum", bad), kSize, 6, kChallenge);
    // Refused: a carry that six vectors cannot have, bits behind the last.
    if (!got.ok()) {
      EXPECT_EQ(got.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_GE(bit, static_cast<size_t>(kSize) * 32);
      continue;
    }
    EXPECT_FALSE(*got == want) << bit;
  }
}

TEST_F(VectorChecksumTest, MovingAWordOrASumMod2To32IsSeen) {
  const std::vector<uint64_t> words = {5, 6, 7};
  EXPECT_NE(Checksum(words), Checksum({6, 5, 7}));
  EXPECT_NE(Checksum(words), Checksum({0, 5, 6, 7}));
  EXPECT_EQ(Checksum(words), Checksum({5, 6, 7, 0}));  // sizes are agreed on
  EXPECT_NE(Checksum({uint64_t{1} << 32}), Checksum({0}));
}

TEST_F(VectorChecksumTest, AnotherChallengeGivesAnotherChecksum) {
  const std::vector<uint64_t> words = {1, 2};
  std::string other = kChallenge;
  other[31] = 'd';
  EXPECT_FALSE(ChecksumOfWords(words, kChallenge).value() ==
               ChecksumOfWords(words, other).value());
  for (size_t size : {0u, 31u, 33u}) {
    const absl::Status status =
        ChecksumOfWords(words, std::string(size, 'c')).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected 32"));
  }
}

TEST_F(VectorChecksumTest, BytesComeBackAndOnlyNumbersBelowPAreTaken) {
  const VectorChecksum checksum =
      ChecksumOfWords({1, 2, 3}, kChallenge).value();
  EXPECT_TRUE(VectorChecksum::FromBytes(checksum.ToBytes()).value() ==
              checksum);
  EXPECT_EQ(VectorChecksum().ToBytes(), std::string(16, '\0'));
  std::string p(16, '\xff');
  p[15] = '\x7f';
  std::string below = p, over(16, '\0');
  below[0] = '\xfe';
  over[15] = '\x80';
  EXPECT_EQ(VectorChecksum::FromBytes(below)->ToBytes(), below);
  for (const std::string& bad :
       {p, over, std::string(16, '\xff'), std::string(15, 'a'),
        std::string(17, '\0'), std::string()}) {
    EXPECT_EQ(VectorChecksum::FromBytes(bad).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  // p - 1 + 1 = 0
  VectorChecksum sum = VectorChecksum::FromBytes(below).value();
  std::string one(16, '\0');
  one[0] = '\1';
  sum.Add(VectorChecksum::FromBytes(one).value());
  EXPECT_TRUE(sum == VectorChecksum());
}

TEST_F(VectorChecksumTest, FilesOfAnotherLengthAreRefused) {
  const std::string path = Write("v", {1, 2, 3});
  EXPECT_EQ(ChecksumOfVector(path, 4, kChallenge).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ChecksumOfSum(path, 3, 2, kChallenge).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ChecksumOfVector(folder_ + "/none", 3, kChallenge).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hilum
