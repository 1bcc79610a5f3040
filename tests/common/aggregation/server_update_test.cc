// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/server_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "common/aggregation/fed_avg.h"
#include "common/base/rng.h"
#include "common/secagg/mask.h"

namespace hilum {
namespace {

constexpr int64_t kSize = 40001;  // of a track: over a block
constexpr int kSites = 3;

v1::ServerOptimizer RulesOf(v1::ServerOptimizer::Kind kind) {
  v1::ServerOptimizer rules;
  rules.set_kind(kind);
  rules.set_learning_rate(0.01);
  rules.set_beta1(0.9);
  rules.set_beta2(0.99);
  rules.set_epsilon(1e-6);
  rules.set_clip(0.7);
  if (kind == v1::ServerOptimizer::KIND_SGD) rules.set_momentum(0.9);
  if (kind == v1::ServerOptimizer::KIND_ADAMW) rules.set_weight_decay(0.1);
  return rules;
}

MaskStream Mask(MaskSign sign) {
  const std::string seed(kMaskSeedSize, 'm');
  return MaskStream(
      SecretBytes::FromBytes(
          {reinterpret_cast<const uint8_t*>(seed.data()), seed.size()}),
      sign);
}

// Two tracks of three runs, over four rounds. Nobody trains the second track in
// the second round.
class ServerUpdateTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/server_update_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  template <typename Value>
  std::string Write(const std::string& name, const std::vector<Value>& values) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(
        WriteFileAtomically(
            path,
            absl::string_view(reinterpret_cast<const char*>(values.data()),
                              values.size() * sizeof(Value)),
            Durability::kNone)
            .ok());
    return path;
  }
  std::vector<float> Floats(const std::string& name) {
    const std::string bytes = ReadFile(folder_ + "/" + name).value();
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  static bool Trains(uint32_t round, size_t track) {
    return round != 2 || track == 0;
  }
  // A site's words: small sums, and 10 examples of each trained track.
  std::vector<uint32_t> Vector(uint32_t round, int site) const {
    Rng rng(round, std::to_string(site));
    std::vector<uint32_t> words(static_cast<size_t>(layout_.size()));
    for (size_t track = 0; track < 2; ++track) {
      for (int64_t i = 0; i < kSize; ++i) {
        const auto at = track * static_cast<size_t>(kSize);
        words[at + static_cast<size_t>(i)] =
            Trains(round, track)
                ? static_cast<uint32_t>(rng.Next() >> 44) - (1u << 19)
                : 0;
      }
      words[static_cast<size_t>(layout_.tail()) + track] =
          Trains(round, track) ? 10 : 0;
    }
    return words;
  }

  // Runs the rounds and returns the last model; its state is in "state".
  std::vector<float> Run(const v1::ServerOptimizer& rules, bool masked,
                         std::vector<int> order) {
    std::vector<float> start(static_cast<size_t>(layout_.tail()));
    Rng rng(1, "start");
    for (float& value : start) value = static_cast<float>(rng.Uniform() - 0.5);
    Write("global", start);
    std::string state_path;
    for (uint32_t round = 1; round <= 4; ++round) {
      AggregateOptions options{.layout = layout_,
                               .fraction_bits = FractionBits(0),
                               .total_examples = {30, 30},
                               .global_path = folder_ + "/global",
                               .output_path = folder_ + "/global"};
      options.durability = Durability::kNone;
      for (int site : order) {
        std::vector<uint32_t> words = Vector(round, site);
        if (masked && site == 1) {
          Mask(MaskSign::kAdd).Apply(0, absl::MakeSpan(words));
        }
        const std::string name = std::to_string(site);
        options.updates.push_back({name, Write(name, words)});
      }
      if (masked) {
        options.unmask = [](uint64_t first, absl::Span<uint32_t> values) {
          Mask(MaskSign::kSubtract).Apply(first, values);
        };
      }
      options.server = ServerOptions{.rules = rules,
                                     .rate_factor = 1.0 / round,
                                     .runs = runs_,
                                     .state_path = state_path,
                                     .output_path = folder_ + "/state"};
      const auto result = AggregateUpdates(options);
      EXPECT_TRUE(result.ok()) << result.status();
      state_path = folder_ + "/state";
    }
    return Floats("global");
  }

  // The same, track by track in memory.
  std::vector<float> Reference(const v1::ServerOptimizer& rules) const {
    std::vector<float> weights(static_cast<size_t>(layout_.tail()));
    Rng rng(1, "start");
    for (float& value : weights) {
      value = static_cast<float>(rng.Uniform() - 0.5);
    }
    const auto state_size = static_cast<size_t>(StateSize(rules));
    const double scale = std::ldexp(1.0, -FractionBits(0));
    for (size_t track = 0; track < 2; ++track) {
      std::vector<float> state(state_size * kSize);
      uint64_t steps = 0;
      for (uint32_t round = 1; round <= 4; ++round) {
        if (!Trains(round, track)) continue;
        std::vector<uint32_t> sums(kSize);
        for (int site = 0; site < kSites; ++site) {
          const std::vector<uint32_t> words = Vector(round, site);
          AddWords(absl::MakeSpan(words).subspan(track * kSize, kSize),
                   absl::MakeSpan(sums));
        }
        ServerStep step(rules, 1.0 / round, ++steps);
        double squares = 0;
        AddSquares(absl::MakeSpan(sums).subspan(0, 1000), scale, squares);
        AddSquares(absl::MakeSpan(sums).subspan(1005), scale, squares);
        step.Clip(squares);
        size_t at = 0;
        for (const ElementRun& run : runs_) {
          const auto size = static_cast<size_t>(run.size);
          step.Apply(
              run, absl::MakeSpan(sums).subspan(at, size), scale,
              absl::MakeSpan(state).subspan(at * state_size, size * state_size),
              absl::MakeSpan(weights).subspan(track * kSize + at, size));
          at += size;
        }
      }
    }
    return weights;
  }

  const VectorLayout layout_ = {.track_size = kSize, .num_tracks = 2};
  const std::vector<ElementRun> runs_ = {
      {1000, true, true}, {5, false, false}, {kSize - 1005, true, false}};
  std::string folder_;
};

TEST_F(ServerUpdateTest, FilesHaveTheBitsOfTheTracksInMemory) {
  for (auto kind :
       {v1::ServerOptimizer::KIND_SGD, v1::ServerOptimizer::KIND_ADAMW}) {
    const v1::ServerOptimizer rules = RulesOf(kind);
    EXPECT_EQ(Run(rules, false, {0, 1, 2}), Reference(rules));
  }
}

TEST_F(ServerUpdateTest, MasksAndOrderChangeNoBitOfModelAndState) {
  for (auto kind :
       {v1::ServerOptimizer::KIND_SGD, v1::ServerOptimizer::KIND_YOGI}) {
    const v1::ServerOptimizer rules = RulesOf(kind);
    const std::vector<float> clear = Run(rules, false, {0, 1, 2});
    const std::string state = ReadFile(folder_ + "/state").value();
    EXPECT_EQ(Run(rules, true, {2, 0, 1}), clear);
    EXPECT_TRUE(ReadFile(folder_ + "/state").value() == state);
    EXPECT_EQ(state.size(),
              4 * (2 + static_cast<size_t>(StateSize(rules) * layout_.tail())));
  }
}

TEST_F(ServerUpdateTest, TrackThatNobodyTrainsMakesNoStep) {
  Run(RulesOf(v1::ServerOptimizer::KIND_ADAM), false, {0, 1, 2});
  const std::string state = ReadFile(folder_ + "/state").value();
  uint32_t steps[2];
  std::memcpy(steps, state.data(), sizeof steps);
  EXPECT_EQ(steps[0], 4u);
  EXPECT_EQ(steps[1], 3u);
}

TEST_F(ServerUpdateTest, PlainSgdHasNoState) {
  v1::ServerOptimizer rules = RulesOf(v1::ServerOptimizer::KIND_SGD);
  rules.clear_momentum();
  EXPECT_EQ(Run(rules, false, {0, 1, 2}), Reference(rules));
  EXPECT_FALSE(FileExists(folder_ + "/state"));
}

TEST_F(ServerUpdateTest, StateOfAnotherLengthIsRefused) {
  const ServerOptions options{
      .rules = RulesOf(v1::ServerOptimizer::KIND_ADAM),
      .runs = runs_,
      .state_path = Write("state", std::vector<uint32_t>(7)),
      .output_path = folder_ + "/after"};
  EXPECT_EQ(ServerUpdate::Open(options, layout_).status().code(),
            absl::StatusCode::kInvalidArgument);
  ServerOptions other = options;
  other.runs.pop_back();
  EXPECT_EQ(ServerUpdate::Open(other, layout_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
