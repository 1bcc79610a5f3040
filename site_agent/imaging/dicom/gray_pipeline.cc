// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/gray_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hilum {
namespace {

// Returns the value of the stored bits.
int ValueOf(uint32_t bits, const PixelFormat& format) {
  const uint32_t sign = 1u << (format.bits_stored - 1);
  if (!format.is_signed || (bits & sign) == 0) return static_cast<int>(bits);
  return static_cast<int>(bits) - static_cast<int>(sign << 1);
}

double Modality(const GrayRules& rules, int value) {
  if (rules.modality_table.has_value()) return rules.modality_table->At(value);
  return value * rules.slope + rules.intercept;
}

// Returns the least and the largest value after the modality LUT.
std::pair<double, double> ModalityRange(const GrayRules& rules,
                                        const PixelFormat& format) {
  if (rules.modality_table.has_value()) {
    return {0, (1 << rules.modality_table->bits) - 1};
  }
  const int span = 1 << format.bits_stored;
  const int least = format.is_signed ? -span / 2 : 0;
  const double a = Modality(rules, least);
  const double b = Modality(rules, least + span - 1);
  return {std::min(a, b), std::max(a, b)};
}

}  // namespace

uint16_t LookupTable::At(double input) const {
  const double place = std::floor(input + 0.5) - first;
  const double last = static_cast<double>(entries.size() - 1);
  return entries[static_cast<size_t>(std::clamp(place, 0.0, last))];
}

double Window::At(double x) const {
  switch (function) {
    case WindowFunction::kLinear: {
      // A window of width 1 is a step.
      const double middle = center - 0.5;
      const double reach = (width - 1) / 2;
      if (x <= middle - reach) return 0;
      if (x > middle + reach) return 1;
      return (x - middle) / (width - 1) + 0.5;
    }
    case WindowFunction::kLinearExact:
      if (x <= center - width / 2) return 0;
      if (x > center + width / 2) return 1;
      return (x - center) / width + 0.5;
    case WindowFunction::kSigmoid:
      return 1 / (1 + std::exp(-4 * (x - center) / width));
  }
  return 0;
}

std::vector<float> GrayTable(const GrayRules& rules,
                             const PixelFormat& format) {
  std::vector<float> grays(size_t{1} << format.bits_stored);
  const auto [least, largest] = ModalityRange(rules, format);
  const VoiTransform* voi = rules.voi.empty() ? nullptr : &rules.voi.front();
  const bool by_table = voi != nullptr && voi->table.has_value();
  const double full = by_table ? (1 << voi->table->bits) - 1 : largest - least;
  for (uint32_t bits = 0; bits < grays.size(); ++bits) {
    const int value = ValueOf(bits, format);
    if (rules.padding_from.has_value() && value >= *rules.padding_from &&
        value <= rules.padding_to) {
      continue;
    }
    const double x = Modality(rules, value);
    double gray = 0;
    if (by_table) {
      gray = voi->table->At(x) / full;
    } else if (voi != nullptr) {
      gray = voi->window.At(x);
    } else {
      gray = (x - least) / full;
    }
    gray = std::clamp(gray, 0.0, 1.0);
    grays[bits] = static_cast<float>(rules.inverted ? 1 - gray : gray);
  }
  return grays;
}

}  // namespace hilum
