// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/dataset.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

std::string Written(const std::string& name, const std::string& bytes) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
  return path;
}

CaseRow Case(int row, const std::string& path, const std::string& patient) {
  CaseRow result;
  result.row = row;
  result.file = result.path = path;
  result.patient_id = patient;
  return result;
}

// 16 bits, like the PNG, so that the grays are equal.
DicomMaker SixteenBits() {
  DicomMaker maker = SmallChest().Words(0x00280101, "US", {16});
  maker.Words(0x00280102, "US", {15});
  return maker;
}

TEST(DatasetTest, ACaseMayBeDicom) {
  auto png = EncodePng16(2, 3, {0, 1, 2, 1000, 2047, 4095});
  ASSERT_TRUE(png.ok());
  const auto load = [](const std::string& path) {
    CaseManifest manifest;
    manifest.cases = {Case(2, path, "a")};
    return LoadDataset(
        std::move(manifest),
        {.input_size = 32, .whole = true, .segmented = false, .threads = 2});
  };
  const Dataset from_png = load(Written("case.png", *png));
  const Dataset from_dicom = load(Written("case.dcm", SixteenBits().File()));
  ASSERT_EQ(from_dicom.whole.size(), 1u);
  EXPECT_EQ(from_png.whole, from_dicom.whole);
}

// A re-encoded copy could be both in training and in the test set.
TEST(DatasetTest, TheSamePixelsInAnotherContainerAreFound) {
  auto png = EncodePng16(2, 3, {0, 1, 2, 1000, 2047, 4095});
  CaseManifest manifest;
  manifest.cases = {Case(2, Written("case.png", *png), "a"),
                    Case(3, Written("case.dcm", SixteenBits().File()), "b")};
  const Dataset dataset = LoadDataset(
      std::move(manifest),
      {.input_size = 32, .whole = true, .segmented = false, .threads = 2});
  EXPECT_TRUE(dataset.whole.empty());
  ASSERT_EQ(dataset.manifest.rejected.size(), 2u);
  EXPECT_EQ(dataset.manifest.rejected[0].reason,
            "same image as row 3, which has another patient_id");
  EXPECT_EQ(dataset.manifest.rejected[1].reason,
            "same image as row 2, which has another patient_id");
}

const char kShared[] = HILUM_SOURCE_DIR "/../shared/cases/";

TEST(DatasetTest, ASharedCopyWithOtherBytesIsFound) {
  if (!FileExists(absl::StrCat(kShared, "duplicates/c00.png"))) {
    GTEST_SKIP() << "no shared cases";
  }
  CaseManifest manifest;
  manifest.cases = {
      Case(2, absl::StrCat(kShared, "duplicates/c00.png"), "P000"),
      Case(38, absl::StrCat(kShared, "duplicates/dup00.png"), "Q000")};
  const Dataset dataset = LoadDataset(
      std::move(manifest),
      {.input_size = 32, .whole = true, .segmented = false, .threads = 1});
  ASSERT_EQ(dataset.manifest.rejected.size(), 2u);
  EXPECT_EQ(dataset.manifest.rejected[1].reason,
            "same image as row 2, which has another patient_id");
}

TEST(DatasetTest, AnImageOfOneValueIsRejected) {
  auto flat = EncodePng8(4, 4, std::vector<uint8_t>(16, 7));
  CaseManifest manifest;
  manifest.cases = {Case(2, Written("flat.png", *flat), "a"),
                    Case(3, Written("flat2.png", *flat), "b")};
  const Dataset dataset = LoadDataset(
      std::move(manifest),
      {.input_size = 32, .whole = true, .segmented = false, .threads = 1});
  ASSERT_EQ(dataset.manifest.rejected.size(), 2u);
  EXPECT_THAT(dataset.manifest.rejected[1].reason,
              testing::HasSubstr("shows nothing"));
}

TEST(DatasetTest, WhatIsNotUsedOfAFileIsAFactOfItsCase) {
  DicomMaker windowless = SixteenBits().Text(0x00281050, "DS", "5");
  CaseManifest manifest;
  manifest.cases = {Case(2, Written("window.dcm", windowless.File()), "a")};
  const Dataset dataset = LoadDataset(
      std::move(manifest),
      {.input_size = 32, .whole = true, .segmented = false, .threads = 1});
  ASSERT_EQ(dataset.facts.size(), 1u);
  EXPECT_THAT(dataset.facts[0].notes,
              testing::Contains(testing::HasSubstr("window 1 is not used")));
}

TEST(DatasetTest, ADicomThatIsNotTakenIsRejectedWithItsReason) {
  CaseManifest manifest;
  DicomMaker frames = SixteenBits().Text(0x00280008, "IS", "2");
  frames.Words(kPixelDataTag, "OW", std::vector<int>(12));
  manifest.cases = {Case(2, Written("good.dcm", SixteenBits().File()), "a"),
                    Case(3, Written("two.dcm", frames.File()), "b")};
  const Dataset dataset = LoadDataset(
      std::move(manifest),
      {.input_size = 32, .whole = true, .segmented = false, .threads = 1});
  ASSERT_EQ(dataset.manifest.rejected.size(), 1u);
  EXPECT_EQ(dataset.manifest.rejected[0].row, 3);
  EXPECT_THAT(dataset.manifest.rejected[0].reason,
              testing::HasSubstr("2 frames"));
}

}  // namespace
}  // namespace hilum
