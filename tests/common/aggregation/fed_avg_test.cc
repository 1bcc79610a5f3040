// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/fed_avg.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "common/aggregation/fixed_point.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

class FedAvgTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/fed_avg_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::vector<float>& values) {
    std::string path = folder_ + "/" + name;
    absl::string_view bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * 4);
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }
  std::vector<float> Output() {
    std::string bytes = ReadFile(folder_ + "/out").value();
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  AggregateOptions Options(int64_t track_size, int num_tracks,
                           const std::vector<float>& global) {
    AggregateOptions options;
    options.track_size = track_size;
    options.num_tracks = num_tracks;
    options.global_path = Write("global", global);
    options.output_path = folder_ + "/out";
    options.durability = Durability::kNone;
    return options;
  }

  std::string folder_;
};

std::vector<float> Random(size_t size, const std::string& stream,
                          double scale) {
  Rng rng(7, stream);
  std::vector<float> values(size);
  for (float& value : values) {
    value = static_cast<float>(scale * rng.Normal());
  }
  return values;
}

TEST_F(FedAvgTest, IsTheWeightedMeanInAnyOrderToTheBit) {
  const int64_t size = 70001;  // over a block, no multiple of one
  const std::vector<float> global = Random(2 * size, "global", 1);
  AggregateOptions options = Options(size, 2, global);
  std::vector<std::vector<float>> deltas;
  for (int s = 0; s < 5; ++s) {
    const std::string name = "site-" + std::to_string(s);
    deltas.push_back(Random(2 * size, name, s == 3 ? 100 : 0.01));
    options.updates.push_back(
        {name,
         Write(name, deltas.back()),
         {static_cast<uint64_t>(17 + s * 1000), static_cast<uint64_t>(s)}});
  }
  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<float> got = Output();
  ASSERT_EQ(got.size(), global.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const size_t track = i / size;
    double sum = 0, total = 0;
    for (size_t s = 0; s < deltas.size(); ++s) {
      const double n = options.updates[s].num_examples[track];
      sum += n * static_cast<double>(deltas[s][i]);
      total += n;
    }
    const double want = static_cast<double>(global[i]) + sum / total;
    ASSERT_NEAR(got[i], want, 0x1p-24 + std::abs(want) * 0x1p-23) << i;
  }
  EXPECT_EQ(result->sha256, Sha256Of(ReadFile(folder_ + "/out").value()));
  EXPECT_EQ(result->num_bytes, got.size() * 4);
  Rng rng(1, "order");
  for (int shuffle = 0; shuffle < 4; ++shuffle) {
    rng.Shuffle(options.updates);
    auto again = AggregateUpdates(options);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->sha256, result->sha256);
  }
}

TEST_F(FedAvgTest, TrackWithoutExamplesStaysAndItsDeltaIsNotRead) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  AggregateOptions options = Options(2, 2, {1, 2, 3, 4});
  options.updates = {{"a", Write("a", {nan, nan, 1, 1}), {0, 3}}};
  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Output(), (std::vector<float>{1, 2, 4, 5}));
}

TEST_F(FedAvgTest, NaNInfiniteAndHugeDeltasAreRefusedByName) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(),
                    -std::numeric_limits<float>::quiet_NaN(),
                    std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity(), 16385.0f}) {
    AggregateOptions options = Options(2, 2, {1, 2, 3, 4});
    options.updates = {{"north", Write("a", {0, 0, 0, bad}), {1, 1}}};
    const absl::Status status = AggregateUpdates(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("north: track 1, element 1"));
    EXPECT_FALSE(FileExists(folder_ + "/out"));
  }
}

