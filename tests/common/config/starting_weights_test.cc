// SPDX-License-Identifier: Apache-2.0
#include "common/config/starting_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/config/study.h"
#include "tests/common/config/filled_study.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// Returns a study whose starting weights learned from three listed images.
v1::Study Listed() {
  v1::Study study = Filled();
  v1::StartingWeights& weights = *study.mutable_starting_weights();
  weights.set_file("best.safetensors");
  weights.set_file_sha256(std::string(32, 'h'));
  v1::TrainedOn& set = *weights.add_trained_on();
  set.set_name("open set");
  set.set_licence("CC BY 4.0");
  set.set_images(3);
  set.set_digests(JoinDigests({"cccccccc", "aaaaaaaa", "bbbbbbbb"}));
  return study;
}

TEST(StartingWeightsTest, AListIsSortedAndFindsEachOfItsImagesOnly) {
  const std::string list =
      JoinDigests({"cccccccc", "aaaaaaaa", "bbbbbbbb", "aaaaaaaa"});
  EXPECT_EQ(list, "aaaaaaaabbbbbbbbcccccccc");
  for (const char* one : {"aaaaaaaa", "bbbbbbbb", "cccccccc"}) {
    EXPECT_TRUE(ListsDigest(list, one)) << one;
  }
  for (const char* other : {"AAAAAAAA", "aaaaaaab", "dddddddd",
                            "\xff\xff\xff"
                            "\xff\xff\xff"
                            "\xff\xff"}) {
    EXPECT_FALSE(ListsDigest(list, other)) << other;
  }
  EXPECT_FALSE(ListsDigest("", "aaaaaaaa"));
}

TEST(StartingWeightsTest, AStudyWithAListIsReadAndSaysWhatItIs) {
  const v1::Study study = Listed();
  ASSERT_TRUE(ParseStudy(SerializeStudy(study)).ok());
  EXPECT_TRUE(ListsImages(study));
  EXPECT_TRUE(ExcludesSeen(study));  // by default
  EXPECT_FALSE(MayHaveSeenMore(study));
  EXPECT_THAT(DescribeStartingWeights(study),
              HasSubstr("best.safetensors (SHA-256 6868"));
  EXPECT_THAT(DescribeStartingWeights(study),
              HasSubstr("learned from open set (3 images, CC BY 4.0)"));
}

TEST(StartingWeightsTest, WithoutAListItIsUnknownAndWithoutAFileItIsTheSeed) {
  v1::Study study = Listed();
  study.mutable_starting_weights()->mutable_trained_on(0)->clear_digests();
  EXPECT_FALSE(ListsImages(study));
  EXPECT_FALSE(ExcludesSeen(study));
  EXPECT_TRUE(MayHaveSeenMore(study));
  EXPECT_THAT(DescribeStartingWeights(study), HasSubstr("not listed"));
  study.mutable_starting_weights()->clear_trained_on();
  EXPECT_TRUE(MayHaveSeenMore(study));
  EXPECT_THAT(DescribeStartingWeights(study), HasSubstr("does not name"));
  study.clear_starting_weights();
  EXPECT_FALSE(MayHaveSeenMore(study));
  EXPECT_EQ(DescribeStartingWeights(study), "drawn from the seed 0");
}

// A coordinator's list reaches every site: each bound is checked there.
TEST(StartingWeightsTest, ABadListIsRefusedByItsPlace) {
  using Change = std::function<void(v1::StartingWeights&)>;
  const std::pair<Change, const char*> changes[] = {
      {[](auto& w) { w.set_file_sha256("short"); }, "file_sha256"},
      {[](auto& w) { w.set_file("a\nb"); }, "file: not printable"},
      {[](auto& w) { w.set_file(std::string(101, 'a')); }, "file: 101"},
      {[](auto& w) { w.mutable_trained_on(0)->clear_name(); },
       "trained_on[0].name: missing"},
      {[](auto& w) { w.mutable_trained_on(0)->set_name("\x1b[2J"); },
       "trained_on[0].name: not printable"},
      {[](auto& w) { w.mutable_trained_on(0)->set_licence("\xe2\x80\xae"); },
       "trained_on[0].licence"},
      {[](auto& w) { w.mutable_trained_on(0)->set_images(0); },
       "trained_on[0].images"},
      {[](auto& w) { w.mutable_trained_on(0)->set_images(4); },
       "trained_on[0].digests: 24 bytes"},
      {[](auto& w) { w.mutable_trained_on(0)->mutable_digests()->pop_back(); },
       "trained_on[0].digests: 23 bytes"},
      {[](auto& w) {
         w.mutable_trained_on(0)->set_digests("bbbbbbbbaaaaaaaacccccccc");
       },
       "trained_on[0].digests: not in ascending order"},
      {[](auto& w) {
         w.mutable_trained_on(0)->set_digests("aaaaaaaaaaaaaaaacccccccc");
       },
       "one of them is twice"},
      {[](auto& w) {
         for (int i = 0; i < kMaxTrainedOn; ++i) {
           *w.add_trained_on() = w.trained_on(0);
         }
       },
       "trained_on: 17 sets"}};
  for (const auto& [change, place] : changes) {
    v1::Study study = Listed();
    change(*study.mutable_starting_weights());
    const absl::Status status = ParseStudy(SerializeStudy(study)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << place;
    EXPECT_THAT(std::string(status.message()), HasSubstr(place));
    EXPECT_THAT(std::string(status.message()), HasSubstr("starting_weights"));
  }
}

// The largest list, and a list of one image more.
TEST(StartingWeightsTest, AListHasAtMost65536Images) {
  v1::Study study = Listed();
  v1::TrainedOn& set = *study.mutable_starting_weights()->mutable_trained_on(0);
  set.clear_digests();
  for (uint64_t i = 0; i <= kMaxListedImages; ++i) {
    if (i == kMaxListedImages) {
      set.set_images(i);
      EXPECT_TRUE(CheckStartingWeights(study).ok());
    }
    for (int byte = 7; byte >= 0; --byte) {
      set.mutable_digests()->push_back(
          static_cast<char>(i >> (8 * byte) & 0xff));
    }
  }
  set.set_images(kMaxListedImages + 1);
  EXPECT_THAT(std::string(CheckStartingWeights(study).message()),
              HasSubstr("trained_on: 65537 digests"));
}

}  // namespace
}  // namespace hilum
