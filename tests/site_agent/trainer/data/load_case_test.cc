// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/load_case.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/data/dataset.h"

namespace hilum {
namespace {

constexpr char kMasked[] = "0123456789abcdef";
constexpr char kBare[] = "fedcba9876543210";
constexpr int kSide = 8;

// Makes a film of 60 x 40 that gets lighter to the right.
GrayImage Film() {
  GrayImage film{60, 40, std::vector<float>(60 * 40)};
  for (int row = 0; row < film.rows; ++row) {
    for (int column = 0; column < film.columns; ++column) {
      film.at(row, column) = static_cast<float>(row + 2 * column) / 140;
    }
  }
  return film;
}

GrayImage Lungs() {
  GrayImage mask{60, 40, std::vector<float>(60 * 40)};
  for (int row = 10; row < 50; ++row) {
    for (int column = 5; column < 30; ++column) mask.at(row, column) = 1;
  }
  return mask;
}

std::string Png(const GrayImage& image) {
  std::vector<uint16_t> pixels;
  for (float v : image.pixels) {
    pixels.push_back(static_cast<uint16_t>(v * 65535));
  }
  return *EncodePng16(image.rows, image.columns, pixels);
}

// A folder with a store of two cases, one of them with a mask, and the same
// film and mask as files.
class LoadCaseTest : public testing::Test {
 protected:
  LoadCaseTest()
      : folder_(absl::StrCat(testing::TempDir(), "/load_case_", getpid())) {
    std::filesystem::create_directories(absl::StrCat(folder_, "/shards"));
    const SizedPlane whole = *PrepareWholeWithin(Film(), 1024);
    const SizedPlane lungs = *PrepareSegmentedWithin(Film(), Lungs(), 1024);
    const std::string bits = LungBits(Lungs(), whole.rows, whole.columns);
    CaseRecord record{.case_id = kBare,
                      .whole = {whole.rows, whole.columns, whole.pixels},
                      .source_rows = 60,
                      .source_columns = 40};
    const std::string bare = EncodeCaseRecord(record);
    record.case_id = kMasked;
    record.segmented = {lungs.rows, lungs.columns, lungs.pixels};
    record.lungs = bits;
    Put("shards/0001.shard", bare + EncodeCaseRecord(record));
    Put("film.png", Png(Film()));
    Put("mask.png", Png(Lungs()));
  }
  ~LoadCaseTest() override { std::filesystem::remove_all(folder_); }

  void Put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  }
  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  // Returns the manifest entry for a case of the store in that folder.
  std::string Entry(const std::string& case_id) const {
    return ResolvePath(folder_, absl::StrCat(".#", case_id));
  }
  void Add(const std::string& file, const std::string& mask) {
    CaseRow row;
    row.row = static_cast<int>(manifest_.cases.size()) + 2;
    row.file = row.path = file;
    row.mask = mask;
    row.patient_id = absl::StrCat("p", row.row);
    manifest_.cases.push_back(row);
  }
  Dataset Load(bool segmented = true, bool judge_masks = false) {
    manifest_.rows = static_cast<int>(manifest_.cases.size());
    return LoadDataset(std::move(manifest_), {.input_size = kSide,
                                              .whole = true,
                                              .segmented = segmented,
                                              .judge_masks = judge_masks,
                                              .threads = 2});
  }

  const std::string folder_;
  CaseManifest manifest_;
};

int FurthestApart(const Plane& a, const Plane& b) {
  if (a.size() != b.size()) return 1 << 16;
  int most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(int{a[i]} - int{b[i]}));
  }
  return most;
}

TEST_F(LoadCaseTest, AStoresCaseIsWhatItsFileWouldBe) {
  Add(Path("film.png"), Path("mask.png"));
  Add(Entry(kMasked), Entry(kMasked));
  const Dataset data = Load();
  ASSERT_EQ(data.whole.size(), 2u) << data.manifest.rejected[0].reason;
  // Grays are rounded to 16 bits twice, and the lungs' box cuts through pixels.
  EXPECT_LE(FurthestApart(data.whole[0], data.whole[1]), 4);
  EXPECT_LE(FurthestApart(data.segmented[0], data.segmented[1]), 4);
  EXPECT_NE(data.whole[1], data.segmented[1]);
  EXPECT_EQ(data.digests[1], kMasked);
}

