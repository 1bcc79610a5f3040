// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/sum_file.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/sum_vectors.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "common/secagg/mask.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Reads a carry from the file's bytes, bit by bit.
uint32_t SlowCarry(const std::string& file, int64_t size, int bits,
                   int64_t element) {
  uint32_t carry = 0;
  for (int b = 0; b < bits; ++b) {
    const auto bit = static_cast<size_t>(size * 32 + element * bits + b);
    const auto byte = static_cast<unsigned char>(file[bit / 8]);
    carry |= static_cast<uint32_t>(byte >> (bit % 8) & 1) << b;
  }
  return carry;
}

class SumFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/sum_file_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) { return folder_ + "/" + name; }
  template <typename Value>
  std::string Write(const std::string& name, const std::vector<Value>& values) {
    absl::string_view bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(Value));
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
    return Path(name);
  }
  std::vector<uint32_t> Words(const std::string& path) {
    const std::string bytes = ReadFile(path).value();
    std::vector<uint32_t> words(bytes.size() / 4);
    std::memcpy(words.data(), bytes.data(), words.size() * 4);
    return words;
  }
  int Files() {
    return static_cast<int>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
};

TEST_F(SumFileTest, CarryBitsHoldWhatSoManyVectorsCarryAndNoMore) {
  for (int n = 1; n <= kMaxSites; ++n) {
    const int bits = CarryBits(n);
    EXPECT_GE(1 << bits, n) << n;
    EXPECT_TRUE(bits == 0 || 1 << (bits - 1) < n) << n;
  }
  EXPECT_EQ(SumFileBytes(5, 1), 20u);
  EXPECT_EQ(SumFileBytes(33, 2), 33u * 4 + 8);
  EXPECT_EQ(SumFileBytes(0, 9), 0u);
}

TEST_F(SumFileTest, BytesAreLowWordsThenCarriesFromTheLowestBitOn) {
  // The sum of three vectors has two bits a carry.
  const std::string file = SumFileContent({1, 0x80000002, 3}, {2, 0, 1}, 3);
  EXPECT_EQ(file, std::string("\1\0\0\0\2\0\0\x80\3\0\0\0"  // low
                              "\x12\0\0\0",                 // 01 00 10
                              16));
}

TEST_F(SumFileTest, WriterGivesTheSameBytesHoweverBlocksAreCut) {
  constexpr int kSize = 70003;
  for (int n : {1, 2, 3, 16, 700}) {
    Rng rng(5, absl::StrCat(n));
    std::vector<uint32_t> low(kSize), carries(kSize);
    for (uint32_t& word : low) word = static_cast<uint32_t>(rng.Next());
    for (uint32_t& carry : carries) {
      carry = static_cast<uint32_t>(rng.Below(static_cast<uint64_t>(n)));
    }
    SumFileWriter writer(Path("sum"), kSize, n);
    ASSERT_TRUE(writer.Create().ok());
    for (size_t at = 0; at < kSize;) {
      const size_t size = std::min<size_t>(1 + rng.Below(30000), kSize - at);
      ASSERT_TRUE(writer
                      .Append(absl::MakeSpan(low).subspan(at, size),
                              absl::MakeSpan(carries).subspan(at, size))
                      .ok());
      at += size;
    }
    auto written = writer.Commit(Durability::kNone);
    ASSERT_TRUE(written.ok()) << written.status();
    const std::string bytes = ReadFile(Path("sum")).value();
    EXPECT_TRUE(bytes == SumFileContent(low, carries, n)) << n;
    EXPECT_EQ(written->num_bytes, bytes.size());
    EXPECT_EQ(written->num_bytes, SumFileBytes(kSize, n));
    EXPECT_EQ(written->sha256, Sha256Of(bytes));
    for (int64_t i = 0; i < kSize; ++i) {
      ASSERT_EQ(SlowCarry(bytes, kSize, CarryBits(n), i),
                carries[static_cast<size_t>(i)]);
    }
    auto file = SumFile::Open(Path("sum"), kSize, n);
    ASSERT_TRUE(file.ok()) << file.status();
    std::vector<uint32_t> read(kSize - 640);
    ASSERT_TRUE(file->ReadCarries(640, absl::MakeSpan(read)).ok());
    EXPECT_TRUE(std::equal(read.begin(), read.end(), carries.begin() + 640));
  }
}

TEST_F(SumFileTest, WriterWithoutCommitLeavesNothing) {
  {
    SumFileWriter writer(Path("sum"), 100, 3);
    ASSERT_TRUE(writer.Create().ok());
    ASSERT_TRUE(writer.Append({1, 2}, {0, 1}).ok());
  }
  EXPECT_EQ(Files(), 0);
}

