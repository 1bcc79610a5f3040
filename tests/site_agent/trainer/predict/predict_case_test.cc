// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predict_case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"
#include "tests/site_agent/imaging/lungs/drawn_lungs.h"
#include "tests/site_agent/trainer/case_store_maker.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

// Less than what the orientation is looked at on.
constexpr int kPixels = 60;

class PredictCaseTest : public testing::Test {
 protected:
  PredictCaseTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    facts_.input_size = 64;
  }
  ~PredictCaseTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void WritePng(const std::string& name,
                const std::vector<uint8_t>& pixels) const {
    EXPECT_TRUE(
        WriteFileAtomically(Path(name), *EncodePng8(kPixels, kPixels, pixels))
            .ok());
  }
  // Writes an image, half dark and half bright.
  std::string WriteImage() const {
    std::vector<uint8_t> pixels;
    for (int i = 0; i < kPixels * kPixels; ++i) {
      pixels.push_back(static_cast<uint8_t>(40 + i % 170));
    }
    WritePng("one.png", pixels);
    return Path("one.png");
  }
  std::string WriteDicom(const std::string& body_part) const {
    EXPECT_TRUE(WriteFileAtomically(Path("one.dcm"),
                                    SmallChest()
                                        .Text(0x00080018, "UI", "1.2.3.4")
                                        .Text(0x00100010, "PN", "Doe^Jane")
                                        .Text(0x00180015, "CS", body_part)
                                        .File())
                    .ok());
    return Path("one.dcm");
  }

  ReadCase Read(const std::vector<std::string>& data,
                const LungFinder& find_lungs = nullptr) const {
    const std::vector<ListedCase> cases = ListCases(data).value();
    return CaseReader(cases, facts_, options_).Read(cases[0], find_lungs);
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/predict-case-", getpid());
  ModelFacts facts_;
  CaseReadOptions options_;
};

TEST_F(PredictCaseTest, AWholeImageIsReadAtTheModelsSize) {
  const ReadCase read = Read({WriteImage()});
  EXPECT_THAT(read.plane, SizeIs(64 * 64)) << read.abstained;
  EXPECT_EQ(read.abstained, "");
}

TEST_F(PredictCaseTest, ADicomFileIsKnownByItsInstanceAndNotByThePatient) {
  const ReadCase read = Read({WriteDicom("CHEST")});
  EXPECT_EQ(read.sop_instance, "1.2.3.4");
  EXPECT_EQ(read.abstained, "");
  EXPECT_THAT(read.plane, Not(IsEmpty()));
}

TEST_F(PredictCaseTest, WhatIsNoChestByItsHeaderHasNoAnswer) {
  const ReadCase read = Read({WriteDicom("LEG")});
  EXPECT_THAT(read.abstained, StartsWith("no frontal chest radiograph: "));
  EXPECT_FALSE(read.failed);
  EXPECT_THAT(read.plane, IsEmpty());
  EXPECT_EQ(read.sop_instance, "1.2.3.4");
  options_.every_case = true;
  EXPECT_THAT(Read({Path("one.dcm")}).plane, Not(IsEmpty()));
}

TEST_F(PredictCaseTest, ADamagedFileIsAFault) {
  ASSERT_TRUE(WriteFileAtomically(Path("bad.png"), "\x89PNG nothing").ok());
  const ReadCase read = Read({Path("bad.png")});
  EXPECT_TRUE(read.failed);
  EXPECT_THAT(read.abstained, StartsWith("unreadable: "));
}

TEST_F(PredictCaseTest, AnImageOfOneGrayIsAFault) {
  WritePng("flat.png", std::vector<uint8_t>(kPixels * kPixels, 90));
  EXPECT_TRUE(Read({Path("flat.png")}).failed);
}

TEST_F(PredictCaseTest, AModelOfLungsAnswersOnlyWithLungs) {
  options_.segmented = true;
  EXPECT_THAT(Read({WriteImage()}).abstained, HasSubstr("--find-lungs"));
  const auto find = [](const GrayImage& image) -> absl::StatusOr<BinaryMask> {
    return MaskInProportions(Lungs(), image.rows, image.columns, image.rows);
  };
  const ReadCase found = Read({Path("one.png")}, find);
  EXPECT_THAT(found.plane, SizeIs(64 * 64)) << found.abstained;
  const auto none = [](const GrayImage& image) -> absl::StatusOr<BinaryMask> {
    return BinaryMask{image.rows, image.columns,
                      std::vector<uint8_t>(image.pixels.size())};
  };
  const ReadCase nothing = Read({Path("one.png")}, none);
  EXPECT_THAT(nothing.abstained, StartsWith("no lungs: those found: "));
  EXPECT_FALSE(nothing.failed);
  // A model of whole images needs none, but asks where it is told to.
  options_.segmented = false;
  EXPECT_THAT(Read({Path("one.png")}).plane, Not(IsEmpty()));
  EXPECT_THAT(Read({Path("one.png")}, none).abstained, StartsWith("no lungs"));
}

TEST_F(PredictCaseTest, AMaskOfNoLungsIsJudgedAsInTraining) {
  WriteImage();
  std::vector<uint8_t> block(kPixels * kPixels);
  std::fill(block.begin() + 1000, block.begin() + 2000, 255);
  WritePng("mask.png", block);
  ASSERT_TRUE(
      WriteFileAtomically(Path("cases.csv"), "file,mask\none.png,mask.png\n")
          .ok());
  options_.segmented = true;
  EXPECT_THAT(Read({Path("cases.csv")}).abstained,
              StartsWith("no lungs: its lung mask: "));
  facts_.judge_masks = false;
  EXPECT_THAT(Read({Path("cases.csv")}).plane, SizeIs(64 * 64));
}

TEST_F(PredictCaseTest, ACaseFarFromTheTrainingHasNoAnswer) {
  facts_.gray_quantiles = {0.05, 0.25, 0.5, 0.75, 0.95};
  const std::string file = WriteImage();
  EXPECT_EQ(Read({file}).abstained, "");
  facts_.gray_quantiles = {0.96, 0.97, 0.98, 0.99, 1};
  const ReadCase far = Read({file});
  EXPECT_THAT(far.abstained, StartsWith("far from the training images: "));
  EXPECT_THAT(far.plane, IsEmpty());
  options_.every_case = true;
  EXPECT_THAT(Read({file}).plane, Not(IsEmpty()));
}

TEST_F(PredictCaseTest, AStoresCaseIsReadFromItsRecord) {
  MakeCaseStore(Path("store"), {{"0123456789abcdef", false}});
  EXPECT_THAT(Read({Path("store")}).plane, SizeIs(64 * 64));
  options_.segmented = true;
  EXPECT_THAT(Read({Path("store")}).abstained,
              HasSubstr("it has no lung mask"));
  const ReadCase absent = Read({Path("store#aaaaaaaaaaaaaaaa")});
  EXPECT_TRUE(absent.failed);
  EXPECT_THAT(absent.abstained, HasSubstr("no case aaaaaaaaaaaaaaaa"));
}

}  // namespace
}  // namespace hilum