TEST_F(LoadCaseTest, WithoutAMaskACaseIsInTheWholeArmAlone) {
  Add(Entry(kBare), "");
  Add(Entry(kMasked), "");  // the manifest decides
  const Dataset data = Load();
  ASSERT_EQ(data.whole.size(), 2u);
  EXPECT_TRUE(data.segmented[0].empty());
  EXPECT_TRUE(data.segmented[1].empty());
}

TEST_F(LoadCaseTest, AMaskWithOtherLevelsIsTheSameMask) {
  GrayImage ones = Lungs();
  for (float& v : ones.pixels) v /= 255;
  Put("ones.png", Png(ones));
  Add(Path("film.png"), Path("mask.png"));
  const Dataset as_255 = Load();
  Add(Path("film.png"), Path("ones.png"));
  const Dataset as_1 = Load();
  ASSERT_EQ(as_1.segmented.size(), 1u);
  EXPECT_EQ(as_1.segmented, as_255.segmented);
}

TEST_F(LoadCaseTest, AMaskWhoseLevelsLeaveDoubtIsAFaultWithThem) {
  GrayImage ones = Lungs();
  for (float& v : ones.pixels) v = 257.0f / 65535;
  Put("ones.png", Png(ones));
  Add(Path("film.png"), Path("ones.png"));
  const Dataset judged = Load(true, true);
  ASSERT_EQ(judged.facts.size(), 1u);
  EXPECT_TRUE(
      absl::StrContains(judged.facts[0].mask_fault, "the value 1 of 255"))
      << judged.facts[0].mask_fault;
  EXPECT_TRUE(judged.segmented[0].empty());
  Add(Path("film.png"), Path("ones.png"));
  const Dataset unjudged = Load();
  ASSERT_EQ(unjudged.manifest.rejected.size(), 1u);
  EXPECT_TRUE(absl::StrContains(unjudged.manifest.rejected[0].reason,
                                "lung mask: all its pixels have the value"))
      << unjudged.manifest.rejected[0].reason;
}

TEST_F(LoadCaseTest, AnInvertedMaskIsCalledSo) {
  const char* const mask =
      HILUM_SOURCE_DIR "/../shared/cases/masks/mask_inverted.png";
  if (!FileExists(mask)) GTEST_SKIP() << "no shared cases";
  Add(Path("film.png"), mask);
  const Dataset judged = Load(true, true);
  ASSERT_EQ(judged.facts.size(), 1u);
  EXPECT_TRUE(absl::StrContains(judged.facts[0].mask_fault, "looks inverted"))
      << judged.facts[0].mask_fault;
}

TEST_F(LoadCaseTest, NoReasonNamesAPath) {
  Put("jane-roe.png", "no image");
  Add(Path("jane-roe.png"), "");
  Add(Path("jane-roe-none.png"), "");
  Add(Path("film.png"), Path("jane-roe.png"));
  Add(Path("film.png"), Path("jane-roe-none.png"));
  Add(Path("jane-roe#0123456789abcdef"), "");
  Add(Entry("0000000000000000"), "");
  const Dataset data = Load();
  ASSERT_EQ(data.manifest.rejected.size(), 6u);
  for (const RejectedRow& row : data.manifest.rejected) {
    EXPECT_FALSE(row.reason.empty());
    EXPECT_FALSE(absl::StrContains(row.reason, "jane-roe")) << row.reason;
    EXPECT_FALSE(absl::StrContains(row.reason, folder_)) << row.reason;
  }
}

