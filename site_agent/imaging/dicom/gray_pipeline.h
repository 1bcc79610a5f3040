// SPDX-License-Identifier: Apache-2.0
// Maps stored values to the grays of a display (PS3.3 C.11, PS3.4 N.2):
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

// PS3.3 C.11.2.1.2 and C.11.2.1.3, with y_min 0 and y_max 1.
struct Window {
  double center = 0;
  double width = 1;  // at least 1 for kLinear, else above 0
  WindowFunction function = WindowFunction::kLinear;

  double At(double input) const;  // returns [0, 1]
};

// A values-of-interest transformation: the table if there is one, else the
// window.
struct VoiTransform {
  std::optional<LookupTable> table;
  Window window;
};

struct GrayRules {
  // Modality: the table if there is one, else value * slope + intercept.
  std::optional<LookupTable> modality_table;
  double slope = 1;
  double intercept = 0;
  // The file's usable transformations: tables, then windows, each in the file's
  // order. The first counts. If there is none, the least storable value becomes
  // 0 and the largest 1.
  std::vector<VoiTransform> voi;
  // For people: what in the file is not used, and what is done instead.
  std::vector<std::string> notes;
  bool inverted = false;  // MONOCHROME1: the least value is white
  // Range of stored values that are padding, both ends included: shown black.
  std::optional<int> padding_from;
  int padding_to = 0;
};

// Leaves out and notes a VOI LUT or window that violates its definition.
// INVALID_ARGUMENT: a modality LUT that violates its definition, a slope of 0,
// a presentation LUT shape that contradicts the photometric interpretation.
absl::StatusOr<GrayRules> ReadGrayRules(const DicomElements& elements,
                                        const PixelFormat& format);

// Returns the grays, in [0, 1], of all values of format.bits_stored <= 16 bits:
// [2^bits_stored], indexed by the stored bits, so that negative values come
// last.
std::vector<float> GrayTable(const GrayRules& rules, const PixelFormat& format);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_GRAY_PIPELINE_H_
