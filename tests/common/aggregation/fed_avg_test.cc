// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/fed_avg.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "common/secagg/mask.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

// A site's update: values of all tracks, and each track's n_s.
struct SiteUpdate {
  std::vector<float> delta;
  std::vector<uint64_t> num_examples;
  std::vector<double> loss_sum;
};

std::vector<uint32_t> Encoded(const SiteUpdate& update,
                              const AggregateOptions& options,
                              const std::string& site) {
  const auto size = static_cast<size_t>(options.layout.track_size);
  std::vector<uint32_t> words(update.delta.size());
  std::vector<uint32_t> tail;
  for (size_t t = 0; t < options.total_examples.size(); ++t) {
    const double share = static_cast<double>(update.num_examples[t]) /
                         static_cast<double>(options.total_examples[t]);
    EncodeDelta(absl::MakeSpan(update.delta.data() + t * size, size),
                std::ldexp(share, options.fraction_bits),
                RoundingStream(t, site), 0,
                absl::MakeSpan(words.data() + t * size, size));
    tail.push_back(static_cast<uint32_t>(update.num_examples[t]));
  }
  double loss_sum = 0;
  uint64_t examples = 0, total = 0;
  for (size_t t = 0; t < options.total_examples.size(); ++t) {
    loss_sum += update.loss_sum[t];
    examples += update.num_examples[t];
    total += options.total_examples[t];
  }
  tail.push_back(EncodeLoss(loss_sum, examples, total));
  words.insert(words.end(), tail.begin(), tail.end());
  return words;
}

class FedAvgTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/fed_avg_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  template <typename Value>
  std::string Write(const std::string& name, const std::vector<Value>& values) {
    std::string path = folder_ + "/" + name;
    absl::string_view bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(Value));
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }
  std::vector<float> Output() {
    std::string bytes = ReadFile(folder_ + "/out").value();
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  AggregateOptions Options(int64_t track_size,
                           const std::vector<uint64_t>& total_examples,
                           const std::vector<float>& global) {
    AggregateOptions options;
    options.layout = {.track_size = track_size,
                      .num_tracks = static_cast<int>(total_examples.size())};
    options.fraction_bits = FractionBits(0);
    options.total_examples = total_examples;
    options.global_path = Write("global", global);
    options.output_path = folder_ + "/out";
    options.durability = Durability::kNone;
    return options;
  }
  void Add(const std::string& site, const SiteUpdate& update,
           AggregateOptions& options) {
    options.updates.push_back(
        {site, Write(site, Encoded(update, options, site))});
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

// Returns five sites of two tracks; site 0 has not trained the second one.
std::vector<SiteUpdate> FiveSites(size_t num_elements) {
  std::vector<SiteUpdate> updates;
  for (uint64_t s = 0; s < 5; ++s) {
    updates.push_back({Random(num_elements, std::to_string(s), 0.1),
                       {17 + s * 1000, s},
                       {static_cast<double>(s), 2.0 * static_cast<double>(s)}});
  }
  return updates;
}

// A site without examples can be told from one with some.
TEST_F(FedAvgTest, ExamplesAreCountedBySiteWhereNoMasksAreOnThem) {
  AggregateOptions options = Options(8, {12000, 15}, Random(16, "global", 1));
  const std::vector<SiteUpdate> updates = FiveSites(16);
  for (size_t s = 0; s < 3; ++s) {
    Add("site-" + std::to_string(s), updates[s], options);
  }
  SiteUpdate nothing = updates[3];
  nothing.num_examples = {0, 0};
  Add("withheld", nothing, options);
  const auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->update_examples,
              ::testing::ElementsAre(17, 1018, 2019, 0));
  options.unmask = [](uint64_t, absl::Span<uint32_t>) {};
  EXPECT_TRUE(AggregateUpdates(options)->update_examples.empty());
}

TEST_F(FedAvgTest, IsTheWeightedMeanInAnyOrderToTheBit) {
  const int64_t size = 70001;  // over a block, no multiple of one
  const std::vector<float> global = Random(2 * size, "global", 1);
  AggregateOptions options = Options(size, {12000, 15}, global);
  const std::vector<SiteUpdate> updates = FiveSites(2 * size);
  for (size_t s = 0; s < updates.size(); ++s) {
    Add("site-" + std::to_string(s), updates[s], options);
  }
  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<float> got = Output();
  ASSERT_EQ(got.size(), global.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const size_t track = i / size;
    double sum = 0, total = 0;
    for (const SiteUpdate& update : updates) {
      const double n = static_cast<double>(update.num_examples[track]);
      sum += n * static_cast<double>(update.delta[i]);
      total += n;
    }
    const double want = static_cast<double>(global[i]) + sum / total;
    const double bound = 5 * 0x1p-26 *
                         static_cast<double>(options.total_examples[track]) /
                         total;
    ASSERT_NEAR(got[i], want, bound + std::abs(want) * 0x1p-24) << i;
  }
  EXPECT_EQ(result->sha256, Sha256Of(ReadFile(folder_ + "/out").value()));
  EXPECT_EQ(result->num_bytes, got.size() * 4);
  ASSERT_EQ(result->tracks.size(), 2u);
  EXPECT_EQ(result->tracks[0].num_examples, 10085u);
  EXPECT_EQ(result->tracks[1].num_examples, 10u);
  ASSERT_EQ(result->arms.size(), 1u);
  EXPECT_NEAR(result->arms[0].mean_loss, 30.0 / 10095, 1e-6);
  Rng rng(1, "order");
  for (int shuffle = 0; shuffle < 4; ++shuffle) {
    rng.Shuffle(options.updates);
    auto again = AggregateUpdates(options);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->sha256, result->sha256);
  }
}