TEST_F(FedAvgTest, WrongLengthTwoUpdatesAndTooManyExamplesAreRefused) {
  const std::string path = Write("a", {1, 1});
  AggregateOptions wrong = Options(3, 1, {0, 0, 0});
  wrong.updates = {{"a", path, {1}}};
  EXPECT_EQ(AggregateUpdates(wrong).status().code(),
            absl::StatusCode::kInvalidArgument);
  const std::vector<std::vector<UpdateInput>> refused = {
      {{"a", path, {1}}, {"a", path, {1}}},
      {{"a", path, {1, 1}}},
      {{"a", path, {kMaxTotalExamples}}, {"b", path, {1}}},
      {{"a", path, {~uint64_t{0}}}, {"b", path, {2}}}};
  for (const std::vector<UpdateInput>& updates : refused) {
    AggregateOptions options = Options(2, 1, {0, 0});
    options.updates = updates;
    EXPECT_EQ(AggregateUpdates(options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(FedAvgTest, TheLargestSumDoesNotOverflow) {
  AggregateOptions options = Options(2, 1, {0, 0});
  const std::string path = Write("a", {16384, -16384});
  options.updates = {{"a", path, {kMaxTotalExamples / 2}},
                     {"b", path, {kMaxTotalExamples / 2}}};
  ASSERT_TRUE(AggregateUpdates(options).ok());
  EXPECT_EQ(Output(), (std::vector<float>{16384, -16384}));
}

TEST(FixedPointTest, FastPathRoundsAsLlrintDoes) {
  std::vector<float> delta = Random(4096, "round", 1e-6);
  for (int half : {1, 3, 5, -1, -3}) {  // ties
    delta.push_back(static_cast<float>(half) * 0x1p-25f);
  }
  for (uint64_t n : {1ull, 3ull, 1000ull, 1ull << 24}) {
    std::vector<int64_t> sums(delta.size());
    AccumulateDelta(delta, n, absl::MakeSpan(sums));
    for (size_t i = 0; i < delta.size(); ++i) {
      ASSERT_EQ(sums[i], std::llrint(static_cast<double>(delta[i]) *
                                     static_cast<double>(n) * 0x1p24));
    }
  }
}

TEST_F(FedAvgTest, LongTracksAreCutIntoBlocksWithoutASeam) {
  const int64_t size = 3 * (1 << 15) + 7;
  const std::vector<float> zeros(static_cast<size_t>(size));
  std::vector<float> delta;
  for (int64_t i = 0; i < size; ++i) delta.push_back(static_cast<float>(i));
  for (float& value : delta) value /= 1024;
  std::vector<float> both = zeros;
  both.insert(both.end(), zeros.begin(), zeros.end());
  AggregateOptions options = Options(size, 2, both);
  std::vector<float> deltas = delta;
  deltas.insert(deltas.end(), delta.rbegin(), delta.rend());
  options.updates = {{"a", Write("a", deltas), {5, 5}}};
  ASSERT_TRUE(AggregateUpdates(options).ok());
  EXPECT_EQ(Output(), deltas);
}

TEST(ClipFactorTest, ScalesOnlyWhatIsLonger) {
  std::vector<float> delta = {3, 4};
  double squares = 0;
  AddSquares(delta, squares);
  EXPECT_EQ(ClipFactor(squares, 0).value(), 1);
  EXPECT_EQ(ClipFactor(squares, 6).value(), 1);
  ScaleDelta(absl::MakeSpan(delta), ClipFactor(squares, 1).value());
  EXPECT_FLOAT_EQ(delta[0], 0.6f);
  EXPECT_FLOAT_EQ(delta[1], 0.8f);
  EXPECT_FALSE(ClipFactor(std::numeric_limits<double>::infinity(), 1).ok());
  EXPECT_FALSE(ClipFactor(squares, -1).ok());
}

TEST(AllFiniteTest, SeesEveryPlace) {
  for (size_t size : {1, 7, 64, 1000}) {
    std::vector<float> values(size, std::numeric_limits<float>::max());
    EXPECT_TRUE(AllFinite(values));
    for (size_t i = 0; i < size; ++i) {
      std::vector<float> bad = values;
      bad[i] = i % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                          : -std::numeric_limits<float>::infinity();
      ASSERT_FALSE(AllFinite(bad)) << i << " of " << size;
    }
  }
}

}  // namespace
}  // namespace hilum
