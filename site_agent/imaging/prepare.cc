// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/prepare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// Weights of a resize in one direction: output i is the weighted sum of `taps`
// inputs from first[i] on; some of the weights may be 0.
struct Mixes {
  int taps = 1;
  std::vector<int> first;      // [to]
  std::vector<float> weights;  // [to * taps]
};

// Weights of one output: inputs [first, first + weights.size()).
struct Mix {
  int first;
  std::vector<float> weights;
};

Mix MixFor(int i, int from, double step) {
  Mix mix;
  if (step >= 1.0) {  // the mean over [low, high)
    double low = i * step;
    double high = std::min((i + 1) * step, static_cast<double>(from));
    mix.first = static_cast<int>(low);
    for (int j = mix.first; j < from && j < high; ++j) {
      double covered = std::min(high, j + 1.0) - std::max(low, j + 0.0);
      mix.weights.push_back(static_cast<float>(covered / (high - low)));
    }
    return mix;
  }
  // Bilinear between pixel centres.
  double centre = std::clamp((i + 0.5) * step - 0.5, 0.0, from - 1.0);
  mix.first = std::min(static_cast<int>(centre), std::max(0, from - 2));
  float part = static_cast<float>(centre - mix.first);
  mix.weights = {1.0f - part};
  if (from > 1) mix.weights.push_back(part);
  return mix;
}

Mixes MixesFor(int from, int to) {
  std::vector<Mix> each;
  Mixes mixes;
  for (int i = 0; i < to; ++i) {
    each.push_back(MixFor(i, from, static_cast<double>(from) / to));
    mixes.taps = std::max(mixes.taps, static_cast<int>(each[i].weights.size()));
  }
  mixes.first.resize(to);
  mixes.weights.resize(static_cast<size_t>(to) * mixes.taps);
  for (int i = 0; i < to; ++i) {
    // Puts zero weights in front if there are no more inputs behind.
    const int first = std::min(each[i].first, from - mixes.taps);
    mixes.first[i] = first;
    std::copy(each[i].weights.begin(), each[i].weights.end(),
              mixes.weights.begin() + static_cast<size_t>(i) * mixes.taps +
                  (each[i].first - first));
  }
  return mixes;
}

// Maps grays to [0, 1]: `low` becomes black, the upper end white.
struct Range {
  float low = 0;
  float scale = 0;  // 1 / (high - low); 0: all is black

  float operator()(float v) const {
    return std::clamp((v - low) * scale, 0.0f, 1.0f);
  }
};

Range Stretched(const GrayRange& range) {
  return {range.low,
          range.high > range.low ? 1.0f / (range.high - range.low) : 0.0f};
}

uint64_t RankOf(double share, uint64_t count) {
  return static_cast<uint64_t>(share * static_cast<double>(count - 1) + 0.5);
}

void MixAcross(const float* in, const Mixes& mixes, float* out) {
  const size_t columns = mixes.first.size();
  const float* weight = mixes.weights.data();
  if (mixes.taps == 2) {
    for (size_t i = 0; i < columns; ++i, weight += 2) {
      const float* from = in + mixes.first[i];
      out[i] = 0.0f + weight[0] * from[0] + weight[1] * from[1];
    }
    return;
  }
  for (size_t i = 0; i < columns; ++i, weight += mixes.taps) {
    const float* from = in + mixes.first[i];
    float sum = 0;
    for (int k = 0; k < mixes.taps; ++k) sum += weight[k] * from[k];
    out[i] = sum;
  }
}

// `row_of(row, buffer)` returns a row of the image: in the buffer, or in place.
template <typename RowOf>
GrayImage Resize(int from_rows, int from_columns, int rows, int columns,
                 RowOf row_of) {
  const Mixes across = MixesFor(from_columns, columns);
  const Mixes down = MixesFor(from_rows, rows);
  std::vector<float> buffer(from_columns);
  // new[] without initialisation: every value is written below.
  const std::unique_ptr<float[]> wide(
      new float[static_cast<size_t>(from_rows) * columns]);
  for (int row = 0; row < from_rows; ++row) {
    MixAcross(row_of(row, buffer.data()), across,
              wide.get() + static_cast<size_t>(row) * columns);
  }
  GrayImage out{rows, columns, {}};
  out.pixels.resize(static_cast<size_t>(rows) * columns);
  for (int row = 0; row < rows; ++row) {
    float* to = out.pixels.data() + static_cast<size_t>(row) * columns;
    for (int k = 0; k < down.taps; ++k) {
      const float weight =
          down.weights[static_cast<size_t>(row) * down.taps + k];
      const float* from =
          wide.get() + static_cast<size_t>(down.first[row] + k) * columns;
      for (int column = 0; column < columns; ++column) {
        to[column] += weight * from[column];
      }
    }
  }
  return out;
}

