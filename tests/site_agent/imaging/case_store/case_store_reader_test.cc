// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/case_store/case_store_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {
namespace {

constexpr char kId[] = "0123456789abcdef";
constexpr char kOther[] = "fedcba9876543210";

// Encodes a plane of 3 x 5 whose first pixel is `first`.
std::string Record(const std::string& id, uint16_t first) {
  Plane pixels(15);
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<uint16_t>(first + i);
  }
  return EncodeCaseRecord({.case_id = id,
                           .whole = {3, 5, pixels},
                           .source_rows = 300,
                           .source_columns = 500});
}

class CaseStoreReaderTest : public testing::Test {
 protected:
  CaseStoreReaderTest()
      : store_(absl::StrCat(testing::TempDir(), "/reader_test_", getpid())) {
    std::filesystem::remove_all(store_);
    std::filesystem::create_directories(absl::StrCat(store_, "/shards"));
  }
  ~CaseStoreReaderTest() override { std::filesystem::remove_all(store_); }

  absl::StatusOr<CaseStoreReader> WithShard(const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(absl::StrCat(store_, "/shards/0001.shard"),
                                    bytes, Durability::kNone)
                    .ok());
    return CaseStoreReader::Open(store_);
  }

  std::string store_;
};

TEST_F(CaseStoreReaderTest, GivesBackWhatWasWritten) {
  auto reader = WithShard(Record(kOther, 7) + Record(kId, 1000));
  ASSERT_TRUE(reader.ok()) << reader.status();
  auto record = reader->Read(kId);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->whole.rows, 3);
  EXPECT_EQ(record->whole.columns, 5);
  EXPECT_EQ(record->whole.pixels[14], 1014);
  EXPECT_EQ(record->source_columns, 500u);
  EXPECT_TRUE(absl::IsNotFound(reader->Read("0000000000000000").status()));
}

TEST_F(CaseStoreReaderTest, TheLaterRecordOfACaseCounts) {
  auto reader = WithShard(Record(kId, 1) + Record(kId, 2));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->CaseIds().size(), 1u);
  EXPECT_EQ(reader->Read(kId)->whole.pixels[0], 2);
}

TEST_F(CaseStoreReaderTest, ATornTailHidesNothingBeforeIt) {
  const std::string whole = Record(kId, 1), torn = Record(kOther, 2);
  for (size_t size : {size_t{1}, size_t{127}, size_t{128}, torn.size() - 1}) {
    auto reader = WithShard(whole + torn.substr(0, size));
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_TRUE(reader->Read(kId).ok());
    EXPECT_FALSE(reader->Read(kOther).ok());
  }
}

TEST_F(CaseStoreReaderTest, EveryFlippedByteIsFound) {
  const std::string whole = Record(kId, 1);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    auto reader = WithShard(damaged);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_TRUE(absl::IsDataLoss(reader->Read(kId).status())) << at;
  }
}

TEST_F(CaseStoreReaderTest, EntriesAreToldFromFiles) {
  auto entry = ParseCaseEntry(absl::StrCat("/data/cases/.#", kId));
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->store, "/data/cases/.");
  EXPECT_EQ(entry->case_id, kId);
  for (const char* file : {"a.png", "film#3.png", "x#0123456789ABCDEF", "#"}) {
    EXPECT_FALSE(ParseCaseEntry(file).has_value()) << file;
  }
}

GrayImage Noise(int rows, int columns) {
  GrayImage image{rows, columns, {}};
  uint32_t state = 1;
  for (int i = 0; i < rows * columns; ++i) {
    state = state * 1664525 + 1013904223;
    image.pixels.push_back(static_cast<float>(state >> 20) / 4095.0f);
  }
  return image;
}

// Compares with the definition: the values in order.
TEST(KeptPlaneTest, TheRangeIsThatOfTheSortedValues) {
  const GrayImage image = Noise(70, 90);
  std::vector<float> sorted = image.pixels;
  std::sort(sorted.begin(), sorted.end());
  const double last = static_cast<double>(sorted.size() - 1);
  const float low = sorted[static_cast<size_t>(0.01 * last + 0.5)];
  const float high = sorted[static_cast<size_t>(0.99 * last + 0.5)];
  std::vector<float> grays;
  std::vector<uint32_t> counts(4096);
  for (int i = 0; i < 4096; ++i) grays.push_back(static_cast<float>(i) / 4095);
  for (float v : image.pixels) ++counts[std::lround(v * 4095)];
  const GrayRange range = RangeOfCounts(grays, counts);
  EXPECT_EQ(range.low, low);
  EXPECT_EQ(range.high, high);
  const auto known = PrepareWholeWithin(image, 50, &range);
  const auto found = PrepareWholeWithin(image, 50);
  EXPECT_EQ(known->pixels, found->pixels);
}

TEST(KeptPlaneTest, ResizedItIsThePlaneOfTheImage) {
  const GrayImage image = Noise(256, 128);
  const auto kept = PrepareWholeWithin(image, 128);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->rows, 128);
  EXPECT_EQ(kept->columns, 64);
  // 32 divides both sizes, so that no pixel crosses a border and only rounding
  // differs.
  const auto straight = PrepareWhole(image, 32);
  const auto again = ResizePlane({kept->rows, kept->columns, kept->pixels}, 32);
  ASSERT_TRUE(straight.ok() && again.ok());
  for (size_t i = 0; i < straight->size(); ++i) {
    EXPECT_LE(std::abs((*straight)[i] - (*again)[i]), 2) << i;
  }
}

}  // namespace
}  // namespace hilum
