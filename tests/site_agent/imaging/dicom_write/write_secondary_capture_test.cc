// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom_write/write_secondary_capture.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"
#include "site_agent/imaging/dicom_write/dicom_writer.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

const RgbImage kPicture = {1, 3, {255, 0, 0, 0, 255, 0, 1, 2, 3}};

CaptureNotes Notes() {
  return {.series_description = "Heat map",
          .derivation = "Of a class",
          .series_key = "model and method",
          .source_key = "digest"};
}

std::string SourceBytes() {
  return SmallChest()
      .Text(0x00080005, "CS", "ISO_IR 100")
      .Text(0x00080018, "UI", "1.2.3.4.5")
      .Text(0x00080020, "DA", "20200102")
      .Text(0x00080050, "SH", "A7")
      .Text(0x00100010, "PN", "M\xfcller^Anna")
      .Text(0x00100020, "LO", "P1")
      .Text(0x00120062, "CS", "YES")
      .Text(0x0020000d, "UI", "1.2.3.4")
      .Text(0x00200020, "CS", "L\\F")
      .Text(0x00280301, "CS", "YES")
      .File();
}

// The elements point into `bytes`.
DicomFile Read(const std::string& bytes) {
  auto file = ReadDicomFile(bytes);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

TEST(SecondaryCaptureTest, ReadsBackAsItWasDrawn) {
  const std::string bytes = *EncodeSecondaryCapture(kPicture, Notes(), nullptr);
  DicomFile file = Read(bytes);
  EXPECT_STREQ(file.syntax->uid, "1.2.840.10008.1.2.1");
  StoredPixels pixels = *DecodeStoredPixels(file);
  EXPECT_EQ(pixels.format.photometric, "RGB");
  EXPECT_EQ(pixels.format.rows, 1);
  EXPECT_EQ(pixels.format.columns, 3);
  EXPECT_EQ(std::vector<uint8_t>(pixels.bytes.begin(), pixels.bytes.end()),
            kPicture.pixels);
}

TEST(SecondaryCaptureTest, LandsBesideItsSourceAndNamesIt) {
  const std::string source_bytes = SourceBytes();
  DicomFile source = Read(source_bytes);
  const std::string bytes = *EncodeSecondaryCapture(kPicture, Notes(), &source);
  DicomFile file = Read(bytes);
  const DicomElements& e = file.elements;
  for (DicomTag same : {0x00080005u, 0x00080020u, 0x00080050u, 0x00100010u,
                        0x00100020u, 0x0020000du, 0x00280301u, 0x00120062u}) {
    EXPECT_EQ(e.Text(same), source.elements.Text(same)) << TagName(same);
    EXPECT_NE(e.Text(same), "") << TagName(same);
  }
  EXPECT_NE(e.Text(0x00120063), "");  // how the identity was removed
  EXPECT_NE(e.Text(0x00080018), "1.2.3.4.5");
  EXPECT_EQ(e.Text(0x00080060), "OT");
  EXPECT_EQ(e.Text(0x00080064), "WSD");
  EXPECT_EQ(e.Text(0x00080008), "DERIVED\\SECONDARY");
  EXPECT_EQ(e.Text(0x00200020), "L\\F");
  for (DicomTag sequence : {0x00081140u, 0x00082112u}) {
    auto items = *e.Items(sequence);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].Text(0x00081150), "1.2.840.10008.5.1.4.1.1.1");
    EXPECT_EQ(items[0].Text(0x00081155), "1.2.3.4.5");
    auto purpose = *items[0].Items(0x0040a170);
    ASSERT_EQ(purpose.size(), sequence == 0x00082112u ? 1u : 0u);
    if (!purpose.empty()) {
      EXPECT_EQ(purpose[0].Text(0x00080100), "121322");
    }
  }
}

// Rows are 0.2 mm apart, columns 0.1. The picture is upright, so a source
// turned by 90 degrees gives the inverse ratio.
TEST(SecondaryCaptureTest, PixelsThatAreNotSquareKeepTheirShape) {
  auto aspect = [](const char* orientation, const char* spacing) {
    const std::string source_bytes = SmallChest()
                                         .Text(0x00200020, "CS", orientation)
                                         .Text(0x00181164, "DS", spacing)
                                         .File();
    DicomFile source = Read(source_bytes);
    const std::string bytes =
        *EncodeSecondaryCapture(kPicture, Notes(), &source);
    return Read(bytes).elements.Text(0x00280034);
  };
  EXPECT_EQ(aspect("L\\F", "0.2\\0.1"), "2000\\1000");
  EXPECT_EQ(aspect("F\\L", "0.2\\0.1"), "1000\\2000");
  EXPECT_EQ(aspect("L\\F", "0.1\\0.1"), "");
}

