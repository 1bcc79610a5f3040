// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/prepare.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// How one output sample is mixed from input samples [first, first + n).
struct Mix {
  int first;
  std::vector<float> weights;
};

std::vector<Mix> MixesFor(int from, int to) {
  std::vector<Mix> mixes(to);
  double step = static_cast<double>(from) / to;
  for (int i = 0; i < to; ++i) {
    Mix& mix = mixes[i];
    if (step >= 1.0) {  // the mean over [low, high)
      double low = i * step;
      double high = std::min((i + 1) * step, static_cast<double>(from));
      mix.first = static_cast<int>(low);
      for (int j = mix.first; j < from && j < high; ++j) {
        double covered = std::min(high, j + 1.0) - std::max(low, j + 0.0);
        mix.weights.push_back(static_cast<float>(covered / (high - low)));
      }
    } else {  // bilinear between pixel centres
      double centre = std::clamp((i + 0.5) * step - 0.5, 0.0, from - 1.0);
      mix.first = std::min(static_cast<int>(centre), std::max(0, from - 2));
      float part = static_cast<float>(centre - mix.first);
      mix.weights = {1.0f - part};
      if (from > 1) mix.weights.push_back(part);
    }
  }
  return mixes;
}

absl::Status CheckImage(const GrayImage& image) {
  if (image.rows <= 0 || image.columns <= 0 || image.pixels.empty()) {
    return absl::InvalidArgumentError("image has no pixels");
  }
  for (float v : image.pixels) {
    if (!std::isfinite(v)) {
      return absl::InvalidArgumentError("image has values that are not finite");
    }
  }
  return absl::OkStatus();
}

// 1st and 99th percentile, by nearest rank.
std::pair<float, float> Percentiles(std::vector<float> values) {
  auto rank = [&](double share) {
    size_t k = static_cast<size_t>(share * (values.size() - 1) + 0.5);
    std::nth_element(values.begin(), values.begin() + k, values.end());
    return values[k];
  };
  float low = rank(0.01);
  return {low, rank(0.99)};
}

void Stretch(GrayImage& image, std::pair<float, float> range) {
  auto [low, high] = range;
  float scale = high > low ? 1.0f / (high - low) : 0.0f;
  for (float& v : image.pixels) {
    v = std::clamp((v - low) * scale, 0.0f, 1.0f);
  }
}

Plane ToPlane(const GrayImage& image, int size) {
  GrayImage resized = ResizeImage(image, size, size);
  Plane plane(resized.pixels.size());
  for (size_t i = 0; i < plane.size(); ++i) {
    float v = std::clamp(resized.pixels[i], 0.0f, 1.0f);
    plane[i] = static_cast<uint16_t>(std::lrint(v * 65535.0f));
  }
  return plane;
}

// The mask at (row, column) of an image of this size.
bool InMask(const GrayImage& mask, const GrayImage& image, int row,
            int column) {
  int r =
      static_cast<int>((int64_t{2} * row + 1) * mask.rows / (2 * image.rows));
  int c = static_cast<int>((int64_t{2} * column + 1) * mask.columns /
                           (2 * image.columns));
  return mask.at(r, c) > 0.5f;
}

// 1 in the mask and 0 outside it, at the image's size.
GrayImage FittedMask(const GrayImage& mask, const GrayImage& image) {
  GrayImage fitted{image.rows, image.columns, {}};
  fitted.pixels.reserve(image.pixels.size());
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      fitted.pixels.push_back(InMask(mask, image, row, column) ? 1.0f : 0.0f);
    }
  }
  return fitted;
}

GrayImage Crop(const GrayImage& image, const ImageBox& box) {
  GrayImage out{box.bottom - box.top, box.right - box.left, {}};
  out.pixels.reserve(static_cast<size_t>(out.rows) * out.columns);
  for (int row = box.top; row < box.bottom; ++row) {
    auto start =
        image.pixels.begin() + static_cast<size_t>(row) * image.columns;
    out.pixels.insert(out.pixels.end(), start + box.left, start + box.right);
  }
  return out;
}

