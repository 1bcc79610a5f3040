// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/gray_pipeline.h"

namespace hilum {
namespace {

constexpr DicomTag kPadding = 0x00280120;
constexpr DicomTag kPaddingLimit = 0x00280121;
constexpr DicomTag kWindowCenter = 0x00281050;
constexpr DicomTag kWindowWidth = 0x00281051;
constexpr DicomTag kIntercept = 0x00281052;
constexpr DicomTag kSlope = 0x00281053;
constexpr DicomTag kWindowFunction = 0x00281056;
constexpr DicomTag kModalityTables = 0x00283000;
constexpr DicomTag kTableDescriptor = 0x00283002;
constexpr DicomTag kTableData = 0x00283006;
constexpr DicomTag kVoiTables = 0x00283010;
constexpr DicomTag kPresentationShape = 0x20500020;

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("DICOM: ", what));
}

// Reads entries: words, or bytes if the data has exactly that length (PS3.3
// C.11.1.1.1).
absl::StatusOr<std::vector<uint16_t>> ReadEntries(const DicomElements& item,
                                                  size_t count) {
  const DicomElement* data = item.Find(kTableData);
  if (data == nullptr) return Wrong("a lookup table without data");
  if (data->value.size() == 2 * count) return item.Uint16s(kTableData);
  if (data->value.size() != count + count % 2) {
    return Wrong("a lookup table of another length than it says");
  }
  std::vector<uint16_t> entries = item.Uint16s(kTableData);
  std::vector<uint16_t> bytes(count);
  for (size_t i = 0; i < count; ++i) {
    bytes[i] = i % 2 == 0 ? entries[i / 2] & 0xff : entries[i / 2] >> 8;
  }
  return bytes;
}

absl::StatusOr<LookupTable> ReadTable(const DicomElements& item,
                                      bool signed_input) {
  const std::vector<uint16_t> descriptor = item.Uint16s(kTableDescriptor);
  if (descriptor.size() != 3) {
    return Wrong("a lookup table without a descriptor of three values");
  }
  LookupTable table;
  table.first =
      signed_input ? static_cast<int16_t>(descriptor[1]) : descriptor[1];
  table.bits = descriptor[2];
  if (table.bits < 8 || table.bits > 16) {
    return Wrong("a lookup table of other than 8 to 16 bits");
  }
  // 0 means 2^16, which does not fit the field.
  const size_t count = descriptor[0] == 0 ? 1 << 16 : descriptor[0];
  HILUM_ASSIGN_OR_RETURN(table.entries, ReadEntries(item, count));
  const uint16_t largest =
      *std::max_element(table.entries.begin(), table.entries.end());
  if (largest >> table.bits != 0) {
    return Wrong("a lookup table with entries over its own bits");
  }
  return table;
}

absl::Status ReadModality(const DicomElements& elements,
                          const PixelFormat& format, GrayRules& rules) {
  HILUM_ASSIGN_OR_RETURN(std::vector<DicomElements> tables,
                         elements.Items(kModalityTables));
  if (!tables.empty()) {
    HILUM_ASSIGN_OR_RETURN(rules.modality_table,
                           ReadTable(tables[0], format.is_signed));
  }
  HILUM_ASSIGN_OR_RETURN(std::vector<double> slope, elements.Numbers(kSlope));
  HILUM_ASSIGN_OR_RETURN(std::vector<double> intercept,
                         elements.Numbers(kIntercept));
  if (!slope.empty()) rules.slope = slope[0];
  if (!intercept.empty()) rules.intercept = intercept[0];
  // Bounded, so that two stored values always stay different.
  constexpr double kLargest = 1e9;
  constexpr double kLeastSlope = 1e-6;
  if (std::abs(rules.slope) < kLeastSlope || std::abs(rules.slope) > kLargest ||
      std::abs(rules.intercept) > kLargest) {
    return Wrong("a rescale slope or intercept that means nothing");
  }
  return absl::OkStatus();
}

