// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/dataset.h"

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

// 16 bits are the range of a PNG's, so that the grays are the same.
DicomMaker SixteenBits() {
  DicomMaker maker = SmallChest().Words(0x00280101, "US", {16});
  maker.Words(0x00280102, "US", {15});
  return maker;
}

TEST(DatasetTest, ACaseMayBeDicom) {
  auto png = EncodePng16(2, 3, {0, 1, 2, 1000, 2047, 4095});
  ASSERT_TRUE(png.ok());
  CaseManifest manifest;
  manifest.cases = {Case(2, Written("case.png", *png), "a"),
                    Case(3, Written("case.dcm", SixteenBits().File()), "b")};
  const Dataset dataset = LoadDataset(
      std::move(manifest),
      {.input_size = 32, .whole = true, .segmented = false, .threads = 2});
  ASSERT_EQ(dataset.whole.size(), 2u);
  EXPECT_EQ(dataset.whole[0], dataset.whole[1]);
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
