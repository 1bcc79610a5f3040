// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segmenter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/model/weights_file.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/segmentation/command/score_segmenter.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "site_agent/trainer/segmentation/command/segment_manifest.h"
#include "site_agent/trainer/segmentation/command/train_segmenter.h"
#include "site_agent/trainer/segmentation/overlap.h"
#include "site_agent/trainer/segmentation/segment_cases.h"
#include "tests/site_agent/trainer/segmentation/chest.h"

namespace hilum {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr int kRows = Chest::kRows, kColumns = Chest::kColumns;

class SegmenterTest : public testing::Test {
 protected:
  SegmenterTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    std::string csv = "file,label,patient_id,mask\n";
    for (int n = 0; n < 40; ++n) {
      const Chest chest(n);
      Write(absl::StrCat("c", n, ".png"),
            *EncodePng8(kRows, kColumns, chest.image));
      Write(absl::StrCat("m", n, ".png"),
            *EncodePng8(kRows, kColumns, chest.mask));
      absl::StrAppend(&csv, "c", n, ".png,", n % 2 ? "ill" : "well", ",p", n,
                      ",m", n, ".png\n");
    }
    Write("cases.csv", csv);
  }
  std::string Path(absl::string_view name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  }
  absl::Status Train(const std::string& name, int epochs, uint64_t seed = 1) {
    return TrainSegmenter({.data = Path("cases.csv"),
                           .out = Path(name),
                           .epochs = epochs,
                           .size = 32,
                           .seed = seed,
                           .hold_out = 0.25,
                           .threads = 1},
                          RealClock(), out_);
  }

  const std::string folder_ = absl::StrCat(testing::TempDir(), "/segmenter");
  std::ostringstream out_;
};

TEST_F(SegmenterTest, FindsLungsOfPatientsItHasNotSeen) {
  const absl::Status status = Train("w.safetensors", 25);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(out_.str(), ContainsRegex("all  .* 0\\.9[0-9]+ \\(.* 0\\.[89]"));
  int held = 0;
  for (int n = 0; n < 40; ++n) held += IsHeldOut(absl::StrCat("p", n), 0.25, 1);
  ASSERT_GT(held, 2);
  EXPECT_THAT(out_.str(),
              HasSubstr(absl::StrCat(40 - held, " cases of ", 40 - held,
                                     " patients to learn from, ", held, " of ",
                                     held, " held out")));
  EXPECT_THAT(out_.str(), ContainsRegex(absl::StrCat("all  +", held, " ")));
  std::ostringstream scores;
  ASSERT_TRUE(ScoreManifest({.data = Path("cases.csv")}, Path("w.safetensors"),
                            1, scores)
                  .ok());
  EXPECT_THAT(scores.str(), ContainsRegex("ill  +20  +20  0\\.9"));
  // Writes masks to files, too, at the images' own size.
  std::ostringstream table;
  const absl::Status ran = RunSegmenter({.data = Path("cases.csv"),
                                         .folder = Path("masks"),
                                         .weights = Path("w.safetensors"),
                                         .dicom = true,
                                         .threads = 1},
                                        table);
  ASSERT_TRUE(ran.ok()) << ran;
  for (const char* name : {"masks/c7.png", "masks/c7.dcm"}) {
    const auto mask = DecodeMask(*ReadFile(Path(name)));
    ASSERT_TRUE(mask.ok()) << mask.status();
    ASSERT_EQ(mask->rows, kRows);
    const auto truth = DecodeMask(*ReadFile(Path("m7.png")));
    EXPECT_GT(OverlapOf(ToBinaryMask(*mask), ToBinaryMask(*truth)).dice, 0.88);
  }
  EXPECT_THAT(*ReadFile(Path("masks/masks.csv")),
              HasSubstr("2,c0.png,c0.png,"));
  EXPECT_THAT(table.str(), HasSubstr("rejected"));
}

TEST_F(SegmenterTest, TheSameSeedGivesTheSameFile) {
  ASSERT_TRUE(Train("a.safetensors", 2).ok());
  ASSERT_TRUE(Train("b.safetensors", 2).ok());
  ASSERT_TRUE(Train("c.safetensors", 2, 2).ok());
  EXPECT_EQ(*ReadFile(Path("a.safetensors")), *ReadFile(Path("b.safetensors")));
  EXPECT_NE(*ReadFile(Path("a.safetensors")), *ReadFile(Path("c.safetensors")));
  const auto file = WeightsFile::Open(Path("a.safetensors"));
  EXPECT_EQ(file->metadata().at("hilum.segmenter.size"), "32");
  EXPECT_EQ(file->metadata().at("hilum.segmenter.epochs"), "2 of 2");
}