// In a round of few steps the weights are shares of M, not of N; FedNova's
// factor multiplies the mean.
TEST_F(FedAvgTest, WeightsOfFewStepsAreSharesOfTheMostInARound) {
  AggregateOptions options = Options(1, {100}, {1});
  options.most_trained = {10};
  options.factors = {3};
  const auto words = [](uint32_t examples) {
    const double part = 0.5 * examples / 10;
    return std::vector<uint32_t>{
        static_cast<uint32_t>(std::lrint(std::ldexp(part, FractionBits(0)))),
        examples, EncodeLoss(2.0 * examples, examples, 10)};
  };
  options.updates = {{"a", Write("a", words(3))}, {"b", Write("b", words(1))}};
  const auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(Output()[0], 1 + 3 * 0.5, 1e-6);
  EXPECT_NEAR(result->arms[0].mean_loss, 2, 1e-6);
  options.updates.push_back({"c", Write("c", words(7))});
  const absl::Status more = AggregateUpdates(options).status();
  EXPECT_EQ(more.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(more.message()),
              HasSubstr("the whole cohort trains on 10 in a round"));
}

TEST_F(FedAvgTest, MasksThatAreTakenOffTheSumLeaveItsBits) {
  const int64_t size = 50001;  // the tail begins at no multiple of 4
  AggregateOptions options =
      Options(size, {12000, 15}, Random(2 * size, "global", 1));
  const std::vector<SiteUpdate> updates = FiveSites(2 * size);
  for (size_t s = 0; s < updates.size(); ++s) {
    Add("site-" + std::to_string(s), updates[s], options);
  }
  auto plain = AggregateUpdates(options);
  ASSERT_TRUE(plain.ok()) << plain.status();

  std::vector<MaskStream> left;
  for (size_t s = 0; s < updates.size(); ++s) {
    const SecretBytes seed = SecretBytes::FromBytes(
        std::vector<uint8_t>(kMaskSeedSize, static_cast<uint8_t>(s)));
    std::vector<uint32_t> words =
        Encoded(updates[s], options, "site-" + std::to_string(s));
    MaskStream(seed, MaskSign::kAdd).Apply(0, absl::MakeSpan(words));
    Write("site-" + std::to_string(s), words);
    left.emplace_back(seed, MaskSign::kSubtract);
  }
  EXPECT_FALSE(AggregateUpdates(options).ok());  // its counts are noise
  options.unmask = [&](uint64_t first, absl::Span<uint32_t> values) {
    ApplyMaskStreams(absl::MakeSpan(left), first, values);
  };
  auto masked = AggregateUpdates(options);
  ASSERT_TRUE(masked.ok()) << masked.status();
  EXPECT_EQ(masked->sha256, plain->sha256);
  EXPECT_EQ(masked->arms[0].mean_loss, plain->arms[0].mean_loss);
}

TEST_F(FedAvgTest, TrackWithoutExamplesStaysAsItIs) {
  AggregateOptions options = Options(2, {3, 3}, {1, -0.0f, 3, 4});
  // A nonzero sum for a track without examples.
  options.updates = {
      {"a", Write("a", std::vector<uint32_t>{7, 7, 1u << 26, 1u << 26, 0, 3,
                                             1u << 23})}};
  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<float> got = Output();
  EXPECT_EQ(got, (std::vector<float>{1, 0, 4, 5}));
  EXPECT_TRUE(std::signbit(got[1]));
  EXPECT_EQ(result->arms[0].mean_loss, 1);
}

TEST_F(FedAvgTest, MoreExamplesThanTheCohortHasAreRefusedAndNothingIsLeft) {
  AggregateOptions options = Options(1, {9, 10}, {1, 2});
  options.updates = {{"a", Write("a", std::vector<uint32_t>{0, 0, 4, 8, 0})},
                     {"b", Write("b", std::vector<uint32_t>{0, 0, 5, 2, 0})}};
  EXPECT_TRUE(AggregateUpdates(options).ok());
  std::filesystem::remove(folder_ + "/out");
  options.total_examples = {9, 9};
  const absl::Status status = AggregateUpdates(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("10 examples of track 1, the whole cohort has 9"));
  EXPECT_FALSE(FileExists(folder_ + "/out"));
}