TEST_F(SumFileTest, AnotherLengthIsRefusedWithBothNumbers) {
  Write("sum", std::vector<uint32_t>(11));
  EXPECT_TRUE(ReadSum(Path("sum"), 10, 2, {}).ok());
  for (int64_t size : {9, 11}) {
    const absl::Status status = ReadSum(Path("sum"), size, 2, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("44 bytes"));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(SumFileBytes(size, 2))));
  }
  for (int n : {-1, 0, kMaxSites + 1}) {
    EXPECT_EQ(ReadSum(Path("sum"), 10, n, {}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(ReadSum(Path("none"), 10, 2, {}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(SumFileTest, CarriesThatSoManyVectorsCannotHaveAreRefused) {
  std::vector<uint32_t> carries(3);
  const auto read = [&](uint32_t packed) {
    Write("sum", std::vector<uint32_t>{0, 0, 0, packed});
    return SumFile::Open(Path("sum"), 3, 3)
        ->ReadCarries(0, absl::MakeSpan(carries));
  };
  EXPECT_TRUE(read(0b10'01'10).ok());
  EXPECT_THAT(carries, ElementsAre(2, 1, 2));
  EXPECT_THAT(std::string(read(0b10'11'10).message()),
              HasSubstr("a carry of 3"));
  EXPECT_THAT(std::string(read(0b1'10'01'10).message()),
              HasSubstr("behind its last carry"));
  EXPECT_EQ(read(1u << 31).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SumFileTest, MasksAreTakenOffTheLowWords) {
  constexpr int64_t kSize = 200003;
  std::vector<uint32_t> low(kSize), carries(kSize);
  for (size_t i = 0; i < low.size(); ++i) low[i] = static_cast<uint32_t>(i);
  const std::string file = SumFileContent(low, carries, 4);
  ASSERT_TRUE(WriteFileAtomically(Path("sum"), file, Durability::kNone).ok());
  const VectorMask unmask = [](uint64_t first, absl::Span<uint32_t> values) {
    EXPECT_EQ(first % 4, 0u);
    for (uint32_t& value : values) value += 7;
  };
  const std::vector<uint32_t> words =
      ReadSum(Path("sum"), kSize, 4, unmask).value();
  ASSERT_EQ(words.size(), low.size());
  for (size_t i = 0; i < low.size(); ++i) ASSERT_EQ(words[i], low[i] + 7);
}

TEST_F(SumFileTest, SmallSumHasTheIntegersAsTheyCameAndTheWordsUnmasked) {
  const std::vector<std::string> paths = {
      Write("a", std::vector<uint32_t>{1, 0xffffffff, 7}),
      Write("b", std::vector<uint32_t>{2, 0xffffffff, 0x80000000}),
      Write("c", std::vector<uint32_t>{4, 0xffffffff, 0x80000000})};
  const VectorMask unmask = [](uint64_t, absl::Span<uint32_t> values) {
    for (uint32_t& value : values) --value;
  };
  auto sum = SumVectorsAndCarries(paths, 3, unmask);
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_THAT(sum->words, ElementsAre(6, 0xfffffffc, 6));
  EXPECT_EQ(sum->file, SumFileContent({7, 0xfffffffd, 7}, {0, 2, 1}, 3));
  EXPECT_EQ(sum->words, SumVectors(paths, 3, unmask).value());
  EXPECT_EQ(
      SumVectorsAndCarries(std::vector<std::string>(1001, paths[0]), 3, {})
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

// A round of five sites with their own masks, which the coordinator takes off.
class CheckedRoundTest : public SumFileTest {
 protected:
  AggregateOptions Round(VectorLayout layout) {
    Rng rng(11, "round");
    AggregateOptions options{.layout = layout,
                             .fraction_bits = FractionBits(0),
                             .global_path = Path("global"),
                             .output_path = Path("new"),
                             .sum_path = Path("sum"),
                             .durability = Durability::kNone};
    options.total_examples.assign(static_cast<size_t>(layout.num_tracks), 100);
    std::vector<float> global(static_cast<size_t>(layout.tail()));
    for (float& value : global) value = static_cast<float>(rng.Normal());
    Write("global", global);
    sums_.assign(static_cast<size_t>(layout.size()), 0);
    for (uint8_t site = 1; site <= 5; ++site) {
      std::vector<uint32_t> words(sums_.size());
      for (size_t i = 0; i < global.size(); ++i) {
        words[i] = static_cast<uint32_t>(rng.Below(1 << 20)) - (1u << 19);
      }
      for (size_t i = global.size(); i < words.size(); ++i) {
        words[i] = static_cast<uint32_t>(rng.Below(10));
      }
      const SecretBytes seed =
          SecretBytes::FromBytes(std::vector<uint8_t>(kMaskSeedSize, site));
      MaskStream(seed, MaskSign::kAdd).Apply(0, absl::MakeSpan(words));
      masks_.emplace_back(seed, MaskSign::kSubtract);
      for (size_t i = 0; i < words.size(); ++i) sums_[i] += words[i];
      const std::string name = absl::StrCat("site-", site);
      options.updates.push_back({name, Write(name, words)});
    }
    options.unmask = Unmask();
    return options;
  }
  // Notes each element that PublishedSum::see is given.
  static decltype(PublishedSum::see) SeeInto(absl::Mutex& mutex,
                                             std::vector<uint64_t>& seen) {
    return [&](int64_t first, absl::Span<const uint32_t> low,
               absl::Span<const uint32_t> carries) {
      EXPECT_EQ(first % (1 << 15), 0);
      EXPECT_EQ(low.size(), carries.size());
      absl::MutexLock lock(&mutex);
      for (size_t i = 0; i < low.size(); ++i) {
        uint64_t& word = seen[static_cast<size_t>(first) + i];
        EXPECT_EQ(word, ~uint64_t{0});  // once
        word = low[i] | static_cast<uint64_t>(carries[i]) << 32;
      }
    };
  }
  VectorMask Unmask() {
    return [this](uint64_t first, absl::Span<uint32_t> values) {
      ApplyMaskStreams(absl::MakeSpan(masks_), first, values);
    };
  }

  std::vector<uint64_t> sums_;  // over the integers
  std::vector<MaskStream> masks_;
};

TEST_F(CheckedRoundTest, SiteGetsTheModelOfTheCoordinatorFromTheSum) {
  for (bool validates : {false, true}) {
    masks_.clear();
    // The size is over a block; the tail begins at no multiple of 4.
    AggregateOptions options = Round({.track_size = 20001,
                                      .num_tracks = 4,
                                      .num_arms = 2,
                                      .validates = validates});
    auto result = AggregateUpdates(options);
    ASSERT_TRUE(result.ok()) << result.status();
    const std::string file = ReadFile(Path("sum")).value();
    EXPECT_EQ(result->sum_sha256, Sha256Of(file));
    EXPECT_EQ(result->sum_bytes, file.size());
    const int64_t size = options.layout.size();
    ASSERT_EQ(file.size(), SumFileBytes(size, 5));
    const std::vector<uint32_t> low = Words(Path("sum"));
    for (int64_t i = 0; i < size; ++i) {
      const auto at = static_cast<size_t>(i);
      ASSERT_EQ(low[at], static_cast<uint32_t>(sums_[at])) << i;
      ASSERT_EQ(SlowCarry(file, size, 3, i), sums_[at] >> 32) << i;
    }

    absl::Mutex mutex;
    std::vector<uint64_t> seen(sums_.size(), ~uint64_t{0});
    AggregateOptions site = options;
    site.updates.clear();
    site.sum = PublishedSum{Path("sum"), 5, SeeInto(mutex, seen)};
    site.output_path = Path("own");
    site.sum_path.clear();
    auto own = AggregateUpdates(site);
    ASSERT_TRUE(own.ok()) << own.status();
    EXPECT_EQ(own->sha256, result->sha256);
    EXPECT_EQ(own->num_bytes, result->num_bytes);
    EXPECT_TRUE(own->sum_sha256.empty());
    EXPECT_TRUE(seen == sums_);
    site.sum->see = nullptr;
    EXPECT_EQ(AggregateUpdates(site)->sha256, result->sha256);
    options.sum_path.clear();
    EXPECT_EQ(AggregateUpdates(options)->sha256, result->sha256);
  }
}

TEST_F(CheckedRoundTest, PublishedSumThatCannotBeASumIsRefused) {
  AggregateOptions options = Round({.track_size = 50, .num_tracks = 1});
  ASSERT_TRUE(AggregateUpdates(options).ok());
  std::string file = ReadFile(Path("sum")).value();
  file.back() = '\xff';  // five vectors have no carry of 7, or bits behind it
  ASSERT_TRUE(WriteFileAtomically(Path("bad"), file, Durability::kNone).ok());
  AggregateOptions site = options;
  site.updates.clear();
  site.output_path = Path("own");
  site.sum_path.clear();
  absl::Mutex mutex;
  std::vector<uint64_t> seen(sums_.size(), ~uint64_t{0});
  for (const PublishedSum& bad :
       {PublishedSum{Path("bad"), 5, SeeInto(mutex, seen)},
        PublishedSum{Path("sum"), 1}, PublishedSum{Path("sum"), 0}}) {
    site.sum = bad;
    EXPECT_EQ(AggregateUpdates(site).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(FileExists(Path("own")));
  }
  // Updates beside a sum would count twice.
  site.sum = PublishedSum{Path("sum"), 5};
  site.updates = options.updates;
  EXPECT_EQ(AggregateUpdates(site).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(CheckedRoundTest, RoundThatIsAbortedLeavesNeitherModelNorSum) {
  AggregateOptions options = Round({.track_size = 50, .num_tracks = 1});
  options.total_examples = {1};
  const int before = Files();
  EXPECT_EQ(AggregateUpdates(options).status().code(),
            absl::StatusCode::kAborted);
  options.total_examples = {100};
  std::filesystem::create_directory(Path("new"));  // no file may take its place
  EXPECT_FALSE(AggregateUpdates(options).ok());
  EXPECT_EQ(Files(), before + 1);
  std::filesystem::remove(Path("new"));
  EXPECT_TRUE(AggregateUpdates(options).ok());
  EXPECT_EQ(Files(), before + 2);
}

}  // namespace
}  // namespace hilum
