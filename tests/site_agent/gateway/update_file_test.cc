// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/update_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// Three tracks, two blocks, and a tail that begins at no multiple of 4.
constexpr int64_t kTrackSize = 40001;
constexpr int kTracks = 3;

std::vector<float> Random() {
  Rng rng(5, "delta");
  std::vector<float> values(kTrackSize * kTracks);
  for (float& value : values) value = static_cast<float>(rng.Normal() * 0.1);
  return values;
}

// Adds each element's index, and notes the blocks that it was asked for.
struct NotingMask {
  std::vector<std::pair<uint64_t, size_t>> blocks;

  VectorMask AsMask() {
    return [this](uint64_t first, absl::Span<uint32_t> values) {
      blocks.push_back({first, values.size()});
      for (uint32_t& value : values) value += static_cast<uint32_t>(first++);
    };
  }
  // Expects each element once, from front to back, as common/secagg needs it.
  void ExpectWhole(uint64_t size) const {
    uint64_t next = 0;
    for (const auto& [first, count] : blocks) {
      EXPECT_EQ(first, next);
      EXPECT_EQ(first % 4, 0u);
      next += count;
    }
    EXPECT_EQ(next, size);
  }
};

class UpdateFileTest : public testing::Test {
 protected:
  UpdateFileTest() {
    options_.layout = {.track_size = kTrackSize, .num_tracks = kTracks};
    options_.shares = {{10, 5, 40}, {0, 0, 0}, {30, 99, 30}};
    options_.seed = 11;
    options_.stream = "rounding/4/north";
  }

  absl::StatusOr<v1::BlobRef> Encode(const std::vector<float>& delta) {
    absl::string_view bytes(reinterpret_cast<const char*>(delta.data()),
                            delta.size() * sizeof(float));
    EXPECT_TRUE(WriteFileAtomically(path_, bytes, Durability::kNone).ok());
    return EncodeUpdateFile(path_, options_);
  }

  std::vector<uint32_t> Words() const { return WordsIn(path_); }
  static std::vector<uint32_t> WordsIn(const std::string& path) {
    std::string bytes = ReadFile(path).value();
    std::vector<uint32_t> words(bytes.size() / sizeof(uint32_t));
    std::memcpy(words.data(), bytes.data(), bytes.size());
    return words;
  }

  // Encodes the same update with all of it in memory.
  std::vector<uint32_t> Want(std::vector<float> delta,
                             const std::vector<double>& factors) const {
    const int bits = FractionBits(options_.clipping_norm);
    std::vector<uint32_t> words(delta.size()), tail;
    for (size_t t = 0; t < kTracks; ++t) {
      const TrackShare& share = options_.shares[t];
      const double weight =
          share.num_examples == 0
              ? 0
              : static_cast<double>(share.num_examples) /
                    static_cast<double>(share.total_examples) * factors[t];
      EncodeDelta(absl::MakeSpan(delta).subspan(t * kTrackSize, kTrackSize),
                  std::ldexp(weight, bits),
                  RoundingStream(11, absl::StrCat("rounding/4/north/", t)), 0,
                  absl::MakeSpan(words).subspan(t * kTrackSize, kTrackSize));
      tail.push_back(static_cast<uint32_t>(share.num_examples));
    }
    // 10 of 40, 0 of 0 and 30 of 30 examples.
    tail.push_back(EncodeLoss(5 + 99, 40, 70));
    words.insert(words.end(), tail.begin(), tail.end());
    return words;
  }

  UpdateOptions options_;
  const std::string path_ = testing::TempDir() + "/update_file_test";
};

TEST_F(UpdateFileTest, VectorHasEachTrackEncodedAndThenCountsAndLosses) {
  const std::vector<float> delta = Random();
  auto update = Encode(delta);
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_TRUE(Words() == Want(delta, {1, 1, 1}));
  const std::string bytes = ReadFile(path_).value();
  EXPECT_EQ(update->size(), bytes.size());
  EXPECT_EQ(update->size(), options_.layout.num_bytes());
  EXPECT_EQ(update->sha256(), Sha256Of(bytes));
  const std::vector<uint32_t> words = Words();
  EXPECT_EQ(words[words.size() - 4], 10u);
  EXPECT_EQ(words[words.size() - 2], 30u);
  EXPECT_NEAR(words.back(), 104.0 / 70 * (1 << 24), 1);
}

TEST_F(UpdateFileTest, LossesArePooledOverTheTracksOfTheirArmOnly) {
  options_.layout.num_arms = 3;
  ASSERT_TRUE(Encode(Random()).ok());
  const std::vector<uint32_t> words = Words();
  ASSERT_EQ(words.size() * sizeof(uint32_t), options_.layout.num_bytes());
  EXPECT_EQ(words[words.size() - 3], (5u << 24) / 40);
  EXPECT_EQ(words[words.size() - 2], 0u);
  EXPECT_EQ(words[words.size() - 1], EncodeLoss(99, 30, 30));
}

