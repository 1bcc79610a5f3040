// SPDX-License-Identifier: Apache-2.0
// Files from hospitals, each unusual in one way, compared with a normal one.
#include <cmath>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/ingest/inspect.h"

namespace hilum {
namespace {

const char kFolder[] = HILUM_SOURCE_DIR "/../shared/cases/";

class FieldFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "no shared cases";
  }
  static std::string Path(absl::string_view name) {
    return absl::StrCat(kFolder, "dicom/", name, ".dcm");
  }
  static GrayImage Read(absl::string_view name) {
    auto image = DecodeImage(ReadFile(Path(name)).value());
    EXPECT_TRUE(image.ok()) << name << ": " << image.status();
    return image.ok() ? *std::move(image) : GrayImage();
  }
  static void ExpectRefused(absl::string_view name, absl::string_view reason) {
    const Inspection found = InspectFile(Path(name));
    EXPECT_FALSE(found.accepted) << name;
    EXPECT_TRUE(absl::StrContains(found.reason, reason))
        << name << ": " << found.reason;
  }
};

// All of them show the same phantom.
TEST_F(FieldFilesTest, WhatIsOnlyOddShowsThePhantom) {
  const GrayImage reference = Read("ref");
  for (const char* name :
       {"px_pad2", "no_preamble", "po_bs", "po_unknown", "vr_sp", "twice_same",
        "un_undef_explicit", "win_width0", "win_width_empty", "win_comma",
        "lut_bad_but_window_ok", "lut_empty_item", "jpg_says_16alloc",
        "jpeg_fill_bytes"}) {
    const Inspection found = InspectFile(Path(name));
    EXPECT_TRUE(found.accepted) << name << ": " << found.reason;
    const bool is_jpeg = absl::StartsWith(name, "jp");
    const GrayImage image = Read(name);
    ASSERT_EQ(image.pixels.size(), reference.pixels.size()) << name;
    double far = 0;
    for (size_t i = 0; i < image.pixels.size(); ++i) {
      far = std::max<double>(far,
                             std::abs(image.pixels[i] - reference.pixels[i]));
    }
    EXPECT_LT(far, is_jpeg ? 0.05 : 0.001) << name;
  }
}

TEST_F(FieldFilesTest, WhatIsNotUsedIsNoted) {
  for (const char* name :
       {"win_width0", "win_width_empty", "win_comma", "lut_bad_but_window_ok",
        "lut_empty_item", "po_unknown"}) {
    EXPECT_FALSE(InspectFile(Path(name)).notes.empty()) << name;
  }
  for (const char* name : {"ref", "po_bs", "px_pad2"}) {
    EXPECT_TRUE(InspectFile(Path(name)).notes.empty()) << name;
  }
}

TEST_F(FieldFilesTest, WhatWouldBeWrongInSilenceIsRefused) {
  ExpectRefused("bitsstored_12_data_14", "above the bits 0 to 11");
  ExpectRefused("bitsstored_8_of_12bit", "above the bits 0 to 7");
  ExpectRefused("shape_identity_mono1", "presentation LUT shape");
  const Inspection blank =
      InspectFile(absl::StrCat(kFolder, "blank/blank.dcm"));
  EXPECT_FALSE(blank.accepted);
  EXPECT_TRUE(absl::StrContains(blank.reason, "shows nothing"));
}

TEST_F(FieldFilesTest, TextsInOtherLanguagesAreUnderstood) {
  for (const char* name : {"txt_de_ap_dots", "txt_de_liegend", "txt_en_supine",
                           "txt_es_torax_cs", "txt_es_torax_series"}) {
    const Inspection found = InspectFile(Path(name));
    EXPECT_TRUE(found.accepted) << name << ": " << found.reason;
    EXPECT_EQ(found.view, "AP") << name;
  }
}

}  // namespace
}  // namespace hilum