absl::Status CheckPixels(const GrayImage& image) {
  if (image.rows > 0 && image.columns > 0 && !image.pixels.empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("image has no pixels");
}

absl::Status NotFinite() {
  return absl::InvalidArgumentError("image has values that are not finite");
}

absl::Status CheckFinite(absl::Span<const float> values) {
  int32_t largest = 0;  // largest bit pattern without its sign
  for (float v : values) {
    int32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    largest = std::max(largest, bits & 0x7fffffff);
  }
  return largest < 0x7f800000 ? absl::OkStatus() : NotFinite();
}

// Returns bits that sort like the values.
uint32_t OrderedBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

float FromOrderedBits(uint32_t bits) {
  bits = bits >> 31 != 0 ? bits & 0x7fffffffu : ~bits;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

using Counts = std::vector<uint32_t>;  // [2^16]

// Returns the bin of the value of rank `rank`, and makes `rank` the rank in it.
uint32_t FindBin(const Counts& counts, uint64_t& rank) {
  uint32_t bin = 0;
  while (rank >= counts[bin]) rank -= counts[bin++];
  return bin;
}

Counts CountUpper(absl::Span<const float> values) {
  // Counts in two tables: equal neighbours would wait for each other's store.
  Counts even(1 << 16), odd(1 << 16);
  size_t i = 0;
  for (; i + 1 < values.size(); i += 2) {
    ++even[OrderedBits(values[i]) >> 16];
    ++odd[OrderedBits(values[i + 1]) >> 16];
  }
  if (i < values.size()) ++even[OrderedBits(values[i]) >> 16];
  for (size_t bin = 0; bin < even.size(); ++bin) even[bin] += odd[bin];
  return even;
}

// Returns the range from the 1st to the 99th percentile, by nearest rank. Finds
// them by the bits of the values: two passes instead of a sort.
// INVALID_ARGUMENT: not finite.
absl::StatusOr<Range> PercentileRange(absl::Span<const float> values) {
  const Counts upper = CountUpper(values);
  for (uint32_t edge = 0; edge < 0x80; ++edge) {
    if (upper[edge] != 0 || upper[0xffff - edge] != 0) return NotFinite();
  }
  uint64_t low_rank = RankOf(0.01, values.size());
  uint64_t high_rank = RankOf(0.99, values.size());
  const uint32_t low_bin = FindBin(upper, low_rank);
  const uint32_t high_bin = FindBin(upper, high_rank);
  Counts in_low(1 << 16), in_high(1 << 16);
  for (float v : values) {
    const uint32_t bits = OrderedBits(v);
    if (bits >> 16 == low_bin) ++in_low[bits & 0xffff];
    if (bits >> 16 == high_bin) ++in_high[bits & 0xffff];
  }
  const float low = FromOrderedBits(low_bin << 16 | FindBin(in_low, low_rank));
  const float high =
      FromOrderedBits(high_bin << 16 | FindBin(in_high, high_rank));
  return Stretched({low, high});
}

SizedPlane ToPlane(const GrayImage& resized) {
  SizedPlane plane{resized.rows, resized.columns, {}};
  plane.pixels.resize(resized.pixels.size());
  for (size_t i = 0; i < plane.pixels.size(); ++i) {
    float v = std::clamp(resized.pixels[i], 0.0f, 1.0f);
    plane.pixels[i] = static_cast<uint16_t>(std::lrint(v * 65535.0f));
  }
  return plane;
}

// Returns the mask's row, or column, for each of the image's.
std::vector<int> Nearest(int mask_size, int image_size) {
  std::vector<int> at(image_size);
  for (int i = 0; i < image_size; ++i) {
    at[i] = static_cast<int>((int64_t{2} * i + 1) * mask_size /
                             (2 * int64_t{image_size}));
  }
  return at;
}

ImageBox WithMargin(ImageBox box, const GrayImage& image) {
  int rows = static_cast<int>(std::lround(0.02 * (box.bottom - box.top)));
  int columns = static_cast<int>(std::lround(0.02 * (box.right - box.left)));
  return {std::max(0, box.top - rows), std::max(0, box.left - columns),
          std::min(image.rows, box.bottom + rows),
          std::min(image.columns, box.right + columns)};
}

// The size to resize an image of rows x columns to.
struct Wanted {
  int rows;
  int columns;
};

Wanted Within(int rows, int columns, int max_side) {
  const int longer = std::max(rows, columns);
  if (longer <= max_side) return {rows, columns};
  auto scaled = [&](int side) {
    return std::max(1,
                    static_cast<int>((int64_t{2} * side * max_side + longer) /
                                     (int64_t{2} * longer)));
  };
  return {scaled(rows), scaled(columns)};
}

using Sizing = absl::FunctionRef<Wanted(int rows, int columns)>;

absl::StatusOr<SizedPlane> Whole(const GrayImage& image, Sizing sizing,
                                 const GrayRange* known) {
  HILUM_RETURN_IF_ERROR(CheckPixels(image));
  Range range;
  if (known != nullptr) {
    range = Stretched(*known);
  } else {
    HILUM_ASSIGN_OR_RETURN(range, PercentileRange(image.pixels));
  }
  const Wanted wanted = sizing(image.rows, image.columns);
  return ToPlane(
      Resize(image.rows, image.columns, wanted.rows, wanted.columns,
             [&](int row, float* buffer) {
               const float* from =
                   &image.pixels[static_cast<size_t>(row) * image.columns];
               for (int i = 0; i < image.columns; ++i)
                 buffer[i] = range(from[i]);
               return buffer;
             }));
}

absl::StatusOr<SizedPlane> Segmented(const GrayImage& image,
                                     const GrayImage& mask, Sizing sizing) {
  HILUM_ASSIGN_OR_RETURN(const ImageBox box, SegmentedBox(image, mask));
  const std::vector<int> mask_row = Nearest(mask.rows, image.rows);
  const std::vector<int> mask_column = Nearest(mask.columns, image.columns);
  auto in_mask = [&](int row, int column) {
    return mask.at(mask_row[row], mask_column[column]) > 0.5f;
  };
  std::vector<float> inside;
  for (int row = box.top; row < box.bottom; ++row) {
    for (int column = box.left; column < box.right; ++column) {
      if (in_mask(row, column)) inside.push_back(image.at(row, column));
    }
  }
  HILUM_ASSIGN_OR_RETURN(const Range range, PercentileRange(inside));
  const int rows = box.bottom - box.top, columns = box.right - box.left;
  const Wanted wanted = sizing(rows, columns);
  return ToPlane(Resize(
      rows, columns, wanted.rows, wanted.columns, [&](int row, float* buffer) {
        for (int i = 0; i < columns; ++i) {
          const int r = box.top + row, c = box.left + i;
          buffer[i] = in_mask(r, c) ? range(image.at(r, c)) : 0.0f;
        }
        return buffer;
      }));
}

// Refuses a mask with the proportions of the image turned by 90 degrees, and
// not the image's own: the file's orientation was applied to the image but not
// to the mask.
absl::Status CheckLies(const GrayImage& mask, const GrayImage& image) {
  const double own = static_cast<double>(mask.rows) / mask.columns;
  const double wanted = static_cast<double>(image.rows) / image.columns;
  constexpr double kAlike = 0.05;
  if (std::abs(own / wanted - 1) <= kAlike ||
      std::abs(own * wanted - 1) > kAlike) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "lung mask lies across its image; draw it on the image as it is shown");
}

}  // namespace

