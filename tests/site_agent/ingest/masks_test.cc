// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/masks.h"

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/upright/turn.h"
#include "site_agent/ingest/intake.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

// Makes two bars, `first` columns from the left, at rows x columns.
GrayImage Bars(int rows, int columns, int first) {
  GrayImage mask{rows, columns, {}};
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const bool inside = c >= first && c < columns - 2 && c != columns / 2;
      mask.pixels.push_back(inside && r > 2 && r < rows - 4 ? 1 : 0);
    }
  }
  return mask;
}

std::string Png(const GrayImage& mask) {
  std::vector<uint8_t> pixels;
  for (float v : mask.pixels) pixels.push_back(v > 0 ? 255 : 0);
  return *EncodePng8(mask.rows, mask.columns, pixels);
}

// A store of one labelled film, 40 x 30, without a mask.
class MasksTest : public FolderTest {
 protected:
  MasksTest() {
    Put("in/1.dcm", Film(3, "P1").File());
    options_.labels = Put("labels.csv", "PatientID,label\nP1,covid\n");
    EXPECT_TRUE(Ingest().ok());
  }

  absl::Status Masks(bool replace = false) {
    said_.str("");
    std::ostringstream progress;
    return IngestMasks({.folder = absl::StrCat(root_, "/masks"),
                        .store = options_.store,
                        .replace = replace},
                       said_, progress, RealClock(), RealSecureRng());
  }
  bool Said(absl::string_view text) const {
    return absl::StrContains(said_.str(), text);
  }
  // Returns the film's stored lungs; keeps its record.
  std::string Lungs() {
    reader_ = CaseStoreReader::Open(options_.store);
    record_ = reader_->Read(Only()).value();
    return std::string(record_.lungs);
  }
  uintmax_t ShardBytes() const {
    return fs::file_size(absl::StrCat(options_.store, "/shards/0001.shard"));
  }

  absl::StatusOr<CaseStoreReader> reader_ = absl::UnknownError("not opened");
  CaseRecord record_;
};

TEST_F(MasksTest, ACaseOfAStoreGetsItsMaskByItsName) {
  EXPECT_EQ(Cases()[0][3], "");
  EXPECT_EQ(Lungs(), "");
  Put(absl::StrCat("masks/", Only(), ".png"), Png(Bars(40, 30, 4)));
  ASSERT_TRUE(Masks().ok()) << said_.str();
  EXPECT_TRUE(Said("1 taken in")) << said_.str();
  EXPECT_EQ(Cases()[0][3], Cases()[0][0]);
  EXPECT_EQ(Lungs(), LungBits(Bars(40, 30, 4), 40, 30));
  // The same cut as with `folder --masks` for this film.
  EXPECT_EQ(record_.source_rows, 40u);
  EXPECT_GT(record_.segmented.rows, 30);
  EXPECT_LT(record_.segmented.rows, 40);
}

TEST_F(MasksTest, AMaskByTheSopInstanceUidAndOfAnotherSize) {
  Put("masks/1.2.3.3.png", Png(Bars(80, 60, 8)));
  ASSERT_TRUE(Masks().ok()) << said_.str();
  EXPECT_TRUE(Said("1 taken in")) << said_.str();
  EXPECT_EQ(Lungs(), LungBits(Bars(80, 60, 8), 40, 30));
}

TEST_F(MasksTest, AMaskOfTheFileIsTurnedAsTheCaseWas) {
  const std::string id = Only();
  {
    auto intake = Intake::Open({.store = options_.store, .actor = "jane"},
                               RealClock(), RealSecureRng());
    ASSERT_TRUE(intake.ok()) << intake.status();
    ASSERT_TRUE((*intake)->Quarantine(id, "sideways").ok());
    ASSERT_TRUE((*intake)->Release(id, {.quarters = 1}).ok());
    ASSERT_TRUE((*intake)->Export().ok());
  }
  const GrayImage mask = Bars(40, 30, 4);
  const GrayImage turned{
      30, 40,
      TurnPixels(40, 30, absl::MakeConstSpan(mask.pixels), {.quarters = 1})};
  Put("masks/1.2.3.3.png", Png(mask));
  ASSERT_TRUE(Masks().ok()) << said_.str();
  EXPECT_TRUE(Said("1 taken in")) << said_.str();
  EXPECT_EQ(Lungs(), LungBits(turned, 30, 40));
  // A mask of the stored image is not turned.
  Put(absl::StrCat("masks/", id, ".png"), Png(turned));
  ASSERT_TRUE(Masks().ok());
  EXPECT_TRUE(Said("2 there already")) << said_.str();
}

