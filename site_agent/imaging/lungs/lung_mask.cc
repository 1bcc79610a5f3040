// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/lungs/lung_mask.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace hilum {
namespace {

size_t IndexOf(const BinaryMask& mask, int row, int column) {
  return static_cast<size_t>(row) * mask.columns + column;
}

BinaryMask EmptyLike(const BinaryMask& mask) {
  return {mask.rows, mask.columns, std::vector<uint8_t>(mask.pixels.size())};
}

// Adds one pixel; centroids hold sums until Finish.
void AddPixel(const BinaryMask& mask, int row, int column, Region& region) {
  ++region.area;
  region.top = std::min(region.top, row);
  region.bottom = std::max(region.bottom, row);
  region.left = std::min(region.left, column);
  region.right = std::max(region.right, column);
  region.row += row;
  region.column += column;
  region.at_border = region.at_border || row == 0 || column == 0 ||
                     row == mask.rows - 1 || column == mask.columns - 1;
}

// Returns the region that contains the pixel `start`; `pending` is scratch
// memory.
Region Flood(const BinaryMask& mask, size_t start, int label, bool corners,
             std::vector<int>& labels, std::vector<size_t>& pending) {
  const uint8_t value = mask.pixels[start];
  Region region{
      .top = mask.rows, .left = mask.columns, .bottom = -1, .right = -1};
  labels[start] = label;
  pending.assign(1, start);
  while (!pending.empty()) {
    const size_t at = pending.back();
    pending.pop_back();
    const int row = static_cast<int>(at / mask.columns);
    const int column = static_cast<int>(at % mask.columns);
    AddPixel(mask, row, column, region);
    for (int r = std::max(row - 1, 0); r <= std::min(row + 1, mask.rows - 1);
         ++r) {
      for (int c = std::max(column - 1, 0);
           c <= std::min(column + 1, mask.columns - 1); ++c) {
        const size_t next = IndexOf(mask, r, c);
        if (!corners && r != row && c != column) continue;
        if (labels[next] >= 0 || mask.pixels[next] != value) continue;
        labels[next] = label;
        pending.push_back(next);
      }
    }
  }
  region.row /= region.area;
  region.column /= region.area;
  return region;
}

void DropIslands(BinaryMask& mask, double min_share) {
  const RegionMap map = FindRegions(mask, 1, Neighbours::kEight);
  const double least = min_share * static_cast<double>(mask.pixels.size());
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (map.labels[i] >= 0 && map.regions[map.labels[i]].area < least) {
      mask.pixels[i] = 0;
    }
  }
}

void FillHoles(BinaryMask& mask) {
  const RegionMap map = FindRegions(mask, 0, Neighbours::kFour);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (map.labels[i] >= 0 && !map.regions[map.labels[i]].at_border) {
      mask.pixels[i] = 1;
    }
  }
}

struct Point {
  int row, column;
};

// Returns the orientation of a, b, c: > 0 one way, < 0 the other, 0 straight.
int64_t Turn(const Point& a, const Point& b, const Point& c) {
  return int64_t{b.column - a.column} * (c.row - a.row) -
         int64_t{b.row - a.row} * (c.column - a.column);
}

// Returns the hull's least (or greatest) column in each row, from the first
// point's row to the last's. `points`: one for each row, in order. One half of
// Andrew's monotone chain (1979).
std::vector<double> HullSide(const std::vector<Point>& points, int sign) {
  std::vector<Point> chain;
  for (const Point& p : points) {
    while (chain.size() > 1 &&
           sign * Turn(chain[chain.size() - 2], chain.back(), p) >= 0) {
      chain.pop_back();
    }
    chain.push_back(p);
  }
  std::vector<double> columns = {static_cast<double>(chain[0].column)};
  for (size_t i = 1; i < chain.size(); ++i) {
    const Point &a = chain[i - 1], &b = chain[i];
    for (int row = a.row + 1; row <= b.row; ++row) {
      columns.push_back(a.column + static_cast<double>(b.column - a.column) *
                                       (row - a.row) / (b.row - a.row));
    }
  }
  return columns;
}

void FillHull(BinaryMask& mask) {
  std::vector<Point> lefts, rights;
  for (int row = 0; row < mask.rows; ++row) {
    const auto begin = mask.pixels.begin() + IndexOf(mask, row, 0);
    const auto end = begin + mask.columns;
    const auto first = std::find(begin, end, 1);
    if (first == end) continue;
    auto last = end - 1;
    while (*last == 0) --last;
    lefts.push_back({row, static_cast<int>(first - begin)});
    rights.push_back({row, static_cast<int>(last - begin)});
  }
  if (lefts.empty()) return;
  const std::vector<double> left = HullSide(lefts, 1);
  const std::vector<double> right = HullSide(rights, -1);
  for (size_t i = 0; i < left.size(); ++i) {
    const int row = lefts[0].row + static_cast<int>(i);
    const int from = static_cast<int>(std::ceil(left[i] - 1e-9));
    const int to = static_cast<int>(std::floor(right[i] + 1e-9));
    for (int c = from; c <= to; ++c) mask.pixels[IndexOf(mask, row, c)] = 1;
  }
}