std::optional<WindowFunction> ReadFunction(const DicomElements& elements) {
  const std::string name = elements.Text(kWindowFunction);
  if (name.empty() || name == "LINEAR") return WindowFunction::kLinear;
  if (name == "LINEAR_EXACT") return WindowFunction::kLinearExact;
  if (name == "SIGMOID") return WindowFunction::kSigmoid;
  return std::nullopt;
}

void AddTables(const DicomElements& elements, const PixelFormat& format,
               GrayRules& rules) {
  // The table's input is signed if its values may be negative.
  const bool signed_input =
      !rules.modality_table.has_value() &&
      (format.is_signed || rules.intercept < 0 || rules.slope < 0);
  const auto items = elements.Items(kVoiTables);
  if (!items.ok()) {
    rules.notes.push_back("the VOI LUT sequence cannot be read");
    return;
  }
  for (size_t i = 0; i < items->size(); ++i) {
    absl::StatusOr<LookupTable> table = ReadTable((*items)[i], signed_input);
    if (table.ok()) {
      rules.voi.push_back({.table = *std::move(table)});
    } else {
      rules.notes.push_back(absl::StrCat(
          "VOI LUT ", i + 1, " is not used: ", table.status().message()));
    }
  }
}

// Reads a DS number (PS3.5 section 6.2). nullopt: none, not finite, or with a
// comma, which may separate thousands.
std::optional<double> ReadNumber(const std::vector<std::string>& texts,
                                 size_t i) {
  double number = 0;
  if (i >= texts.size() || !absl::SimpleAtod(texts[i], &number) ||
      !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

void AddWindows(const DicomElements& elements, GrayRules& rules) {
  const std::vector<std::string> centers = elements.Texts(kWindowCenter);
  const std::vector<std::string> widths = elements.Texts(kWindowWidth);
  const std::optional<WindowFunction> function = ReadFunction(elements);
  const size_t count = std::max(centers.size(), widths.size());
  for (size_t i = 0; i < count; ++i) {
    const std::optional<double> center = ReadNumber(centers, i);
    const std::optional<double> width = ReadNumber(widths, i);
    const char* fault = nullptr;
    if (!function.has_value()) {
      fault = "its function is none of the standard's";
    } else if (!center.has_value() || !width.has_value()) {
      fault = "its center or width is not a number";
    } else if (*width <= 0 ||
               (*width < 1 && *function == WindowFunction::kLinear)) {
      fault = "it has no width";
    }
    if (fault == nullptr) {
      rules.voi.push_back(
          {.table = std::nullopt, .window = {*center, *width, *function}});
    } else {
      rules.notes.push_back(
          absl::StrCat("window ", i + 1, " is not used: ", fault));
    }
  }
}

int Padding(uint16_t bits, const PixelFormat& format) {
  return format.is_signed ? static_cast<int16_t>(bits) : bits;
}

void ReadPadding(const DicomElements& elements, const PixelFormat& format,
                 GrayRules& rules) {
  const std::optional<uint16_t> value = elements.Uint16(kPadding);
  if (!value.has_value()) return;
  const int from = Padding(*value, format);
  const int to =
      Padding(elements.Uint16(kPaddingLimit).value_or(*value), format);
  rules.padding_from = std::min(from, to);
  rules.padding_to = std::max(from, to);
}

}  // namespace

absl::StatusOr<GrayRules> ReadGrayRules(const DicomElements& elements,
                                        const PixelFormat& format) {
  GrayRules rules;
  HILUM_RETURN_IF_ERROR(ReadModality(elements, format, rules));
  AddTables(elements, format, rules);
  AddWindows(elements, rules);
  ReadPadding(elements, format, rules);
  rules.inverted = format.photometric == "MONOCHROME1";
  // Both elements say which value is black (PS3.3 C.11.6.1.2); if they
  // contradict each other, choosing one would be a guess.
  const std::string shape = elements.Text(kPresentationShape);
  if (!shape.empty() && (shape == "INVERSE") != rules.inverted) {
    return Wrong(
        absl::StrCat("presentation LUT shape ",
                     shape == "INVERSE" ? "INVERSE" : "other than INVERSE",
                     " with ", format.photometric));
  }
  return rules;
}

}  // namespace hilum