absl::StatusOr<ImageBox> SegmentedBox(const GrayImage& image,
                                      const GrayImage& mask) {
  HILUM_RETURN_IF_ERROR(CheckPixels(image));
  HILUM_RETURN_IF_ERROR(CheckPixels(mask));
  HILUM_RETURN_IF_ERROR(CheckLies(mask, image));
  HILUM_RETURN_IF_ERROR(CheckFinite(image.pixels));
  HILUM_RETURN_IF_ERROR(CheckFinite(mask.pixels));
  const std::vector<int> mask_row = Nearest(mask.rows, image.rows);
  const std::vector<int> mask_column = Nearest(mask.columns, image.columns);
  ImageBox box{image.rows, image.columns, 0, 0};
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      if (mask.at(mask_row[row], mask_column[column]) <= 0.5f) continue;
      box = {std::min(box.top, row), std::min(box.left, column),
             std::max(box.bottom, row + 1), std::max(box.right, column + 1)};
    }
  }
  if (box.bottom == 0) return absl::InvalidArgumentError("lung mask is empty");
  return WithMargin(box, image);
}

GrayImage ResizeImage(const GrayImage& image, int rows, int columns) {
  return Resize(image.rows, image.columns, rows, columns, [&](int row, float*) {
    return &image.pixels[static_cast<size_t>(row) * image.columns];
  });
}

