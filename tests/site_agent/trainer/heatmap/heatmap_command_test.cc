// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/heatmap/heatmap_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/model/safetensors.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/prepare.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kRows = 60, kColumns = 100;

class HeatmapCommandTest : public testing::Test {
 protected:
  HeatmapCommandTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    Architecture small =
        *LookUpArchitecture({.name = "hilum_small", .classes = 3});
    std::vector<float> values = InitialWeights(small, 2);
    Rng rng(5, "head");  // zeros would have no heat
    for (size_t i = values.size() - 483; i < values.size(); ++i) {
      values[i] = static_cast<float>(rng.Uniform() - 0.3);
    }
    options_.model = Path("model.safetensors");
    options_.out = Path("out");
    EXPECT_TRUE(WriteSafetensors(options_.model, small, values,
                                 {{"architecture", "hilum_small"},
                                  {"classes", "normal,a b,viral"},
                                  {"preprocessing", "hilum"},
                                  {"input_size", "48"},
                                  {"track", "whole-final"}})
                    .ok());
    bare_ = Path("bare.safetensors");
    EXPECT_TRUE(WriteSafetensors(bare_, small, values, {}).ok());
  }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(folder_, "/", name);
  }

  std::vector<uint8_t> Pixels() const {
    std::vector<uint8_t> pixels;
    Rng rng(1, "pixels");
    for (int i = 0; i < kRows * kColumns; ++i) {
      pixels.push_back(static_cast<uint8_t>(100 + 100 * rng.Uniform()));
    }
    return pixels;
  }

  std::string WritePng(const std::string& name,
                       const std::vector<uint8_t>& pixels) const {
    EXPECT_TRUE(
        WriteFileAtomically(Path(name), *EncodePng8(kRows, kColumns, pixels))
            .ok());
    return Path(name);
  }

  // Writes a mask with lungs in the columns 20 .. 59.
  std::string WriteMask(const std::string& name) const {
    std::vector<uint8_t> mask(kRows * kColumns);
    for (int i = 0; i < kRows * kColumns; ++i) {
      const int column = i % kColumns;
      mask[i] = column >= 20 && column < 60 ? 255 : 0;
    }
    return WritePng(name, mask);
  }

  absl::Status Run() { return MakeHeatmaps(options_, out_, errors_); }

  const std::string folder_ = absl::StrCat(testing::TempDir(), "/heatmap");
  HeatmapOptions options_;
  std::string bare_;
  std::ostringstream out_, errors_;
};

TEST_F(HeatmapCommandTest, DrawsOverTheCaseAtItsSize) {
  options_.cases = {WritePng("one.png", Pixels())};
  options_.label = "viral";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  const std::string picture = Path("out/one-viral.png");
  GrayImage drawn = *DecodeImage(*ReadFile(picture));
  EXPECT_EQ(drawn.rows, kRows);
  EXPECT_EQ(drawn.columns, kColumns);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("one.png: normal 0."),
                                HasSubstr("; heat of viral\n")));
  struct stat info;
  ASSERT_EQ(stat(picture.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);  // it shows a patient
}