TEST(SecondaryCaptureTest, SaysNothingThatTheSourceDoesNotSay) {
  const std::string bytes = *EncodeSecondaryCapture(kPicture, Notes(), nullptr);
  DicomFile file = Read(bytes);
  for (DicomTag empty :
       {0x00080020u, 0x00080030u, 0x00080050u, 0x00080090u, 0x00100010u,
        0x00100020u, 0x00100030u, 0x00100040u, 0x00200010u, 0x00200020u}) {
    ASSERT_NE(file.elements.Find(empty), nullptr) << TagName(empty);
    EXPECT_EQ(file.elements.Text(empty), "");
  }
  // Burned In Annotation is not "NO" if the source does not say so.
  for (DicomTag absent :
       {0x00280301u, 0x00080005u, 0x00081140u, 0x00120063u, 0x00282110u}) {
    EXPECT_EQ(file.elements.Find(absent), nullptr) << TagName(absent);
  }
}

TEST(SecondaryCaptureTest, LossOncePastIsAlwaysTold) {
  CaptureNotes notes = Notes();
  notes.lossy_source = true;
  const std::string from_jpeg =
      *EncodeSecondaryCapture(kPicture, notes, nullptr);
  EXPECT_EQ(Read(from_jpeg).elements.Text(0x00282110), "01");
  const std::string source_bytes =
      SmallChest().Text(0x00282110, "CS", "01").File();
  DicomFile source = Read(source_bytes);
  const std::string again = *EncodeSecondaryCapture(kPicture, Notes(), &source);
  EXPECT_EQ(Read(again).elements.Text(0x00282110), "01");
}

struct Uids {
  std::string study, series, instance;
};

Uids UidsOf(const RgbImage& picture, const CaptureNotes& notes) {
  const std::string bytes = *EncodeSecondaryCapture(picture, notes, nullptr);
  DicomFile file = Read(bytes);
  return {file.elements.Text(0x0020000d), file.elements.Text(0x0020000e),
          file.elements.Text(0x00080018)};
}

TEST(SecondaryCaptureTest, UidsChangeWithWhatTheyIdentify) {
  const Uids first = UidsOf(kPicture, Notes());
  EXPECT_EQ(*EncodeSecondaryCapture(kPicture, Notes(), nullptr),
            *EncodeSecondaryCapture(kPicture, Notes(), nullptr));
  RgbImage brighter = kPicture;
  brighter.pixels[4] = 254;
  Uids other = UidsOf(brighter, Notes());
  EXPECT_EQ(other.series, first.series);
  EXPECT_NE(other.instance, first.instance);
  CaptureNotes notes = Notes();
  notes.series_key = "another model";
  other = UidsOf(kPicture, notes);
  EXPECT_EQ(other.study, first.study);
  EXPECT_NE(other.series, first.series);
  EXPECT_NE(other.instance, first.instance);
  notes = Notes();
  notes.source_key = "another case";
  other = UidsOf(kPicture, notes);
  EXPECT_NE(other.study, first.study);
  EXPECT_NE(other.series, first.series);
}

TEST(SecondaryCaptureTest, WhatCannotBeWrittenIsRefused) {
  RgbImage wrong = kPicture;
  wrong.columns = 4;
  EXPECT_EQ(EncodeSecondaryCapture(wrong, Notes(), nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  const std::string long_name =
      SmallChest().Text(0x00100010, "PN", std::string(2000, 'x')).File();
  DicomFile source = Read(long_name);
  const absl::Status status =
      EncodeSecondaryCapture(kPicture, Notes(), &source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(testing::HasSubstr("(0010,0010)"),
                             testing::Not(testing::HasSubstr("xx"))));
}

TEST(SecondaryCaptureTest, NotesCannotMakeTwoValuesOfOne) {
  CaptureNotes notes = Notes();
  notes.series_description = std::string("a\\b\xc3\xa9") + std::string(99, 'c');
  const std::string bytes = *EncodeSecondaryCapture(kPicture, notes, nullptr);
  EXPECT_EQ(Read(bytes).elements.Text(0x0008103e),
            absl::StrCat("a/b??", std::string(59, 'c')));
}

// Reads the file with pydicom, and with DCMTK's own checker.
TEST(SecondaryCaptureTest, OthersReadWhatWeWrite) {
  const char* python = "/usr/bin/python3";
  if (std::system(
          absl::StrCat(python, " -c 'import pydicom, numpy' 2>/dev/null")
              .c_str()) != 0) {
    GTEST_SKIP() << "no pydicom here (python3-pydicom)";
  }
  const std::string source_bytes = SourceBytes();
  DicomFile source = Read(source_bytes);
  for (const DicomFile* of : {static_cast<const DicomFile*>(nullptr),
                              static_cast<const DicomFile*>(&source)}) {
    const std::string path = absl::StrCat(testing::TempDir(), "/capture.dcm");
    ASSERT_TRUE(WriteFileAtomically(
                    path, *EncodeSecondaryCapture(kPicture, Notes(), of))
                    .ok());
    EXPECT_EQ(std::system(absl::StrCat(python,
                                       " " HILUM_SOURCE_DIR
                                       "/tests/site_agent/imaging/dicom_write/"
                                       "check_capture.py ",
                                       path)
                              .c_str()),
              0);
    if (std::system("command -v dcmftest >/dev/null") == 0) {
      EXPECT_EQ(
          std::system(absl::StrCat("dcmftest ", path, " >/dev/null").c_str()),
          0);
    }
  }
}

}  // namespace
}  // namespace hilum
