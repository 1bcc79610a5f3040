// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/decode_mask.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decoders.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom/dicom_segmentation.h"

namespace hilum {
namespace {

constexpr char kWantedLevels[] = "write lungs as 255 and everything else as 0";

// The levels of a mask, at most kMost + 1 of them.
struct Levels {
  std::vector<float> values;  // ascending; kMost + 1 values: there may be more
  float largest = 0;
};
constexpr size_t kMost = 3;

Levels LevelsOf(const GrayImage& mask) {
  Levels levels;
  float last = -1;
  for (float v : mask.pixels) {
    if (v == last) continue;  // neighbours are often equal
    last = v;
    levels.largest = std::max(levels.largest, v);
    if (levels.values.size() > kMost) continue;
    const auto at =
        std::lower_bound(levels.values.begin(), levels.values.end(), v);
    if (at == levels.values.end() || *at != v) levels.values.insert(at, v);
  }
  return levels;
}

// Returns whether `v` is level `n` of samples with the maximum `full`.
bool IsLevel(float v, int n, double full) {
  return std::abs(v * full - n) < 1e-3;
}

// Returns e.g. "1 of 255", "255 of 65535".
std::string LevelName(const Levels& levels, float v) {
  const auto whole = [](float level) {
    return std::abs(level * 255 - std::round(level * 255)) < 1e-3;
  };
  const bool bytes =
      std::all_of(levels.values.begin(), levels.values.end(), whole);
  const int full = bytes ? 255 : 65535;
  return absl::StrCat(std::lround(v * full), " of ", full);
}

// Returns whether the levels are 0, 1 and 2, in 8 or 16 bits.
bool AreLabels(const std::vector<float>& values) {
  for (double full : {255.0, 65535.0}) {
    if (values.size() == 3 && values[0] == 0 && IsLevel(values[1], 1, full) &&
        IsLevel(values[2], 2, full)) {
      return true;
    }
  }
  return false;
}

// Returns why the levels do not show where the lungs are; empty: > 0.5 counts.
std::string Doubt(const Levels& levels) {
  const std::vector<float>& values = levels.values;
  if (values.size() == 1) {
    if (values[0] == 0 || values[0] > 0.5f) return "";
    return absl::StrCat("all its pixels have the value ",
                        LevelName(levels, values[0]), "; ", kWantedLevels);
  }
  if (levels.largest <= 0.5f || (values.size() == 2 && values[0] > 0.5f)) {
    return absl::StrCat(
        "its largest value is ", LevelName(levels, levels.largest), ", beside ",
        values.size() == 2
            ? absl::StrCat(LevelName(levels, values[0]), " and nothing else")
            : "two or more other values",
        "; ", kWantedLevels);
  }
  return "";
}

// Decodes a picture. Returns the opacity of a PNG if only the opacity varies.
absl::StatusOr<GrayImage> DecodePicture(absl::string_view bytes) {
  if (bytes.size() > kMaxImageFileBytes ||
      !absl::StartsWith(bytes, "\x89PNG\r\n\x1a\n")) {
    return DecodeImage(bytes);
  }
  GrayImage opacity;
  HILUM_ASSIGN_OR_RETURN(GrayImage colour, DecodePng(bytes, &opacity));
  if (!opacity.pixels.empty() && !CheckShowsSomething(colour).ok() &&
      CheckShowsSomething(opacity).ok()) {
    return opacity;
  }
  return colour;
}

}  // namespace

void ReadMaskLevels(GrayImage& mask) {
  if (mask.pixels.empty()) return;
  const Levels levels = LevelsOf(mask);
  const bool pair = levels.values.size() == 2 && levels.values[0] == 0;
  if (pair || AreLabels(levels.values)) {
    for (float& v : mask.pixels) v = v > 0 ? 1.0f : 0.0f;
    return;
  }
  const std::string doubt = Doubt(levels);
  if (doubt.empty()) return;
  std::fill(mask.pixels.begin(), mask.pixels.end(), 0.0f);
  mask.notes = {doubt};
}

absl::Status WhyMaskIsDoubtful(const GrayImage& mask) {
  if (mask.notes.empty()) return absl::OkStatus();
  const bool empty = std::all_of(mask.pixels.begin(), mask.pixels.end(),
                                 [](float v) { return v == 0; });
  return empty ? absl::InvalidArgumentError(mask.notes.front())
               : absl::OkStatus();
}

absl::StatusOr<GrayImage> DecodeMask(absl::string_view bytes) try {
  if (bytes.size() <= kMaxImageFileBytes && IsDicom(bytes)) {
    HILUM_ASSIGN_OR_RETURN(DicomFile file, ReadDicomFile(bytes));
    if (IsSegmentation(file)) return ReadLungSegmentation(file);
  }
  HILUM_ASSIGN_OR_RETURN(GrayImage mask, DecodePicture(bytes));
  ReadMaskLevels(mask);
  return mask;
} catch (const std::bad_alloc&) {
  return absl::ResourceExhaustedError("mask: out of memory");
}

}  // namespace hilum