absl::StatusOr<Plane> PrepareWhole(const GrayImage& image, int size) {
  HILUM_ASSIGN_OR_RETURN(SizedPlane plane, Whole(
                                               image,
                                               [&](int, int) {
                                                 return Wanted{size, size};
                                               },
                                               nullptr));
  return std::move(plane.pixels);
}

absl::StatusOr<Plane> PrepareSegmented(const GrayImage& image,
                                       const GrayImage& mask, int size) {
  HILUM_ASSIGN_OR_RETURN(SizedPlane plane,
                         Segmented(image, mask, [&](int, int) {
                           return Wanted{size, size};
                         }));
  return std::move(plane.pixels);
}

GrayRange RangeOfCounts(absl::Span<const float> grays,
                        absl::Span<const uint32_t> counts) {
  std::vector<std::pair<float, uint32_t>> levels;
  uint64_t total = 0;
  for (size_t i = 0; i < grays.size(); ++i) {
    if (counts[i] == 0) continue;
    levels.emplace_back(grays[i], counts[i]);
    total += counts[i];
  }
  std::sort(levels.begin(), levels.end());
  auto at = [&](double share) {
    uint64_t rank = RankOf(share, total);
    size_t level = 0;
    while (rank >= levels[level].second) rank -= levels[level++].second;
    return levels[level].first;
  };
  return {at(0.01), at(0.99)};
}

absl::StatusOr<SizedPlane> PrepareWholeWithin(const GrayImage& image,
                                              int max_side,
                                              const GrayRange* range) {
  return Whole(
      image,
      [&](int rows, int columns) { return Within(rows, columns, max_side); },
      range);
}

absl::StatusOr<SizedPlane> PrepareSegmentedWithin(const GrayImage& image,
                                                  const GrayImage& mask,
                                                  int max_side) {
  return Segmented(image, mask, [&](int rows, int columns) {
    return Within(rows, columns, max_side);
  });
}

GrayImage ResizeGrays(const SizedPlane& plane, int size) {
  return Resize(plane.rows, plane.columns, size, size,
                [&](int row, float* buffer) {
                  const uint16_t* from =
                      &plane.pixels[static_cast<size_t>(row) * plane.columns];
                  for (int i = 0; i < plane.columns; ++i) {
                    buffer[i] = static_cast<float>(from[i]) / 65535.0f;
                  }
                  return buffer;
                });
}

std::string LungBits(const GrayImage& mask, int rows, int columns) {
  const std::vector<int> mask_row = Nearest(mask.rows, rows);
  const std::vector<int> mask_column = Nearest(mask.columns, columns);
  std::string bits((static_cast<size_t>(rows) * columns + 7) / 8, '\0');
  size_t i = 0;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column, ++i) {
      if (mask.at(mask_row[row], mask_column[column]) <= 0.5f) continue;
      bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << i % 8);
    }
  }
  return bits;
}

uint64_t CountBits(absl::string_view bits) {
  uint64_t count = 0;
  for (char c : bits) count += std::popcount(static_cast<uint8_t>(c));
  return count;
}

}  // namespace hilum