ImageBox WithMargin(ImageBox box, const GrayImage& image) {
  int rows = static_cast<int>(std::lround(0.02 * (box.bottom - box.top)));
  int columns = static_cast<int>(std::lround(0.02 * (box.right - box.left)));
  return {std::max(0, box.top - rows), std::max(0, box.left - columns),
          std::min(image.rows, box.bottom + rows),
          std::min(image.columns, box.right + columns)};
}

}  // namespace

GrayImage ResizeImage(const GrayImage& image, int rows, int columns) {
  std::vector<Mix> across = MixesFor(image.columns, columns);
  std::vector<Mix> down = MixesFor(image.rows, rows);
  GrayImage wide{image.rows, columns, {}};
  wide.pixels.resize(static_cast<size_t>(image.rows) * columns);
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const Mix& mix = across[column];
      float sum = 0;
      for (size_t k = 0; k < mix.weights.size(); ++k) {
        sum += mix.weights[k] * image.at(row, mix.first + static_cast<int>(k));
      }
      wide.at(row, column) = sum;
    }
  }
  GrayImage out{rows, columns, {}};
  out.pixels.resize(static_cast<size_t>(rows) * columns);
  for (int row = 0; row < rows; ++row) {
    const Mix& mix = down[row];
    for (size_t k = 0; k < mix.weights.size(); ++k) {
      for (int column = 0; column < columns; ++column) {
        out.at(row, column) +=
            mix.weights[k] * wide.at(mix.first + static_cast<int>(k), column);
      }
    }
  }
  return out;
}

absl::StatusOr<Plane> PrepareWhole(const GrayImage& image, int size) {
  HILUM_RETURN_IF_ERROR(CheckImage(image));
  GrayImage stretched = image;
  Stretch(stretched, Percentiles(image.pixels));
  return ToPlane(stretched, size);
}

absl::StatusOr<Plane> PrepareSegmented(const GrayImage& image,
                                       const GrayImage& mask, int size) {
  HILUM_ASSIGN_OR_RETURN(ImageBox box, SegmentedBox(image, mask));
  std::vector<float> inside;
  GrayImage lungs = image;
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      if (InMask(mask, image, row, column)) {
        inside.push_back(image.at(row, column));
      }
    }
  }
  Stretch(lungs, Percentiles(std::move(inside)));
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      if (!InMask(mask, image, row, column)) lungs.at(row, column) = 0.0f;
    }
  }
  return ToPlane(Crop(lungs, box), size);
}

absl::StatusOr<ImageBox> SegmentedBox(const GrayImage& image,
                                      const GrayImage& mask) {
  HILUM_RETURN_IF_ERROR(CheckImage(image));
  HILUM_RETURN_IF_ERROR(CheckImage(mask));
  ImageBox box{image.rows, image.columns, 0, 0};
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      if (!InMask(mask, image, row, column)) continue;
      box = {std::min(box.top, row), std::min(box.left, column),
             std::max(box.bottom, row + 1), std::max(box.right, column + 1)};
    }
  }
  if (box.bottom == 0) return absl::InvalidArgumentError("lung mask is empty");
  return WithMargin(box, image);
}

absl::StatusOr<std::vector<float>> PrepareWholeMask(const GrayImage& image,
                                                    const GrayImage& mask,
                                                    int size) {
  HILUM_RETURN_IF_ERROR(SegmentedBox(image, mask).status());
  return ResizeImage(FittedMask(mask, image), size, size).pixels;
}

absl::StatusOr<std::vector<float>> PrepareSegmentedMask(const GrayImage& image,
                                                        const GrayImage& mask,
                                                        int size) {
  HILUM_ASSIGN_OR_RETURN(ImageBox box, SegmentedBox(image, mask));
  return ResizeImage(Crop(FittedMask(mask, image), box), size, size).pixels;
}

}  // namespace hilum
