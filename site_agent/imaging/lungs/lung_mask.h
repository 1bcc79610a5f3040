// SPDX-License-Identifier: Apache-2.0
// Cleans lung masks, splits them, and judges whether they look like lungs.
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

// Returns the pixels > 0.5.
BinaryMask ToBinaryMask(const GrayImage& mask);

// Returns the mask stretched to the proportions rows : columns, the longer side
// `side` pixels, by nearest neighbour. All sizes over 0.
BinaryMask MaskInProportions(const BinaryMask& mask, int rows, int columns,
                             int side);

// Connected pixels of one value.
struct Region {
  int area = 0;                                  // pixels
  int top = 0, left = 0, bottom = 0, right = 0;  // both ends included
  double row = 0, column = 0;                    // centroid
  bool at_border = false;                        // touches the image's border
};

struct RegionMap {
  std::vector<Region> regions;  // by their first pixels, row by row
  std::vector<int> labels;      // [rows * columns]; -1: the other value
};

enum class Neighbours { kFour, kEight };

// Finds the regions of `value` by flood fill; takes 4 bytes a pixel.
RegionMap FindRegions(const BinaryMask& mask, uint8_t value,
                      Neighbours neighbours);

struct LungMaskOptions {
  // Drops regions of less than this share of the image.
  double min_island_share = 0.01;
  bool fill_holes = true;
  // Then fills each lung's convex hull, to restore parts lost to opacities.
  bool convex_hull = false;
  // Then dilates by a disc of this share of the image's longer side.
  double dilation_share = 0;
};

// Applies the options in their order.
BinaryMask CleanLungMask(const BinaryMask& mask,
                         const LungMaskOptions& options = {});

// Returns the lung at the left of the image, which is the patient's right lung,
// and the other. A mask in one piece is cut at the emptiest column of its
// middle third, if that has at most half as many pixels as the fullest column
// on each side; else the second lung is empty. If there are more than two
// pieces, each joins the nearer lung.
std::array<BinaryMask, 2> SplitLungs(const BinaryMask& mask);

// The measures for JudgeLungMask. Shares are of the image's pixels, or of its
// sides, unless stated otherwise.
struct LungMeasures {
  int lungs = 0;       // 0, 1 or 2, of kMinLungShare or more
  double area = 0;     // all set pixels
  double balance = 0;  // the smaller lung's area over the larger's
  double row = 0;      // centroid of both
  double column = 0;
  double distance = 0;  // between the lungs' centroids, columns
  double tilt = 0;      // row of the right lung's centroid less the left one's
  double height = 0;    // lower lung's bottom less the higher lung's top
  double slenderness = 0;  // the wider lung's height over its width, in pixels
  double taper = 0;        // set in the upper half of `height` over all
  double apex = 0;         // widest row of the upper quarter over lower half's
  double crown = 0;        // mean set in the upper eighth over the fullest row
  double border = 0;       // share of the image's border that is set
  double holes = 0;        // pixels in holes over pixels set
  double islands = 0;      // set in regions of less than kMinLungShare over all
};

inline constexpr double kMinLungShare = 0.01;

// Shrinks a mask of more than 320 pixels a side to 320 first.
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

// Returns the name for counts: "no lung", "one lung", "area", ...; kNone:
// "accepted".
absl::string_view FaultName(LungMaskFault fault);

struct LungMaskVerdict {
  LungMaskFault fault = LungMaskFault::kNone;
  std::string reason;  // with the measure and its range; empty: accepted

  bool accepted() const { return fault == LungMaskFault::kNone; }
};

// Returns whether the mask can be of both lungs on a frontal radiograph. The
// ranges are from 942 masks of children and adults (docs/segmentation.md).
// Reports the first of several faults in the order of LungMaskFault.
LungMaskVerdict JudgeLungMask(const LungMeasures& measures);
LungMaskVerdict JudgeLungMask(const BinaryMask& mask);

// Returns whether the inverted mask would be accepted: lungs are 0 and the rest
// is 255.
bool LooksInverted(const BinaryMask& mask);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_LUNGS_LUNG_MASK_H_