TEST_F(MasksTest, TheSameMaskAgainWritesNothing) {
  Put(absl::StrCat("masks/", Only(), ".png"), Png(Bars(40, 30, 4)));
  ASSERT_TRUE(Masks().ok());
  const uintmax_t bytes = ShardBytes();
  ASSERT_TRUE(Masks(/*replace=*/true).ok());
  EXPECT_TRUE(Said("0 taken in, 1 there already")) << said_.str();
  EXPECT_EQ(ShardBytes(), bytes);
}

TEST_F(MasksTest, AnotherMaskIsTakenOnRequestOnly) {
  const std::string name = absl::StrCat("masks/", Only(), ".png");
  Put(name, Png(Bars(40, 30, 4)));
  ASSERT_TRUE(Masks().ok());
  const std::string first = Lungs();
  Put(name, Png(Bars(40, 30, 8)));
  ASSERT_TRUE(Masks().ok());
  EXPECT_TRUE(Said("1 left as the case has another")) << said_.str();
  EXPECT_EQ(Lungs(), first);
  ASSERT_TRUE(Masks(/*replace=*/true).ok());
  EXPECT_EQ(Lungs(), LungBits(Bars(40, 30, 8), 40, 30));
}

TEST_F(MasksTest, FolderLeavesTheMaskThatCameLater) {
  Put(absl::StrCat("masks/", Only(), ".png"), Png(Bars(40, 30, 4)));
  ASSERT_TRUE(Masks().ok());
  const std::string lungs = Lungs();
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Lungs(), lungs);
  EXPECT_EQ(Cases()[0][3], Cases()[0][0]);
}

TEST_F(MasksTest, WhatCannotBeUsedIsALineWithItsReason) {
  Put(absl::StrCat("masks/", Only(), ".png"), Png(Bars(30, 40, 4)));
  Put("masks/0123456789abcdef.png", Png(Bars(40, 30, 4)));
  Put("masks/1.2.3.3.png", "no picture");
  Put("masks/masks.csv", "row,file\n");
  ASSERT_TRUE(Masks().ok());
  EXPECT_TRUE(Said(absl::StrCat(Only(),
                                ".png: it is 30 x 40, not in the "
                                "proportions of its image, 40 x 30")))
      << said_.str();
  EXPECT_TRUE(Said("0123456789abcdef.png: no case of this store"));
  EXPECT_TRUE(Said("1.2.3.3.png: "));
  EXPECT_TRUE(Said("0 taken in")) << said_.str();
  EXPECT_TRUE(Said("3 refused; 1 other files")) << said_.str();
  EXPECT_EQ(Lungs(), "");
}

TEST_F(MasksTest, AMaskWithoutLungsIsRefused) {
  GrayImage empty{40, 30, std::vector<float>(40 * 30)};
  Put(absl::StrCat("masks/", Only(), ".png"), Png(empty));
  ASSERT_TRUE(Masks().ok());
  EXPECT_TRUE(Said("1 refused")) << said_.str();
  EXPECT_EQ(Cases()[0][3], "");
}

TEST_F(MasksTest, AFolderWithoutMasksAndAStoreThatIsNoneAreErrors) {
  Put("masks/readme.txt", "none");
  EXPECT_EQ(Masks().code(), absl::StatusCode::kNotFound);
  options_.store = absl::StrCat(root_, "/elsewhere");
  const absl::Status status = Masks();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), "no case store")) << status;
  EXPECT_FALSE(fs::exists(options_.store));
}

TEST_F(MasksTest, ADicomSegmentationNamedLikeItsImageIsItsMask) {
  // Tests only that the file is found: it is no segmentation.
  Put("masks/1.dcm", "no object");
  options_.masks = absl::StrCat(root_, "/masks");
  Put("in/2.dcm", Film(5, "P1").File());
  Put("masks/2.dcm", "no object");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(absl::StartsWith(Reasons()["2.dcm"], "its lung mask: "))
      << Stored("quarantine.csv");
}

}  // namespace
}  // namespace hilum
