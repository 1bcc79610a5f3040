// SPDX-License-Identifier: Apache-2.0
// Lung masks: taken apart, tidied, and judged by what lungs look like.
#ifndef HILUM_SITE_AGENT_IMAGING_LUNGS_LUNG_MASK_H_
#define HILUM_SITE_AGENT_IMAGING_LUNGS_LUNG_MASK_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Row-major, each 0 or 1: [rows * columns].
struct BinaryMask {
  int rows = 0;
  int columns = 0;
  std::vector<uint8_t> pixels;
};

// What is > 0.5.
BinaryMask ToBinaryMask(const GrayImage& mask);

// The mask stretched to the proportions rows : columns, the longer side `side`
// pixels, by nearest neighbour. All over 0.
BinaryMask MaskInProportions(const BinaryMask& mask, int rows, int columns,
                             int side);

// Pixels of one value that hang together.
struct Region {
  int area = 0;                                  // pixels
  int top = 0, left = 0, bottom = 0, right = 0;  // both ends included
  double row = 0, column = 0;                    // centroid
  bool at_border = false;                        // of the image
};

struct RegionMap {
  std::vector<Region> regions;  // by their first pixels, row by row
  std::vector<int> labels;      // [rows * columns]; -1: the other value
};

enum class Neighbours { kFour, kEight };

// The regions of `value`, by flooding; takes 4 bytes a pixel.
RegionMap FindRegions(const BinaryMask& mask, uint8_t value,
                      Neighbours neighbours);

struct LungMaskOptions {
  // Regions of less than this share of the image are dropped.
  double min_island_share = 0.01;
  bool fill_holes = true;
  // Then, of each lung: its convex hull, for what opacities took from it.
  bool convex_hull = false;
  // Then: grown by a disc of this share of the image's longer side.
  double dilation_share = 0;
};

// Tidied in the order of the options.
BinaryMask CleanLungMask(const BinaryMask& mask,
                         const LungMaskOptions& options = {});

// The lung at the left of the image, that is the patient's right one, and the
// other. A mask in one piece is cut at the emptiest column of its middle third
// where that has at most half of what both sides have in their fullest; else
// the second is empty. More than two pieces go to the side that they are at.
std::array<BinaryMask, 2> SplitLungs(const BinaryMask& mask);

// What JudgeLungMask goes by. Shares are of the image's pixels, or of its
// sides, unless said otherwise.
struct LungMeasures {
  int lungs = 0;       // 0, 1 or 2, of kMinLungShare or more
  double area = 0;     // of all that is set
  double balance = 0;  // the smaller lung's area over the larger's
  double row = 0;      // centroid of both
  double column = 0;
  double distance = 0;     // between the lungs' centroids, columns
  double tilt = 0;         // row of the right one's less that of the left one's
  double height = 0;       // of the lower lung's bottom less the higher's top
  double slenderness = 0;  // the wider lung's height over its width, in pixels
  double taper = 0;        // set in the upper half of `height` over all
  double apex = 0;         // widest row of the upper quarter over lower half's
  double crown = 0;        // mean set in the upper eighth over the fullest row
  double border = 0;       // of the image's border that is set
  double holes = 0;        // pixels in holes over pixels set
  double islands = 0;      // set in regions of less than kMinLungShare over all
};

inline constexpr double kMinLungShare = 0.01;

// A mask of more than 320 pixels a side is first shrunk to that.
LungMeasures MeasureLungMask(const BinaryMask& mask);

enum class LungMaskFault {
  kNone,
  kNoLung,
  kOneLung,
  kArea,
  kBalance,
  kHoles,
  kIslands,
  kPlace,
  kShape,
  kBorder,
};

// For counts: "no lung", "one lung", "area", ...; kNone: "accepted".
absl::string_view FaultName(LungMaskFault fault);

struct LungMaskVerdict {
  LungMaskFault fault = LungMaskFault::kNone;
  std::string reason;  // with the measure and its range; empty: accepted

  bool accepted() const { return fault == LungMaskFault::kNone; }
};

// Whether the mask can be that of both lungs on a frontal radiograph. The
// ranges are from 942 masks of children and adults (docs/segmentation.md); of
// several faults the first by LungMaskFault counts.
LungMaskVerdict JudgeLungMask(const LungMeasures& measures);
LungMaskVerdict JudgeLungMask(const BinaryMask& mask);

// Whether what the mask leaves out would be accepted: lungs that are written as
// 0, and the rest as 255.
bool LooksInverted(const BinaryMask& mask);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_LUNGS_LUNG_MASK_H_