TEST_F(UpdateFileTest, LossOfATrackThatWentAstrayDoesNotDrownItsArm) {
  options_.shares = {{10, std::numeric_limits<double>::infinity(), 40},
                     {20, -std::numeric_limits<double>::infinity(), 40},
                     {30, 15, 40}};
  ASSERT_TRUE(Encode(Random()).ok());
  EXPECT_EQ(Words().back(), EncodeLoss(64 * 10 + 15, 60, 120));
}

TEST_F(UpdateFileTest, ValidationLiesBehindTheExamplesOfEachTrack) {
  const std::vector<float> delta = Random();
  ASSERT_TRUE(Encode(delta).ok());
  std::vector<uint32_t> want = Words();
  options_.layout.validates = true;
  options_.shares[0].validation_examples = 4;
  options_.shares[0].validation_loss_sum = 10;
  auto update = Encode(delta);
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_EQ(update->size(), options_.layout.num_bytes());
  // Inserts from the back: for the third track, the second and the first.
  want.insert(want.end() - 1, {0, 0});
  want.insert(want.end() - 4, {0, 0});
  want.insert(want.end() - 7, {4, (10u << 24) / 40});
  EXPECT_TRUE(Words() == want);
}

TEST_F(UpdateFileTest, ValidationThatDoesNotFitIsRefused) {
  options_.layout.validates = true;
  options_.shares[1] = {30, 1, 40, 10, 1};
  EXPECT_TRUE(Encode(Random()).ok());
  const double infinity = std::numeric_limits<double>::infinity();
  for (const TrackShare& bad :
       {TrackShare{30, 1, 40, 11, 1}, TrackShare{30, 1, 40, ~uint64_t{0}, 1},
        TrackShare{30, 1, 40, 10, std::nan("")},
        TrackShare{30, 1, 40, 10, infinity}}) {
    options_.shares[1] = bad;
    const absl::Status refused = Encode(Random()).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("track 1"));
  }
}

TEST_F(UpdateFileTest, EachTrackIsClippedByItsOwnNorm) {
  std::vector<float> delta = Random();
  delta[0] = 3000;  // over the limit, and clipped down to it
  double squares[kTracks] = {};
  for (size_t i = 0; i < delta.size(); ++i) {
    squares[i / kTrackSize] += std::pow(static_cast<double>(delta[i]), 2);
  }
  options_.clipping_norm = 25;  // the last track's is 20
  ASSERT_TRUE(Encode(delta).ok());
  EXPECT_TRUE(Words() == Want(delta, {25 / std::sqrt(squares[0]), 1, 1}));
  ASSERT_LT(squares[2], 25 * 25);
}

TEST_F(UpdateFileTest, MaskSeesEachElementOnceAndInOrder) {
  auto update = Encode(Random());
  ASSERT_TRUE(update.ok()) << update.status();
  std::vector<uint32_t> want = Words();
  for (size_t i = 0; i < want.size(); ++i) want[i] += static_cast<uint32_t>(i);
  NotingMask mask;
  const std::string masked_path = path_ + ".masked";
  auto masked =
      MaskVectorFile(path_, update->sha256(), masked_path, mask.AsMask());
  ASSERT_TRUE(masked.ok()) << masked.status();
  EXPECT_TRUE(WordsIn(masked_path) == want);
  EXPECT_EQ(masked->sha256(), Sha256Of(ReadFile(masked_path).value()));
  EXPECT_EQ(masked->size(), update->size());
  mask.ExpectWhole(want.size());
  // A second attempt masks the same vector anew.
  EXPECT_EQ(Sha256Of(ReadFile(path_).value()), update->sha256());
}

TEST_F(UpdateFileTest, FileOfBrokenWordsIsNotMasked) {
  ASSERT_TRUE(WriteFileAtomically(path_, "12345").ok());
  NotingMask mask;
  EXPECT_EQ(
      MaskVectorFile(path_, "", path_ + ".masked", mask.AsMask()).status(),
      absl::InvalidArgumentError(path_ + ": 5 bytes are no vector"));
  EXPECT_TRUE(mask.blocks.empty());
}

TEST_F(UpdateFileTest, AVectorThatHasChangedIsNotMasked) {
  auto update = Encode(Random());
  ASSERT_TRUE(update.ok()) << update.status();
  std::string bytes = ReadFile(path_).value();
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(path_, bytes).ok());
  NotingMask mask;
  const absl::Status refused =
      MaskVectorFile(path_, update->sha256(), path_ + ".masked", mask.AsMask())
          .status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("changed since"));
}