BinaryMask LungHulls(const BinaryMask& mask) {
  std::array<BinaryMask, 2> lungs = SplitLungs(mask);
  for (BinaryMask& lung : lungs) FillHull(lung);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    lungs[0].pixels[i] |= lungs[1].pixels[i];
  }
  return std::move(lungs[0]);
}

// Dilates by a disc: sets a run of pixels for each of the disc's rows.
BinaryMask Dilate(const BinaryMask& mask, int radius) {
  BinaryMask out = EmptyLike(mask);
  for (int dy = -radius; dy <= radius; ++dy) {
    const int reach = static_cast<int>(
        std::sqrt(static_cast<double>(radius) * radius - dy * dy));
    for (int row = 0; row < mask.rows; ++row) {
      const int to = row + dy;
      if (to < 0 || to >= mask.rows) continue;
      int filled = 0;  // columns before it are set
      for (int c = 0; c < mask.columns; ++c) {
        if (mask.pixels[IndexOf(mask, row, c)] == 0) continue;
        const int end = std::min(c + reach + 1, mask.columns);
        for (int x = std::max(filled, c - reach); x < end; ++x) {
          out.pixels[IndexOf(mask, to, x)] = 1;
        }
        filled = std::max(filled, end);
      }
    }
  }
  return out;
}

// Returns the column where a mask in one piece is cut, or -1: it is one lung.
int CutOf(const BinaryMask& mask, const Region& region) {
  std::vector<int> counts(mask.columns);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    counts[i % mask.columns] += mask.pixels[i];
  }
  const int width = region.right - region.left + 1;
  const int from = region.left + width / 3;
  const int to = std::max(from + 1, region.right + 1 - width / 3);
  const auto least =
      std::min_element(counts.begin() + from, counts.begin() + to);
  const int left = *std::max_element(counts.begin() + region.left, least + 1);
  const int right = *std::max_element(least, counts.begin() + region.right + 1);
  if (*least * 2 > std::min(left, right)) return -1;
  const auto end = std::find_if(least, counts.begin() + to,
                                [&](int count) { return count != *least; });
  return static_cast<int>((least + (end - least) / 2) - counts.begin());
}

}  // namespace

BinaryMask ToBinaryMask(const GrayImage& mask) {
  BinaryMask out{mask.rows, mask.columns, {}};
  out.pixels.reserve(mask.pixels.size());
  for (float v : mask.pixels) out.pixels.push_back(v > 0.5f ? 1 : 0);
  return out;
}

RegionMap FindRegions(const BinaryMask& mask, uint8_t value,
                      Neighbours neighbours) {
  RegionMap map;
  map.labels.assign(mask.pixels.size(), -1);
  std::vector<size_t> pending;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (mask.pixels[i] != value || map.labels[i] >= 0) continue;
    map.regions.push_back(Flood(mask, i, static_cast<int>(map.regions.size()),
                                neighbours == Neighbours::kEight, map.labels,
                                pending));
  }
  return map;
}

BinaryMask CleanLungMask(const BinaryMask& mask,
                         const LungMaskOptions& options) {
  BinaryMask out = mask;
  DropIslands(out, options.min_island_share);
  if (options.fill_holes) FillHoles(out);
  if (options.convex_hull) out = LungHulls(out);
  const int radius = static_cast<int>(
      std::lround(options.dilation_share * std::max(mask.rows, mask.columns)));
  return radius > 0 ? Dilate(out, radius) : out;
}

std::array<BinaryMask, 2> SplitLungs(const BinaryMask& mask) {
  std::array<BinaryMask, 2> lungs = {EmptyLike(mask), EmptyLike(mask)};
  const RegionMap map = FindRegions(mask, 1, Neighbours::kEight);
  if (map.regions.empty()) return lungs;
  if (map.regions.size() == 1) {
    const int cut = CutOf(mask, map.regions[0]);
    for (size_t i = 0; i < mask.pixels.size(); ++i) {
      const int column = static_cast<int>(i % mask.columns);
      lungs[cut >= 0 && column >= cut].pixels[i] = mask.pixels[i];
    }
    return lungs;
  }
  // The two largest are the lungs; others join the nearer one.
  std::vector<size_t> order(map.regions.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return map.regions[a].area > map.regions[b].area;
  });
  double left = map.regions[order[0]].column;
  double right = map.regions[order[1]].column;
  if (left > right) std::swap(left, right);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (map.labels[i] < 0) continue;
    const double column = map.regions[map.labels[i]].column;
    lungs[column - left > right - column].pixels[i] = 1;
  }
  return lungs;
}

BinaryMask MaskInProportions(const BinaryMask& mask, int rows, int columns,
                             int side) {
  const double scale = static_cast<double>(side) / std::max(rows, columns);
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(length * scale)));
  };
  BinaryMask out{scaled(rows), scaled(columns), {}};
  for (int r = 0; r < out.rows; ++r) {
    const auto from = static_cast<size_t>((r + 0.5) * mask.rows / out.rows);
    for (int c = 0; c < out.columns; ++c) {
      const auto column =
          static_cast<size_t>((c + 0.5) * mask.columns / out.columns);
      out.pixels.push_back(mask.pixels[from * mask.columns + column]);
    }
  }
  return out;
}

}  // namespace hilum
