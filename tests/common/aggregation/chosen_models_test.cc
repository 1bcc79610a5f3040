// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/chosen_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using enum ChosenFrom;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kTrackSize = (1 << 16) + 5;  // over a block

class ChosenModelsTest : public testing::Test {
 protected:
  ChosenModelsTest() {
    std::filesystem::create_directories(folder_);
    options_.layout = {.track_size = kTrackSize, .num_tracks = 4};
    options_.chosen_path = Write("chosen", 'c');
    options_.before_path = Write("before", 'b');
    options_.after_path = Write("after", 'a');
    options_.output_path = folder_ + "/out";
  }
  ~ChosenModelsTest() override { std::filesystem::remove_all(folder_); }

  // Writes a global of four tracks of letters, the first of which is `first`.
  std::string Write(const std::string& name, char first) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_TRUE(
        WriteFileAtomically(path, Letters({first, first, first, first})).ok());
    return path;
  }
  // Returns track 0 of the first letter's file, track 1 of the second's, ...
  static std::string Letters(const std::string& of_tracks) {
    std::string bytes;
    for (size_t t = 0; t < of_tracks.size(); ++t) {
      std::string track(static_cast<size_t>(kTrackSize) * sizeof(float),
                        of_tracks[t]);
      track[track.size() - 1 - t] = static_cast<char>('0' + t);
      bytes += track;
    }
    return bytes;
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/chosen-", getpid());
  ChosenOptions options_;
};

TEST_F(ChosenModelsTest, EachTrackIsCopiedFromItsOrigin) {
  options_.origins = {kAfter, kChosen, kBefore, kAny};
  const auto written = WriteChosen(options_);
  ASSERT_TRUE(written.ok()) << written.status();
  const std::string bytes = ReadFile(options_.output_path).value();
  EXPECT_TRUE(bytes == Letters("acbb"));
  EXPECT_EQ(written->sha256, Sha256Of(bytes));
  EXPECT_EQ(written->num_bytes, bytes.size());
}

TEST_F(ChosenModelsTest, FileThatNoTrackComesFromIsNotOpened) {
  options_.origins = {kAfter, kBefore, kAny, kAfter};
  options_.chosen_path = "/nowhere";
  ASSERT_TRUE(WriteChosen(options_).ok());
  EXPECT_TRUE(ReadFile(options_.output_path).value() == Letters("abba"));
}

TEST_F(ChosenModelsTest, MissingOrShortFileIsNamedAndLeavesNothing) {
  options_.origins = {kAfter, kChosen, kBefore, kChosen};
  options_.chosen_path = folder_ + "/gone";
  EXPECT_EQ(WriteChosen(options_).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(options_.chosen_path, "short").ok());
  const absl::Status status = WriteChosen(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("gone"));
  options_.origins = {kAfter};
  EXPECT_EQ(WriteChosen(options_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(FileExists(options_.output_path));
}

TEST_F(ChosenModelsTest, ModelsOfOneOriginAreItsBlob) {
  EXPECT_EQ(OnlyOrigin({kAfter, kAny, kAfter}), kAfter);
  EXPECT_EQ(OnlyOrigin({kAny, kBefore}), kBefore);
  EXPECT_EQ(OnlyOrigin({kAny, kAny}), kChosen);
  EXPECT_EQ(OnlyOrigin({kChosen, kAny, kBefore}), std::nullopt);
}

TEST_F(ChosenModelsTest, ChoiceAfterARoundIsByTheTotalsOfItsTracks) {
  v1::Study study;
  study.mutable_training()->mutable_validation()->set_share(0.2);
  const double nothing = std::nan("");
  AggregateResult result;
  result.tracks = {{4, 2, 0.5}, {4, 2, 1.5}, {4, 0, nothing}, {0, 0, nothing}};
  const RoundChoice first = ChooseAfter(study, 1, {}, result);
  EXPECT_THAT(first.origins, ElementsAre(kBefore, kBefore, kAfter, kAny));
  result.tracks[0].validation_loss = 0.75;
  result.tracks[1].validation_loss = 0.25;
  const RoundChoice second = ChooseAfter(study, 2, first.choices, result);
  EXPECT_THAT(second.origins, ElementsAre(kChosen, kBefore, kAfter, kAny));
  EXPECT_EQ(second.choices[0].best_round(), 0u);
  EXPECT_EQ(second.choices[1].best_round(), 1u);
}

}  // namespace
}  // namespace hilum
