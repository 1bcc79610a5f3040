// SPDX-License-Identifier: Apache-2.0
// From stored values to the grays of a display (PS3.3 C.11, PS3.4 N.2):
// Modality LUT, then VOI LUT, then presentation.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_GRAY_PIPELINE_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_GRAY_PIPELINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/dicom_elements.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"

namespace hilum {

// A lookup table (PS3.3 C.11.1.1): entries[i] for the input first + i; inputs
// below and above give the first and the last entry.
struct LookupTable {
  int first = 0;
  int bits = 0;  // entries are below 2^bits
  std::vector<uint16_t> entries;

  // `input` is rounded to the nearest integer, halves upward.
  uint16_t At(double input) const;
};

enum class WindowFunction { kLinear, kLinearExact, kSigmoid };

// PS3.3 C.11.2.1.2 and C.11.2.1.3, with 0 and 1 for its y_min and y_max.
struct Window {
  double center = 0;
  double width = 1;  // at least 1 for kLinear, above 0 else
  WindowFunction function = WindowFunction::kLinear;

  double At(double input) const;  // in [0, 1]
};

// A values-of-interest transformation: the table where there is one, else the
// window.
struct VoiTransform {
  std::optional<LookupTable> table;
  Window window;
};

struct GrayRules {
  // Modality: the table where there is one, else value * slope + intercept.
  std::optional<LookupTable> modality_table;
  double slope = 1;
  double intercept = 0;
  // The file's usable ones: tables, then windows, each in the file's order. The
  // first counts. With none the least and the largest value that can be stored
  // become 0 and 1.
  std::vector<VoiTransform> voi;
  // For people: what of the file is not used, and what is done instead.
  std::vector<std::string> notes;
  bool inverted = false;  // MONOCHROME1: the least value is white
  // Stored values that are no picture, both ends included: black.
  std::optional<int> padding_from;
  int padding_to = 0;
};

// A VOI LUT or window against its definition is left out and noted.
// INVALID_ARGUMENT: a modality LUT against its definition, a slope of 0, a
// presentation LUT shape against the photometric interpretation.
absl::StatusOr<GrayRules> ReadGrayRules(const DicomElements& elements,
                                        const PixelFormat& format);

// The grays, in [0, 1], of all values that format.bits_stored <= 16 bits can
// have: [2^bits_stored], indexed by the bits as they are stored, so negative
// values come behind.
std::vector<float> GrayTable(const GrayRules& rules, const PixelFormat& format);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_GRAY_PIPELINE_H_