// --- A trainer that keeps a descriptor of its file.

TEST_F(UpdateFileTest, WhatTheTrainerWritesLaterIsNotInTheVector) {
  for (double clipping_norm : {0.0, 25.0}) {
    options_.clipping_norm = clipping_norm;
    const std::vector<float> delta = Random();
    ASSERT_TRUE(
        WriteFileAtomically(path_,
                            {reinterpret_cast<const char*>(delta.data()),
                             delta.size() * sizeof(float)},
                            Durability::kNone)
            .ok());
    const ScopedFd kept(open(path_.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_GE(kept.get(), 0);
    auto update = EncodeUpdateFile(path_, options_);
    ASSERT_TRUE(update.ok()) << update.status();
    ASSERT_TRUE(WriteAt(kept.get(), 0, std::string(1000, '\xff'), "").ok());
    EXPECT_EQ(Sha256Of(ReadFile(path_).value()), update->sha256());
    EXPECT_TRUE(Words() == Want(delta, {1, 1, 1}));
  }
}

TEST_F(UpdateFileTest, ALinkOrAPipeIsNotTakenForAnUpdate) {
  const std::string other = path_ + ".other";
  ASSERT_TRUE(Encode(Random()).ok());
  ASSERT_EQ(rename(path_.c_str(), other.c_str()), 0);
  ASSERT_EQ(symlink(other.c_str(), path_.c_str()), 0);
  EXPECT_FALSE(EncodeUpdateFile(path_, options_).ok());
  unlink(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const absl::Status refused = EncodeUpdateFile(path_, options_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no plain file"));
  unlink(path_.c_str());
}

TEST_F(UpdateFileTest, UpdateThatDivergedIsRefused) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(),
                    -std::numeric_limits<float>::infinity(), 16.5f}) {
    std::vector<float> delta = Random();
    delta[2 * kTrackSize + 7] = bad;
    const absl::Status refused = Encode(delta).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("track 2"));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("element 7;"));
  }
  options_.clipping_norm = 1;
  std::vector<float> delta = Random();
  delta[0] = std::numeric_limits<float>::max();
  EXPECT_FALSE(Encode(delta).ok());
}

TEST_F(UpdateFileTest, SharesThatDoNotFitTheCohortAreRefused) {
  const std::vector<TrackShare> good = options_.shares;
  const TrackShare bad[] = {{41, 5, 40},
                            {kMaxSiteExamples + 1, 5, kMaxSiteExamples + 1},
                            {10, std::numeric_limits<double>::quiet_NaN(), 40}};
  for (const TrackShare& share : bad) {
    options_.shares = good;
    options_.shares[0] = share;
    const absl::Status refused = Encode(Random()).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("track 0"));
  }
  options_.shares = {good[0]};
  EXPECT_FALSE(Encode(Random()).ok());
}

// Few of the cohort's cases are in a round: their share of M keeps the bits of
// the fixed point. FedNova divides by the site's steps.
TEST_F(UpdateFileTest, WeightIsTheShareOfTheRoundByTheSitesSteps) {
  options_.shares[0].most_trained = 20;
  options_.shares[0].normalized_steps = 4;
  const std::vector<float> delta = Random();
  ASSERT_TRUE(Encode(delta).ok());
  const std::vector<uint32_t> words = Words();
  const std::vector<uint32_t> wanted = Want(delta, {40.0 / 20 / 4, 1, 1});
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end() - 1, words.begin()));
  EXPECT_EQ(words.back(), EncodeLoss(104, 40, 50));
  options_.shares[0].most_trained = 9;
  EXPECT_EQ(Encode(delta).status().code(), absl::StatusCode::kInvalidArgument);
  options_.shares[0].most_trained = 20;
  options_.shares[0].normalized_steps = 0.5;
  EXPECT_EQ(Encode(delta).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UpdateFileTest, FileOfAnotherLengthIsRefused) {
  std::vector<float> delta = Random();
  delta.pop_back();
  EXPECT_EQ(Encode(delta).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UpdateFileTest, NothingIsZeros) {
  const auto size = static_cast<size_t>(options_.layout.size());
  auto update = WriteZeroVector(path_, options_.layout.size());
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_TRUE(Words() == std::vector<uint32_t>(size));
  EXPECT_EQ(update->size(), options_.layout.num_bytes());
  // A site that trained on no case gives the same encoding.
  options_.shares.assign(kTracks, {});
  EXPECT_EQ(Encode(Random())->sha256(), update->sha256());
}

}  // namespace
}  // namespace hilum