TEST_F(HeatmapCommandTest, ExplainsTheMostProbableClassByDefault) {
  auto model = HeatmapModel::Open(options_.model, {});
  ASSERT_TRUE(model.ok()) << model.status();
  const Plane plane(48 * 48, 20000);
  auto answer = (*model)->Explain(plane, std::nullopt, CamMethod::kGradCam);
  ASSERT_TRUE(answer.ok()) << answer.status();
  double sum = 0;
  for (double p : answer->probabilities) {
    sum += p;
    EXPECT_LE(p, answer->probabilities[answer->label]);
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_EQ(answer->heat.size(), plane.size());
  options_.cases = {WritePng("one.png", Pixels())};
  ASSERT_TRUE(Run().ok());
  int pictures = 0;
  for (const char* word : {"normal", "a_b", "viral"}) {
    pictures += FileExists(Path(absl::StrCat("out/one-", word, ".png")));
  }
  EXPECT_EQ(pictures, 1);
}

TEST_F(HeatmapCommandTest, SaysHowMuchHeatIsInTheLungs) {
  options_.cases = {WritePng("one.png", Pixels())};
  options_.mask = WriteMask("mask.png");
  options_.label = "normal";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  EXPECT_THAT(out_.str(),
              HasSubstr("in the lungs, which are 0.400 of the image"));
}

// Pixels outside the network's input have no colour.
TEST_F(HeatmapCommandTest, SegmentedHeatStaysAroundTheLungs) {
  const std::vector<uint8_t> pixels = Pixels();
  options_.cases = {WritePng("one.png", pixels)};
  options_.mask = WriteMask("mask.png");
  options_.arm = "segmented";
  options_.label = "normal";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  GrayImage drawn = *DecodeImage(*ReadFile(Path("out/one-normal.png")));
  int tinted = 0;
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < 90; ++column) {  // the scale bar is behind
      const size_t at = static_cast<size_t>(row) * kColumns + column;
      const bool same =
          std::abs(drawn.at(row, column) - pixels[at] / 255.0f) < 0.5f / 255;
      if (column < 19 || column >= 61) {
        EXPECT_TRUE(same) << row << " " << column;
      } else {
        tinted += !same;
      }
    }
  }
  EXPECT_GT(tinted, 100);
}

TEST_F(HeatmapCommandTest, DicomLandsBesideItsSource) {
  std::vector<int> words;
  for (uint8_t v : Pixels()) words.push_back(v * 16);
  ASSERT_TRUE(WriteFileAtomically(Path("chest.dcm"),
                                  SmallChest()
                                      .Text(0x00080018, "UI", "1.2.3.4.5")
                                      .Text(0x0020000d, "UI", "1.2.3.4")
                                      .Text(0x00100020, "LO", "P1")
                                      .Words(0x00280010, "US", {kRows})
                                      .Words(0x00280011, "US", {kColumns})
                                      .Words(kPixelDataTag, "OW", words)
                                      .File())
                  .ok());
  options_.cases = {Path("chest.dcm"), WritePng("plain.png", Pixels())};
  options_.dicom = true;
  options_.label = "viral";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  const std::string bytes = *ReadFile(Path("out/chest-viral.dcm"));
  DicomFile file = *ReadDicomFile(bytes);
  EXPECT_EQ(file.elements.Text(0x0020000d), "1.2.3.4");
  EXPECT_EQ(file.elements.Text(0x00100020), "P1");
  EXPECT_THAT(file.elements.Text(0x00082111),
              AllOf(HasSubstr("Research use only, not for diagnosis"),
                    HasSubstr("Grad-CAM heat map of class viral"),
                    HasSubstr("the whole image")));
  EXPECT_THAT(file.elements.Text(0x0008103e), HasSubstr("not for diagnosis"));
  EXPECT_TRUE(FileExists(Path("out/plain-viral.dcm")));
}

TEST_F(HeatmapCommandTest, ABadCaseDoesNotStopTheOthers) {
  ASSERT_TRUE(WriteFileAtomically(Path("bad.png"), "no picture").ok());
  options_.cases = {Path("bad.png"), Path("absent.png"),
                    WritePng("good.png", Pixels())};
  options_.label = "viral";
  absl::Status status = Run();
  EXPECT_THAT(std::string(status.message()), HasSubstr("2 of 3 cases"));
  EXPECT_THAT(errors_.str(), AllOf(HasSubstr("bad.png: neither a PNG"),
                                   HasSubstr("absent.png: ")));
  EXPECT_TRUE(FileExists(Path("out/good-viral.png")));
}

