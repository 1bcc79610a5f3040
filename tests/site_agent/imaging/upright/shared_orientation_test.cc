// SPDX-License-Identifier: Apache-2.0
// Real radiographs, upright and turned. Uses only those rows of the shared set
// whose licence is not CC BY: the network has been trained on the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom/select_pcxr.h"
#include "site_agent/imaging/upright/find_orientation.h"

namespace hilum {
namespace {

const char kShared[] = HILUM_SOURCE_DIR "/../shared/";

SizedPlane PlaneOf(const std::string& bytes) {
  auto image = DecodeImage(bytes);
  EXPECT_TRUE(image.ok()) << image.status();
  auto plane = PrepareWholeWithin(*image, 1024);
  EXPECT_TRUE(plane.ok()) << plane.status();
  return *std::move(plane);
}

std::vector<SizedPlane> UnseenRadiographs() {
  std::vector<SizedPlane> planes;
  const std::string folder = absl::StrCat(kShared, "pcxr/");
  auto text = ReadFile(folder + "manifest.csv");
  if (!text.ok()) return planes;
  auto rows = ParseCsv(*text);
  EXPECT_TRUE(rows.ok());
  const auto& header = rows->front();
  auto column = [&](const char* name) {
    return std::find(header.begin(), header.end(), name) - header.begin();
  };
  for (size_t i = 1; i < rows->size(); ++i) {
    const auto& row = (*rows)[i];
    if (!absl::StrContains(row[column("licence")], "NC")) continue;
    planes.push_back(PlaneOf(*ReadFile(folder + row[column("file")])));
  }
  return planes;
}

std::optional<Turn> FoundIn(const SizedPlane& plane, const Turn& shown) {
  SizedPlane turned{
      plane.rows, plane.columns,
      TurnPixels<uint16_t>(plane.rows, plane.columns, plane.pixels, shown)};
  if (Transposes(shown)) std::swap(turned.rows, turned.columns);
  return SurelyTurned(FindOrientation(turned), false);
}

TEST(SharedOrientationTest, TurnedRadiographsAreSeenAndUprightOnesAreLeft) {
  const std::vector<SizedPlane> planes = UnseenRadiographs();
  if (planes.empty()) GTEST_SKIP() << "no shared images in " << kShared;
  ASSERT_GE(planes.size(), 50u);
  const double n = static_cast<double>(planes.size());
  for (int i = 0; i < kNumTurns; ++i) {
    const Turn shown = TurnOfIndex(i);
    int stopped = 0, right_way_up = 0;
    for (const SizedPlane& plane : planes) {
      const std::optional<Turn> found = FoundIn(plane, shown);
      stopped += found.has_value();
      right_way_up += found.has_value() && found->quarters == shown.quarters;
    }
    // The numbers in docs/orientation.md, with a margin for other compilers'
    // rounding.
    if (i == 0) {
      EXPECT_LE(stopped, 3) << "of " << n;
    } else if (shown.quarters == 0) {
      EXPECT_GE(stopped, 0.5 * n);
    } else {
      EXPECT_GE(stopped, 0.97 * n) << NameOf(shown);
      EXPECT_GE(right_way_up, 0.97 * n) << NameOf(shown);
    }
  }
}

TEST(SharedOrientationTest, DicomRadiographsThatAreTakenAreLeft) {
  const std::string folder = absl::StrCat(kShared, "dicom/files");
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no shared files in " << folder;
  }
  int taken = 0, seen_on_its_head = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string bytes = *ReadFile(entry.path());
    auto file = ReadDicomFile(bytes);
    if (!file.ok() || !SelectPcxr(file->elements).accepted()) continue;
    if (!DecodeImage(bytes).ok()) continue;
    const SizedPlane plane = PlaneOf(bytes);
    ++taken;
    EXPECT_EQ(FoundIn(plane, {}), std::nullopt) << entry.path();
    seen_on_its_head += FoundIn(plane, {2, false}).has_value();
  }
  EXPECT_GE(taken, 20);
  EXPECT_EQ(seen_on_its_head, taken);
}

}  // namespace
}  // namespace hilum