// The vector has each track's delta, then each track's n, v and validation
// loss, then each arm's loss.
TEST_F(FedAvgTest, ValidationIsReadBesideTheLossAndMovesNothing) {
  AggregateOptions options = Options(1, {10, 10}, {1, 2});
  options.layout.num_arms = 2;
  options.layout.validates = true;
  const uint32_t one = 1u << 24;  // a loss of one nat in each of ten cases
  options.updates = {
      {"a", Write("a", std::vector<uint32_t>{1u << 26, 0, 4, 1, one / 10, 8, 0,
                                             0, one, one})},
      {"b", Write("b", std::vector<uint32_t>{0, 0, 1, 3, 2 * one, 0, 0, 0, one,
                                             0})}};
  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Output(), (std::vector<float>{3, 2}));
  EXPECT_EQ(result->tracks[0].num_examples, 5u);
  EXPECT_EQ(result->tracks[0].validation_examples, 4u);
  EXPECT_NEAR(result->arms[0].mean_loss, 4, 1e-6);
  EXPECT_NEAR(result->tracks[0].validation_loss, 21.0 / 4, 1e-6);
  EXPECT_EQ(result->tracks[1].num_examples, 8u);
  EXPECT_EQ(result->tracks[1].validation_examples, 0u);
  EXPECT_NEAR(result->arms[1].mean_loss, 10.0 / 8, 1e-6);
  EXPECT_TRUE(std::isnan(result->tracks[1].validation_loss));
  EXPECT_EQ(ValidationLosses(*result)[0], result->tracks[0].validation_loss);
}

TEST_F(FedAvgTest, LossIsPooledOverTheTracksOfAnArmOnly) {
  AggregateOptions options = Options(1, {10, 30, 5, 5}, {1, 2, 3, 4});
  options.layout.num_arms = 2;
  options.layout.validates = true;
  // The losses' sums: 8 nats of 40 cases, 2 nats of 10. The validation losses
  // are of single tracks: 4 nats of 10, 18 of 30.
  const std::vector<uint32_t> words = {0,
                                       0,
                                       0,
                                       0,
                                       6,
                                       2,
                                       EncodeLoss(4, 2, 10),
                                       10,
                                       6,
                                       EncodeLoss(18, 6, 30),
                                       5,
                                       0,
                                       0,
                                       0,
                                       0,
                                       0,
                                       EncodeLoss(8, 16, 40),
                                       EncodeLoss(2, 5, 10)};
  options.updates = {{"a", Write("a", words)}};
  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->arms.size(), 2u);
  EXPECT_NEAR(result->arms[0].mean_loss, 0.5, 1e-6);
  EXPECT_NEAR(result->tracks[0].validation_loss, 2, 1e-6);
  EXPECT_NEAR(result->tracks[1].validation_loss, 3, 1e-6);
  EXPECT_NEAR(result->arms[1].mean_loss, 0.4, 1e-6);
  EXPECT_TRUE(std::isnan(result->tracks[2].validation_loss));
}

TEST_F(FedAvgTest, ValidationThatNoCohortCanHaveIsAborted) {
  AggregateOptions options = Options(1, {10}, {1});
  options.layout.validates = true;
  const auto with = [&](uint32_t examples, uint32_t loss) {
    options.updates = {
        {"a", Write("a", std::vector<uint32_t>{0, 8, examples, loss, 0})}};
    return AggregateUpdates(options).status();
  };
  const uint32_t most = uint32_t{64} << 24;
  EXPECT_TRUE(with(2, most / 5).ok());
  EXPECT_EQ(with(3, 0).code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(with(3, 0).message()), HasSubstr("11 examples"));
  EXPECT_EQ(with(2, most / 5 + 2000).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(with(2, ~uint32_t{0}).code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(with(2, ~uint32_t{0}).message()),
              HasSubstr("validation loss"));
}

TEST_F(FedAvgTest, WrongLengthTwoUpdatesAndTooManySitesAreRefused) {
  const std::string path = Write("a", std::vector<uint32_t>{1, 1, 1, 1});
  std::vector<UpdateInput> many;
  for (int s = 0; s <= kMaxSites; ++s) {
    many.push_back({std::to_string(s), path});
  }
  AggregateOptions good = Options(2, {5}, {0, 0});
  good.updates = {{"a", path}};
  EXPECT_TRUE(AggregateUpdates(good).ok());
  AggregateOptions longer = Options(3, {5}, {0, 0, 0}), twice = good,
                   crowd = good, tracks = good, arms = good;
  longer.updates = {{"a", path}};
  twice.updates = {{"a", path}, {"a", path}};
  crowd.updates = many;
  tracks.total_examples = {5, 5};
  arms.layout.num_arms = 2;  // of one track
  for (const AggregateOptions& bad : {longer, twice, crowd, tracks, arms}) {
    EXPECT_EQ(AggregateUpdates(bad).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace hilum
