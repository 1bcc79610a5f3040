// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "absl/strings/str_format.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {
namespace {

struct Range {
  double LungMeasures::*measure;
  double least, most;
  LungMaskFault fault;
  const char* what;
};

// In the order of LungMaskFault. Close to the extremes of the measured masks.
constexpr Range kRanges[] = {
    {&LungMeasures::area, 0.15, 0.58, LungMaskFault::kArea,
     "the lungs' share of the image"},
    {&LungMeasures::balance, 0.6, 1, LungMaskFault::kBalance,
     "the smaller lung's area over the larger's"},
    {&LungMeasures::holes, 0, 0.02, LungMaskFault::kHoles,
     "the holes' share of the area"},
    {&LungMeasures::islands, 0, 0.02, LungMaskFault::kIslands,
     "the islands' share of the area"},
    {&LungMeasures::row, 0.27, 0.64, LungMaskFault::kPlace,
     "the centroid's row over all rows"},
    {&LungMeasures::column, 0.4, 0.62, LungMaskFault::kPlace,
     "the centroid's column over all columns"},
    {&LungMeasures::distance, 0.29, 0.52, LungMaskFault::kPlace,
     "the lungs' distance over all columns"},
    {&LungMeasures::tilt, -0.12, 0.17, LungMaskFault::kPlace,
     "the right lung's depth below the left one, over all rows,"},
    {&LungMeasures::height, 0.43, 1, LungMaskFault::kShape,
     "the lungs' height over all rows"},
    {&LungMeasures::slenderness, 0.85, 2.7, LungMaskFault::kShape,
     "the wider lung's height over its width"},
    {&LungMeasures::taper, 0.38, 0.63, LungMaskFault::kShape,
     "the upper half's share of the area"},
    {&LungMeasures::apex, 0.57, 0.96, LungMaskFault::kShape,
     "the upper quarter's width over the lower half's"},
    {&LungMeasures::crown, 0, 0.72, LungMaskFault::kShape,
     "the upper eighth's fill over the fullest row's"},
    {&LungMeasures::border, 0, 0.18, LungMaskFault::kBorder,
     "the share of the image's border in the lungs"},
};

// The side of the masks that the ranges were measured on.
constexpr int kMeasuredSide = 320;

// Returns all set pixels as one region, connected or not.
Region WholeOf(const BinaryMask& mask) {
  Region whole{
      .top = mask.rows, .left = mask.columns, .bottom = -1, .right = -1};
  for (int r = 0; r < mask.rows; ++r) {
    for (int c = 0; c < mask.columns; ++c) {
      if (mask.pixels[static_cast<size_t>(r) * mask.columns + c] == 0) continue;
      ++whole.area;
      whole.top = std::min(whole.top, r);
      whole.bottom = std::max(whole.bottom, r);
      whole.left = std::min(whole.left, c);
      whole.right = std::max(whole.right, c);
      whole.row += r;
      whole.column += c;
    }
  }
  if (whole.area == 0) return whole;
  whole.row /= whole.area;
  whole.column /= whole.area;
  return whole;
}

double Share(double part, double all) { return all > 0 ? part / all : 0; }

double BorderShare(const BinaryMask& mask) {
  int set = 0, all = 0;
  for (int r = 0; r < mask.rows; ++r) {
    const bool edge = r == 0 || r == mask.rows - 1;
    for (int c = 0; c < mask.columns; ++c) {
      if (!edge && c != 0 && c != mask.columns - 1) continue;
      ++all;
      set += mask.pixels[static_cast<size_t>(r) * mask.columns + c];
    }
  }
  return Share(set, all);
}

// Returns the pixels in the regions of `value` for which `counts` is true.
template <typename Counts>
double AreaOf(const BinaryMask& mask, uint8_t value, Neighbours neighbours,
              const Counts& counts) {
  double area = 0;
  for (const Region& region : FindRegions(mask, value, neighbours).regions) {
    if (counts(region)) area += region.area;
  }
  return area;
}

double UpperShare(const BinaryMask& mask, const Region& whole) {
  const int middle = (whole.top + whole.bottom + 1) / 2;
  double upper = 0;
  for (size_t i = 0; i < static_cast<size_t>(middle) * mask.columns; ++i) {
    upper += mask.pixels[i];
  }
  return Share(upper, whole.area);
}

// Pixels set in each row, and the distance from the first to the last.
struct RowWidths {
  std::vector<int> set, outer;
};

RowWidths WidthsOf(const BinaryMask& mask, const Region& whole) {
  RowWidths out;
  for (int r = whole.top; r <= whole.bottom; ++r) {
    const auto begin =
        mask.pixels.begin() + static_cast<std::ptrdiff_t>(r) * mask.columns;
    const auto end = begin + mask.columns;
    const auto first = std::find(begin, end, 1);
    int set = 0, outer = 0;
    for (auto at = first; at != end; ++at) {
      set += *at;
      if (*at != 0) outer = static_cast<int>(at - first) + 1;
    }
    out.set.push_back(set);
    out.outer.push_back(outer);
  }
  return out;
}

void MeasureTop(const BinaryMask& mask, const Region& whole,
                LungMeasures& out) {
  const RowWidths widths = WidthsOf(mask, whole);
  const size_t rows = widths.set.size();
  const auto max = [](const std::vector<int>& from, size_t begin, size_t end) {
    return *std::max_element(from.begin() + begin, from.begin() + end);
  };
  out.apex = Share(max(widths.outer, 0, std::max<size_t>(rows / 4, 1)),
                   max(widths.outer, rows / 2, rows));
  const size_t eighth = std::max<size_t>(rows / 8, 1);
  double set = 0;
  for (size_t i = 0; i < eighth; ++i) set += widths.set[i];
  out.crown = Share(set / eighth, max(widths.set, 0, rows));
}

double Slenderness(const Region& lung) {
  return Share(lung.bottom - lung.top + 1, lung.right - lung.left + 1);
}

void MeasurePair(const BinaryMask& mask, const Region& left,
                 const Region& right, LungMeasures& out) {
  out.balance =
      Share(std::min(left.area, right.area), std::max(left.area, right.area));
  out.distance = (right.column - left.column) / mask.columns;
  out.tilt = (right.row - left.row) / mask.rows;
  out.slenderness = std::min(Slenderness(left), Slenderness(right));
}

}  // namespace