TEST_F(HeatmapCommandTest, WhatTheModelDoesNotSayIsAskedFor) {
  const std::string one = WritePng("one.png", Pixels());
  options_.cases = {one};
  options_.model = bare_;
  auto fails_with = [&](const char* text) {
    absl::Status status = Run();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(bare_), HasSubstr(text)));
  };
  fails_with("--classes");
  options_.notes.classes = {"a", "b"};
  fails_with("3 classes, and 2 are named");
  options_.notes.classes = {"a", "b", "c"};
  fails_with("--preprocessing");
  options_.notes.preprocessing = "none";
  fails_with("known: hilum");
  options_.notes.preprocessing = "hilum";
  fails_with("--input-size");
  options_.notes.input_size = 48;
  options_.notes.architecture = "vgg16";
  fails_with("hilum_small, not of vgg16");
  options_.notes.architecture = "";
  EXPECT_TRUE(Run().ok());
}

TEST_F(HeatmapCommandTest, WhatCannotBeMeantIsRefused) {
  const std::string one = WritePng("one.png", Pixels());
  options_.cases = {one};
  options_.label = "tuberculosis";
  EXPECT_THAT(std::string(Run().message()),
              HasSubstr("the model knows normal, a b, viral"));
  options_.label = "";
  options_.arm = "segmented";
  EXPECT_FALSE(Run().ok());
  EXPECT_THAT(errors_.str(), HasSubstr("give the lung mask with --mask"));
  options_.cases = {one, Path("other/one.png")};
  EXPECT_THAT(std::string(Run().message()), HasSubstr("of the same name"));
  options_.cases = {one, Path("two.png")};
  options_.mask = WriteMask("mask.png");
  EXPECT_THAT(std::string(Run().message()), HasSubstr("one mask and 2 cases"));
}

// Tests a folder of masks in which one case has none, and a case store with a
// case with a mask and one without.
TEST_F(HeatmapCommandTest, AStoresCasesAreDrawn) {
  GrayImage film{kRows, kColumns, {}}, lungs{kRows, kColumns, {}};
  for (uint8_t v : Pixels()) film.pixels.push_back(v / 255.0f);
  for (int i = 0; i < kRows * kColumns; ++i) {
    lungs.pixels.push_back(i % kColumns >= 20 && i % kColumns < 60 ? 1 : 0);
  }
  const SizedPlane whole = *PrepareWholeWithin(film, 1024);
  const SizedPlane cut = *PrepareSegmentedWithin(film, lungs, 1024);
  const std::string bits = LungBits(lungs, kRows, kColumns);
  CaseRecord record{.case_id = "0123456789abcdef",
                    .whole = {whole.rows, whole.columns, whole.pixels},
                    .source_rows = kRows,
                    .source_columns = kColumns};
  std::string shard = EncodeCaseRecord(record);
  record.case_id = "fedcba9876543210";
  record.segmented = {cut.rows, cut.columns, cut.pixels};
  record.lungs = bits;
  shard += EncodeCaseRecord(record);
  ASSERT_TRUE(MakeDirectories(Path("store/shards")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("store/shards/0001.shard"), shard,
                                  Durability::kNone)
                  .ok());
  options_.label = "normal";
  options_.cases = {absl::StrCat(Path("store"), "#fedcba9876543210")};
  ASSERT_TRUE(Run().ok()) << errors_.str();
  EXPECT_THAT(out_.str(), HasSubstr("which are 0.400 of the image"));
  const GrayImage drawn =
      *DecodeImage(*ReadFile(Path("out/fedcba9876543210-normal.png")));
  EXPECT_EQ(drawn.rows, kRows);
  EXPECT_EQ(drawn.columns, kColumns);
  // The store: all its cases.
  options_.cases = {Path("store")};
  ASSERT_TRUE(Run().ok()) << errors_.str();
  EXPECT_TRUE(FileExists(Path("out/0123456789abcdef-normal.png")));
  // Draws only the lungs, of the case that has a mask.
  options_.arm = "segmented";
  EXPECT_THAT(std::string(Run().message()), HasSubstr("1 of 2 cases"));
  EXPECT_THAT(errors_.str(), HasSubstr("give the lung mask"));
}