TEST_F(SegmenterTest, ALoadedOneIsANewOne) {
  const Architecture architecture = SegmenterArchitecture();
  std::vector<float> weights = InitialWeights(architecture, 3);
  v1::Training training;
  training.mutable_optimizer()->set_kind(v1::Optimizer::KIND_ADAMW);
  training.mutable_optimizer()->set_learning_rate(0.01);
  Segmenter::SetThreads(1);
  std::vector<std::vector<float>> trained;
  auto segmenter = *Segmenter::Create(32, weights, training);
  for (int life = 0; life < 2; ++life) {
    ASSERT_TRUE(life == 0 || segmenter->Load(weights).ok());
    for (int step = 0; step < 3; ++step) {
      SegmentBatch batch;
      for (int i = 0; i < 2 * 32 * 32; ++i) {
        batch.pixels.push_back(static_cast<float>(i % 29) / 29);
        batch.masks.push_back(i % 3 == 0 ? 1.0f : 0.0f);
      }
      ASSERT_TRUE(segmenter->TrainBatch(batch, 1).ok());
    }
    trained.push_back(segmenter->Weights());
  }
  EXPECT_NE(trained[0], weights);
  EXPECT_EQ(trained[0], trained[1]);
  EXPECT_FALSE(segmenter->Load(std::vector<float>(10)).ok());
  // Rounded sums over sites may be below zero, which has no square root.
  size_t at = 0;
  for (const TensorSpec& spec : architecture.tensors) {
    if (spec.role == TensorRole::kRunningVariance) break;
    at += static_cast<size_t>(spec.size());
  }
  weights[at] = -0.001f;
  ASSERT_TRUE(segmenter->Load(weights).ok());
  EXPECT_EQ(segmenter->Weights()[at], 0);
  std::vector<float> black(32 * 32);
  for (float p : *segmenter->Predict(black)) EXPECT_TRUE(std::isfinite(p));
}

TEST_F(SegmenterTest, BadOptionsAndFilesSayWhatToDo) {
  EXPECT_THAT(Train("w.pth", 1).message(), HasSubstr(".safetensors"));
  Write("cases.csv", "file,label,patient_id,mask\nc1.png,x,p,m1.png\n");
  EXPECT_THAT(Train("w.safetensors", 1).message(), HasSubstr("16 are needed"));
  EXPECT_THAT(Train("nowhere/w.safetensors", 1).message(),
              HasSubstr("no such folder"));
  EXPECT_FALSE(Segmenter::Create(100, {}).ok());
  EXPECT_FALSE(Segmenter::Create(128, std::vector<float>(10)).ok());
  EXPECT_FALSE(LoadSegmenter(Path("c1.png")).ok());
  EXPECT_THAT(FindShippedWeights("/nowhere/bin").status().message(),
              HasSubstr("--weights"));
  Write("cases.csv", "file,label,patient_id\na/c1.png,x,p\nb/c1.png,x,p\n");
  std::ostringstream table;
  EXPECT_THAT(
      RunSegmenter({.data = Path("cases.csv"), .folder = Path("masks")}, table)
          .message(),
      HasSubstr("rows 2 and 3"));
}

TEST_F(SegmenterTest, JudgingCountsByLabel) {
  Write("m1.png",
        *EncodePng8(kRows, kColumns, std::vector<uint8_t>(kRows * kColumns)));
  Write("m3.png", "no picture");
  std::ostringstream table;
  ASSERT_TRUE(JudgeManifest(Path("cases.csv"), table).ok());
  EXPECT_THAT(table.str(), HasSubstr("row 3: no lung: "));
  EXPECT_THAT(table.str(), HasSubstr("row 5: "));
  VerdictCounts counts({"ill", "well"});
  counts.Add(0, LungMaskFault::kNone);
  counts.Add(0, LungMaskFault::kOneLung);
  counts.Add(1, LungMaskFault::kNone);
  std::ostringstream small;
  counts.Print(small);
  EXPECT_EQ(small.str(),
            "label    accepted    one lung    rejected\n"
            "ill             1           1      50.0 %\n"
            "well            1           0       0.0 %\n"
            "all             2           1      33.3 %\n");
}

}  // namespace
}  // namespace hilum