LungMeasures MeasureLungMask(const BinaryMask& mask) {
  if (std::max(mask.rows, mask.columns) > kMeasuredSide) {
    return MeasureLungMask(
        MaskInProportions(mask, mask.rows, mask.columns, kMeasuredSide));
  }
  LungMeasures out;
  const auto pixels = static_cast<double>(mask.pixels.size());
  const Region whole = WholeOf(mask);
  if (whole.area == 0) return out;
  out.area = whole.area / pixels;
  out.row = (whole.row + 0.5) / mask.rows;
  out.column = (whole.column + 0.5) / mask.columns;
  out.height = (whole.bottom - whole.top + 1.0) / mask.rows;
  out.taper = UpperShare(mask, whole);
  MeasureTop(mask, whole, out);
  out.border = BorderShare(mask);
  out.holes = AreaOf(mask, 0, Neighbours::kFour,
                     [](const Region& r) { return !r.at_border; }) /
              whole.area;
  out.islands =
      AreaOf(mask, 1, Neighbours::kEight,
             [&](const Region& r) { return r.area < kMinLungShare * pixels; }) /
      whole.area;
  const std::array<BinaryMask, 2> lungs =
      SplitLungs(CleanLungMask(mask, {.min_island_share = kMinLungShare}));
  const Region left = WholeOf(lungs[0]), right = WholeOf(lungs[1]);
  out.lungs = (left.area > 0) + (right.area > 0);
  if (out.lungs == 2) MeasurePair(mask, left, right, out);
  return out;
}

absl::string_view FaultName(LungMaskFault fault) {
  switch (fault) {
    case LungMaskFault::kNone:
      return "accepted";
    case LungMaskFault::kNoLung:
      return "no lung";
    case LungMaskFault::kOneLung:
      return "one lung";
    case LungMaskFault::kArea:
      return "area";
    case LungMaskFault::kBalance:
      return "balance";
    case LungMaskFault::kHoles:
      return "holes";
    case LungMaskFault::kIslands:
      return "islands";
    case LungMaskFault::kPlace:
      return "place";
    case LungMaskFault::kShape:
      return "shape";
    case LungMaskFault::kBorder:
      return "border";
  }
  return "";
}

LungMaskVerdict JudgeLungMask(const LungMeasures& measures) {
  if (measures.lungs == 0) {
    return {LungMaskFault::kNoLung,
            absl::StrFormat("no region of %g %% of the image or more",
                            kMinLungShare * 100)};
  }
  if (measures.lungs == 1) {
    return {LungMaskFault::kOneLung,
            "one lung, or two that cannot be told apart"};
  }
  for (const Range& range : kRanges) {
    const double value = measures.*range.measure;
    if (value >= range.least && value <= range.most) continue;
    return {range.fault,
            absl::StrFormat("%s is %.3f, not within %g and %g", range.what,
                            value, range.least, range.most)};
  }
  return {};
}

LungMaskVerdict JudgeLungMask(const BinaryMask& mask) {
  return JudgeLungMask(MeasureLungMask(mask));
}

bool LooksInverted(const BinaryMask& mask) {
  BinaryMask inverse = mask;
  for (uint8_t& pixel : inverse.pixels) pixel = pixel == 0;
  return JudgeLungMask(inverse).accepted();
}

}  // namespace hilum