TEST_F(HeatmapCommandTest, AManifestsCasesAreDrawnWithItsMasks) {
  WritePng("one.png", Pixels());
  WritePng("two.png", Pixels());
  WriteMask("mask.png");
  ASSERT_TRUE(WriteFileAtomically(Path("cases.csv"),
                                  "file,mask\none.png,mask.png\ntwo.png,\n",
                                  Durability::kNone)
                  .ok());
  options_.cases = {Path("cases.csv")};
  options_.label = "normal";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  EXPECT_TRUE(FileExists(Path("out/two-normal.png")));
  EXPECT_THAT(out_.str(), HasSubstr("0.400 of the image\n"));
  EXPECT_THAT(out_.str().substr(out_.str().find("two.png")),
              Not(HasSubstr("lungs")));
}

// Three lines fit: class, probability and model are on the picture.
TEST_F(HeatmapCommandTest, APictureSaysWhatItShows) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 200 * 500; ++i) {
    pixels.push_back(static_cast<uint8_t>(60 + i % 100));
  }
  ASSERT_TRUE(WriteFileAtomically(Path("large.png"),
                                  *EncodePng8(200, 500, pixels),
                                  Durability::kNone)
                  .ok());
  options_.cases = {Path("large.png")};
  options_.label = "normal";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  const GrayImage drawn = *DecodeImage(*ReadFile(Path("out/large-normal.png")));
  // Each of the three lowest lines of 8 rows has white dots on black.
  for (int line = 0; line < 3; ++line) {
    int white = 0;
    for (int row = 199 - 8 * (line + 1); row < 199 - 8 * line; ++row) {
      for (int column = 0; column < 200; ++column) {
        white += drawn.at(row, column) == 1.0f;
      }
    }
    EXPECT_GT(white, 50) << line;
  }
}

TEST_F(HeatmapCommandTest, MasksOfManyCasesComeFromAFolder) {
  ASSERT_TRUE(MakeDirectories(Path("masks")).ok());
  WriteMask("masks/one.png");
  options_.cases = {WritePng("one.png", Pixels()),
                    WritePng("two.png", Pixels())};
  options_.mask = Path("masks");
  options_.label = "normal";
  ASSERT_TRUE(Run().ok()) << errors_.str();
  EXPECT_THAT(out_.str(), HasSubstr("0.400 of the image\n"));
  EXPECT_THAT(out_.str().substr(out_.str().find("two.png")),
              Not(HasSubstr("lungs")));
}

TEST(HeatmapOptionsTest, TheCommandLineIsUnderstood) {
  auto parses = [](const std::string& line) {
    CLI::App app;
    std::function<absl::Status()> action;
    AddHeatmapCommand(app, action);
    try {
      app.parse(line);
    } catch (const CLI::ParseError&) {
      return false;
    }
    return static_cast<bool>(action);
  };
  EXPECT_TRUE(
      parses("heatmap a.png b.dcm --model m --out o --class viral "
             "--method grad-cam++ --mask x --arm whole --dicom "
             "--classes a,b --input-size 96"));
  EXPECT_TRUE(parses("heatmap a.png --model m --out o"));
  EXPECT_FALSE(parses("heatmap a.png --model m --out o --method lime"));
  EXPECT_FALSE(parses("heatmap a.png --model m --out o --arm lungs"));
  EXPECT_FALSE(parses("heatmap --model m --out o"));
  EXPECT_FALSE(parses("heatmap a.png --out o"));
}

TEST(HeatmapOptionsTest, TheNetworkIsGoneBeforeAnythingIsOpened) {
  auto run = [] {
    CLI::App app;
    std::function<absl::Status()> action;
    AddHeatmapCommand(app, action);
    app.parse("heatmap absent.png --model absent --out o");
    if (socket(AF_INET, SOCK_STREAM, 0) < 0) std::exit(2);  // too early
    if (action().code() != absl::StatusCode::kNotFound) std::exit(3);
    std::exit(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 1);
  };
  // The child must not have Torch's threads.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hilum