TEST_F(LoadCaseTest, WhatCannotBeHadIsRejectedWithItsReason) {
  const struct {
    std::string file, mask, reason;
  } rows[] = {
      {Entry(kMasked), Path("mask.png"), "lung mask: a case of a store has"},
      {Entry(kBare), Entry(kBare), "lung mask: the store has none"},
      {Path("film.png"), Entry(kMasked), "lung mask: a case store's mask"},
      {Entry("0000000000000000"), "", "no case 0000000000000000"},
      {Path("none#0123456789abcdef"), "", "no case store of hilum-ingest"},
  };
  for (const auto& row : rows) Add(row.file, row.mask);
  const Dataset data = Load();
  EXPECT_TRUE(data.manifest.cases.empty());
  ASSERT_EQ(data.manifest.rejected.size(), std::size(rows));
  for (size_t i = 0; i < std::size(rows); ++i) {
    const std::string& reason = data.manifest.rejected[i].reason;
    EXPECT_TRUE(absl::StrContains(reason, rows[i].reason)) << reason;
  }
}

TEST_F(LoadCaseTest, ADamagedRecordIsRejectedAndItsNeighbourIsNot) {
  std::string shard = *ReadFile(Path("shards/0001.shard"));
  shard.back() ^= 1;
  Put("shards/0001.shard", shard);
  Add(Entry(kBare), "");
  Add(Entry(kMasked), "");
  const Dataset data = Load();
  ASSERT_EQ(data.manifest.cases.size(), 1u);
  EXPECT_EQ(data.manifest.cases[0].row, 2);
}

TEST_F(LoadCaseTest, TheSameCaseTwiceIsOne) {
  Add(Entry(kBare), "");
  Add(Entry(kBare), "");
  manifest_.cases[1].patient_id = manifest_.cases[0].patient_id;
  EXPECT_EQ(Load().whole.size(), 1u);
}

TEST_F(LoadCaseTest, AMaskThatIsNoneOfTwoLungsIsNotUsed) {
  Add(Path("film.png"), Path("mask.png"));
  Add(Entry(kMasked), Entry(kMasked));
  const Dataset data = Load(/*segmented=*/true, /*judge_masks=*/true);
  ASSERT_EQ(data.facts.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::StrContains(data.facts[i].mask_fault, "one lung")) << i;
    EXPECT_EQ(data.facts[i].lung_share, 0) << i;
    EXPECT_TRUE(data.segmented[i].empty()) << i;
    EXPECT_EQ(data.whole[i].size(), static_cast<size_t>(kSide * kSide)) << i;
  }
}

TEST_F(LoadCaseTest, FactsAreOfTheImageAsItWas) {
  Add(Path("film.png"), Path("mask.png"));
  Add(Entry(kMasked), Entry(kMasked));
  const Dataset data = Load();
  ASSERT_EQ(data.facts.size(), 2u);
  for (const ImageFacts& facts : data.facts) {
    EXPECT_EQ(facts.rows, 60);
    EXPECT_EQ(facts.columns, 40);
    EXPECT_NEAR(facts.lung_share, 40 * 25 / 2400.0, 1e-9);
    EXPECT_EQ(facts.mask_fault, "");
  }
}

TEST_F(LoadCaseTest, ImageAndMaskAreThoseOfTheFileOrTheStore) {
  Add(Path("film.png"), Path("mask.png"));
  Add(Entry(kMasked), Entry(kMasked));
  Add(Entry(kBare), Entry(kBare));
  const CaseLoader loader(manifest_);
  const BinaryMask lungs = ToBinaryMask(Lungs());
  for (size_t i = 0; i < 2; ++i) {
    const CaseRow& row = manifest_.cases[i];
    auto image = loader.Image(row);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->rows, 60);
    auto mask = loader.Mask(row, image->rows, image->columns);
    ASSERT_TRUE(mask.ok()) << mask.status();
    EXPECT_EQ(mask->pixels, lungs.pixels);
  }
  EXPECT_TRUE(absl::StrContains(
      loader.Mask(manifest_.cases[2], 60, 40).status().message(),
      "`hilum-ingest masks`"));
}

}  // namespace
}  // namespace hilum
