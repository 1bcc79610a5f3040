// SPDX-License-Identifier: Apache-2.0
// Tests the commands on a store's cases, and their drawings, with an untrained
// network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/model/lungs_unet.h"
#include "common/model/safetensors.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/segmentation/command/overlay_page.h"
#include "site_agent/trainer/segmentation/command/segment_manifest.h"
#include "site_agent/trainer/segmentation/segmenter.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int kRows = 60, kColumns = 50;
constexpr char kMasked[] = "0123456789abcdef";
constexpr char kBare[] = "fedcba9876543210";

GrayImage Film() {
  GrayImage film{kRows, kColumns, {}};
  for (int i = 0; i < kRows * kColumns; ++i) {
    film.pixels.push_back(static_cast<float>(i % 97) / 97);
  }
  return film;
}

GrayImage Lungs() {
  GrayImage mask{kRows, kColumns, {}};
  for (int i = 0; i < kRows * kColumns; ++i) {
    const int row = i / kColumns, column = i % kColumns;
    mask.pixels.push_back(
        row > 10 && row < 50 && column > 8 && column < 40 && column != 25 ? 1
                                                                          : 0);
  }
  return mask;
}

// A store of a case with a mask and one without, listed in cases.csv.
class SegmentCommandsTest : public testing::Test {
 protected:
  SegmentCommandsTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(Path("store/shards")).ok());
    const SizedPlane whole = *PrepareWholeWithin(Film(), 1024);
    const SizedPlane cut = *PrepareSegmentedWithin(Film(), Lungs(), 1024);
    const std::string bits = LungBits(Lungs(), kRows, kColumns);
    CaseRecord record{.case_id = kBare,
                      .whole = {whole.rows, whole.columns, whole.pixels},
                      .source_rows = kRows,
                      .source_columns = kColumns};
    std::string shard = EncodeCaseRecord(record);
    record.case_id = kMasked;
    record.segmented = {cut.rows, cut.columns, cut.pixels};
    record.lungs = bits;
    shard += EncodeCaseRecord(record);
    Write("store/shards/0001.shard", shard);
    Write("store/cases.csv", absl::StrCat("file,label,patient_id,mask,view\n.#",
                                          kBare, ",ill,p1,,AP\n.#", kMasked,
                                          ",well,p2,.#", kMasked, ",AP\n"));
    const Architecture architecture = SegmenterArchitecture();
    EXPECT_TRUE(WriteSafetensors(Path("w.safetensors"), architecture,
                                 InitialWeights(architecture, 1),
                                 {{std::string(kSegmenterSizeKey), "32"}})
                    .ok());
  }
  ~SegmentCommandsTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  }
  SegmentRun Run() const {
    return {.data = Path("store/cases.csv"),
            .folder = Path("masks"),
            .weights = Path("w.safetensors")};
  }
  OverlayPage Page() const {
    return {.rows = {.data = Path("store/cases.csv"), .with_mask = false},
            .out = Path("page.png"),
            .weights = Path("w.safetensors")};
  }
  // Reads page.png as grays.
  absl::StatusOr<GrayImage> DrawnInGray() const {
    return DecodeImage(ReadFile(Path("page.png")).value());
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/segment_commands");
  std::ostringstream out_;
};

TEST_F(SegmentCommandsTest, AStoresCasesGetMasksUnderTheirNames) {
  const absl::Status status = RunSegmenter(Run(), out_);
  ASSERT_TRUE(status.ok()) << status;
  for (const char* id : {kBare, kMasked}) {
    auto bytes = ReadFile(Path(absl::StrCat("masks/", id, ".png")));
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    auto mask = DecodeImage(*bytes);
    ASSERT_TRUE(mask.ok());
    EXPECT_EQ(mask->rows, kRows);
    EXPECT_EQ(mask->columns, kColumns);
  }
}

TEST_F(SegmentCommandsTest, WhereNothingCanBeReadItFails) {
  Write("cases.csv", "file,label,patient_id\ngone.png,ill,p1\n");
  SegmentRun run = Run();
  run.data = Path("cases.csv");
  EXPECT_THAT(std::string(RunSegmenter(run, out_).message()),
              HasSubstr("none of the images could be read"));
}

TEST_F(SegmentCommandsTest, AStoreHasNoDicomObjectToReferTo) {
  SegmentRun run = Run();
  run.dicom = true;
  ASSERT_FALSE(RunSegmenter(run, out_).ok());
  EXPECT_THAT(ReadFile(Path("masks/masks.csv")).value(),
              HasSubstr("run without --dicom"));
}

TEST_F(SegmentCommandsTest, TheJudgeReadsAStoresMasks) {
  ASSERT_TRUE(JudgeManifest(Path("store/cases.csv"), out_).ok());
  EXPECT_THAT(out_.str(), HasSubstr("1 rows without a mask"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("unreadable")));
}

TEST_F(SegmentCommandsTest, APageSaysWhatItsTilesAre) {
  const absl::Status status = DrawOverlayPage(Page(), out_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(out_.str(), testing::ContainsRegex("row 2  [^ ]+  ill  dice -"));
  EXPECT_THAT(out_.str(),
              testing::ContainsRegex("row 3  [^ ]+  well  dice 0\\."));
}

TEST_F(SegmentCommandsTest, ARejectedMaskIsMarkedOnThePage) {
  ASSERT_TRUE(DrawOverlayPage(Page(), out_).ok());
  const std::string said = out_.str();
  const bool rejected = said.find("not within") != std::string::npos ||
                        said.find("one lung") != std::string::npos ||
                        said.find("no region") != std::string::npos;
  const GrayImage page = DrawnInGray().value();
  // The mark's colour as gray; no gray of 8 bits has this value.
  const float mark = (0.299f * 204 + 0.587f * 121 + 0.114f * 167) / 255;
  const auto marks =
      std::count_if(page.pixels.begin(), page.pixels.end(),
                    [mark](float v) { return std::abs(v - mark) < 1e-4f; });
  EXPECT_EQ(marks > 1000, rejected) << said;
}

// A bare page may be published, so it shows nothing of a radiograph.
TEST_F(SegmentCommandsTest, ABarePageHasFourColoursAlone) {
  OverlayPage page = Page();
  page.bare = true;
  ASSERT_TRUE(DrawOverlayPage(page, out_).ok());
  const GrayImage bare = DrawnInGray().value();
  EXPECT_LE(std::set<float>(bare.pixels.begin(), bare.pixels.end()).size(), 4u);
  ASSERT_TRUE(DrawOverlayPage(Page(), out_).ok());
  const GrayImage full = DrawnInGray().value();
  EXPECT_GT(std::set<float>(full.pixels.begin(), full.pixels.end()).size(),
            60u);
}

TEST_F(SegmentCommandsTest, AMisnamedPageIsRefused) {
  OverlayPage page = Page();
  page.out = Path("page.jpg");
  EXPECT_EQ(DrawOverlayPage(page, out_).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SpreadOverLabelsTest, LabelsHaveTheirTurnsAndCasesAreSpread) {
  std::vector<int> labels(30, 0);
  labels.resize(33, 1);
  labels.resize(34, 2);
  EXPECT_THAT(SpreadOverLabels(labels, 6), ElementsAre(5, 15, 25, 30, 32, 33));
  EXPECT_THAT(SpreadOverLabels(labels, 100), SizeIs(34));
  EXPECT_THAT(SpreadOverLabels(labels, 2), ElementsAre(15, 31));
}

}  // namespace
}  // namespace hilum
