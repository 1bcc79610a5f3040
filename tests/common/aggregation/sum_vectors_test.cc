// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/sum_vectors.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "common/secagg/mask.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SumVectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/sum_vectors_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name,
                    const std::vector<uint32_t>& words) {
    std::string path = folder_ + "/" + name;
    absl::string_view bytes(reinterpret_cast<const char*>(words.data()),
                            words.size() * sizeof(uint32_t));
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }

  std::string folder_;
};

TEST_F(SumVectorsTest, SumsMod2To32) {
  auto sums = SumVectors(
      {Write("a", {1, 0xffffffff, 7}), Write("b", {2, 3, 0x80000000}),
       Write("c", {4, 1, 0x80000000})},
      3, {});
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_THAT(*sums, ElementsAre(7, 3, 7));
  EXPECT_THAT(SumVectors({}, 2, {}).value(), ElementsAre(0, 0));
}

TEST_F(SumVectorsTest, MasksThatAreLeftOnTheSumAreTakenOffIt) {
  std::vector<std::string> paths;
  std::vector<MaskStream> left;
  for (uint8_t site = 1; site <= 3; ++site) {
    const SecretBytes seed =
        SecretBytes::FromBytes(std::vector<uint8_t>(kMaskSeedSize, site));
    std::vector<uint32_t> words(1001, site);
    MaskStream(seed, MaskSign::kAdd).Apply(0, absl::MakeSpan(words));
    paths.push_back(Write(std::to_string(site), words));
    left.emplace_back(seed, MaskSign::kSubtract);
  }
  auto sums =
      SumVectors(paths, 1001, [&](uint64_t first, absl::Span<uint32_t> values) {
        ApplyMaskStreams(absl::MakeSpan(left), first, values);
      });
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_EQ(*sums, std::vector<uint32_t>(1001, 6));
}

TEST_F(SumVectorsTest, FileOfAnotherLengthOrNoneIsNamed) {
  const std::string good = Write("good", {1, 2});
  for (const std::string& bad : {Write("long", {1, 2, 3}), Write("short", {1}),
                                 Write("empty", {}), folder_}) {
    const absl::Status status = SumVectors({good, bad}, 2, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad));
  }
  const absl::Status absent =
      SumVectors({good, folder_ + "/none"}, 2, {}).status();
  EXPECT_EQ(absent.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(absent.message()), HasSubstr(folder_ + "/none"));
}

}  // namespace
}  // namespace hilum
