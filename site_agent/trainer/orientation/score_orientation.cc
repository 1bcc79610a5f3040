// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/score_orientation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/model/safetensors.h"
#include "site_agent/trainer/orientation/orientation_cases.h"
#include "site_agent/trainer/orientation/orientation_learner.h"
#include "site_agent/trainer/segmentation/segment_cases.h"

namespace hilum {
namespace {

constexpr size_t kMisleading = 8;

// Returns e.g. "4 (0.42 %, 0.16 to 1.08)", with Wilson's 95 % interval (Wilson
// 1927).
std::string ShareText(int count, int of) {
  constexpr double kZ = 1.959963984540054;
  if (of == 0) return "-";
  const double p = static_cast<double>(count) / of;
  const double centre = p + kZ * kZ / (2.0 * of);
  const double reach =
      kZ * std::sqrt(p * (1 - p) / of + kZ * kZ / (4.0 * of * of));
  const double scale = 1 + kZ * kZ / of;
  return absl::StrFormat("%d (%.2f %%, %.2f to %.2f)", count, 100 * p,
                         std::max(0.0, 100 * (centre - reach) / scale),
                         std::min(100.0, 100 * (centre + reach) / scale));
}

struct Stopped {
  int count = 0, right = 0;

  void Add(const OrientationVerdict& verdict, const Turn& truth, bool told) {
    const std::optional<Turn> found = SurelyTurned(verdict, told);
    count += found.has_value();
    right += found == truth;
  }
};

void PrintMisleading(absl::Span<const ShownImage> images,
                     double OrientationVerdict::*odds, const char* name,
                     std::ostream& out) {
  std::vector<double> values;
  for (const ShownImage& image : images) values.push_back(image.turns[0].*odds);
  std::sort(values.begin(), values.end(), std::greater<>());
  values.resize(std::min(values.size(), kMisleading));
  out << "upright, the largest log-odds of " << name << ":";
  for (double value : values) out << absl::StrFormat(" %.2f", value);
  out << "\n";
}

void PrintByTurn(absl::Span<const ShownImage> images, std::ostream& out) {
  const int n = static_cast<int>(images.size());
  out << absl::StrFormat("%-44s  %6s  %-30s  %5s  %-30s  %5s\n", "shown",
                         "images", "stopped (95 %)", "named",
                         "against a tag (95 %)", "named");
  for (int i = 0; i < kNumTurns; ++i) {
    Stopped silent, told;
    for (const ShownImage& image : images) {
      silent.Add(image.turns[i], TurnOfIndex(i), false);
      told.Add(image.turns[i], TurnOfIndex(i), true);
    }
    out << absl::StrFormat("%-44s  %6d  %-30s  %5d  %-30s  %5d\n",
                           NameOf(TurnOfIndex(i)), n,
                           ShareText(silent.count, n), silent.right,
                           ShareText(told.count, n), told.right);
  }
  PrintMisleading(images, &OrientationVerdict::turned, "turned", out);
  PrintMisleading(images, &OrientationVerdict::mirrored, "mirrored", out);
}

void PrintLabel(absl::Span<const ShownImage> images, int label,
                const std::string& name, std::ostream& out) {
  Stopped upright, turned, mirrored;
  int n = 0;
  for (const ShownImage& image : images) {
    if (image.label != label) continue;
    ++n;
    for (int i = 0; i < kNumTurns; ++i) {
      const Turn shown = TurnOfIndex(i);
      Stopped& stopped = i == 0                ? upright
                         : shown.quarters == 0 ? mirrored
                                               : turned;
      stopped.Add(image.turns[i], shown, false);
    }
  }
  if (n == 0) return;
  out << absl::StrFormat(
      "%-44s  %6d  %-30s  %-30s  %s\n", name, n, ShareText(upright.count, n),
      ShareText(turned.count, 6 * n), ShareText(mirrored.count, n));
}

}  // namespace

ShownTurns ShowTurns(const OrientationNetwork& network, const Plane& plane) {
  std::vector<float> pixels;
  for (uint16_t v : plane) pixels.push_back(static_cast<float>(v) / 65535.0f);
  ShownTurns shown;
  for (int i = 0; i < kNumTurns; ++i) {
    shown[i] = FindOrientation(
        network, TurnPixels<float>(kOrientationSide, kOrientationSide, pixels,
                                   TurnOfIndex(i)));
  }
  return shown;
}

void PrintShownImages(absl::Span<const ShownImage> images,
                      absl::Span<const std::string> labels, std::ostream& out) {
  PrintByTurn(images, out);
  out << absl::StrFormat("%-44s  %6s  %-30s  %-30s  %s\n", "label", "images",
                         "upright, stopped", "six times turned, stopped",
                         "mirrored, stopped");
  for (size_t i = 0; i < labels.size(); ++i) {
    PrintLabel(images, static_cast<int>(i), labels[i], out);
  }
}

absl::Status ScoreOrientation(const std::string& data,
                              const std::string& weights, int threads,
                              std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(const LabelledManifest read, ReadAnyManifest(data));
  std::optional<OrientationNetwork> given;
  if (!weights.empty()) {
    HILUM_ASSIGN_OR_RETURN(const std::vector<float> numbers,
                           ReadSafetensors(weights, OrientationArchitecture()));
    HILUM_ASSIGN_OR_RETURN(given, OrientationNetwork::Create(numbers));
  }
  const OrientationNetwork& network =
      given ? *given : OrientationNetwork::Shipped();
  const OrientationCases loaded = LoadOrientationCases(read.manifest, threads);
  for (const RejectedRow& row : loaded.rejected) {
    out << "row " << row.row << ", left out: " << row.reason << "\n";
  }
  if (loaded.cases.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(data, ": no image to score"));
  }
  std::vector<ShownImage> images(loaded.cases.size());
  ForEach(images.size(), threads, [&](size_t i) {
    const OrientationCase& c = loaded.cases[i];
    images[i] = {ShowTurns(network, c.plane),
                 read.manifest.cases[c.index].label};
  });
  for (size_t i = 0; i < images.size(); ++i) {
    const std::optional<Turn> found = SurelyTurned(images[i].turns[0], false);
    if (!found) continue;
    const CaseRow& row = read.manifest.cases[loaded.cases[i].index];
    out << "row " << row.row << ", " << row.file << ": looks " << NameOf(*found)
        << "\n";
  }
  PrintShownImages(images, read.labels, out);
  return absl::OkStatus();
}

}  // namespace hilum
