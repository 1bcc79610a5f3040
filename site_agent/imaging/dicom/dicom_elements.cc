// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_elements.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/dicom_reader.h"

namespace hilum {
namespace {

std::string Trimmed(absl::string_view text) {
  const auto is_pad = [](char c) { return c == ' ' || c == '\0'; };
  while (!text.empty() && is_pad(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_pad(text.back())) text.remove_suffix(1);
  return std::string(text);
}

// Returns whether a repeated element changes nothing: it has the same value, or
// it is private (PS3.5 section 7.8) and never read.
bool IsHarmlessRepeat(DicomTag tag, const DicomElement& first,
                      const DicomElement& again) {
  const bool is_private = (tag >> 16) % 2 == 1;
  return is_private || (first.vr == again.vr && first.value == again.value);
}

}  // namespace

std::string TagName(DicomTag tag) {
  return absl::StrFormat("(%04x,%04x)", tag >> 16, tag & 0xffff);
}

absl::StatusOr<DicomElements> DicomElements::Parse(absl::string_view bytes,
                                                   DicomEncoding encoding) {
  DicomElements level;
  level.encoding_ = encoding;
  DicomReader reader(bytes, encoding);
  for (size_t read = 0; !reader.AtEnd(); ++read) {
    HILUM_ASSIGN_OR_RETURN(DicomTag tag, reader.PeekTag());
    // Stops at the pixel data: nothing behind it is used, and some files have
    // padding there.
    if (tag > kPixelDataTag) break;
    DicomElement element;
    HILUM_RETURN_IF_ERROR(reader.ReadElement(tag, element));
    if (read == kMaxDicomElements) {
      return absl::ResourceExhaustedError(
          absl::StrCat("DICOM: more than ", kMaxDicomElements, " elements"));
    }
    const auto found = level.elements_.find(tag);
    if (found == level.elements_.end()) {
      level.elements_.emplace(tag, std::move(element));
    } else if (!IsHarmlessRepeat(tag, found->second, element)) {
      return absl::InvalidArgumentError(
          absl::StrCat("DICOM: element ", TagName(tag),
                       " comes twice with two values; write the file anew"));
    }
    if (tag == kPixelDataTag) break;
  }
  return level;
}

absl::StatusOr<DicomElements> DicomElements::ParseGroup(absl::string_view bytes,
                                                        DicomEncoding encoding,
                                                        uint16_t group,
                                                        size_t& end) {
  DicomElements level;
  level.encoding_ = encoding;
  DicomReader reader(bytes, encoding);
  while (!reader.AtEnd()) {
    HILUM_ASSIGN_OR_RETURN(DicomTag tag, reader.PeekTag());
    if (tag >> 16 != group) break;
    DicomElement element;
    HILUM_RETURN_IF_ERROR(reader.ReadElement(tag, element));
    if (!level.elements_.emplace(tag, std::move(element)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("DICOM: element ", TagName(tag), " comes twice"));
    }
  }
  end = reader.position();
  return level;
}

const DicomElement* DicomElements::Find(DicomTag tag) const {
  auto it = elements_.find(tag);
  return it == elements_.end() ? nullptr : &it->second;
}

std::string DicomElements::Text(DicomTag tag) const {
  const DicomElement* element = Find(tag);
  return element == nullptr ? "" : Trimmed(element->value);
}

std::vector<std::string> DicomElements::Texts(DicomTag tag) const {
  const std::string text = Text(tag);
  if (text.empty()) return {};
  std::vector<std::string> values;
  for (absl::string_view value : absl::StrSplit(text, '\\')) {
    values.push_back(Trimmed(value));
  }
  return values;
}

std::vector<uint16_t> DicomElements::Uint16s(DicomTag tag) const {
  const DicomElement* element = Find(tag);
  if (element == nullptr) return {};
  // A UN value has not been converted and is always little-endian.
  const bool swapped = encoding_.big_endian && element->vr != "UN";
  std::vector<uint16_t> values(element->value.size() / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto low = static_cast<uint8_t>(element->value[2 * i + swapped]);
    const auto high = static_cast<uint8_t>(element->value[2 * i + !swapped]);
    values[i] = static_cast<uint16_t>(low | high << 8);
  }
  return values;
}

std::optional<uint16_t> DicomElements::Uint16(DicomTag tag) const {
  const DicomElement* element = Find(tag);
  if (element == nullptr || element->value.size() != 2) return std::nullopt;
  return Uint16s(tag)[0];
}

absl::StatusOr<std::vector<double>> DicomElements::Numbers(DicomTag tag) const {
  std::vector<double> numbers;
  for (const std::string& text : Texts(tag)) {
    double number = 0;
    if (!absl::SimpleAtod(text, &number) || !std::isfinite(number)) {
      return absl::InvalidArgumentError(
          absl::StrCat("DICOM: element ", TagName(tag), " is not a number"));
    }
    numbers.push_back(number);
  }
  return numbers;
}

absl::StatusOr<std::vector<DicomElements>> DicomElements::Items(
    DicomTag tag) const {
  std::vector<DicomElements> items;
  const DicomElement* element = Find(tag);
  if (element == nullptr) return items;
  const DicomEncoding encoding =
      element->vr == "UN" ? kUnknownVrEncoding : encoding_;
  DicomReader reader(element->value, encoding);
  while (!reader.AtEnd()) {
    absl::string_view bytes;
    HILUM_ASSIGN_OR_RETURN(bool more, reader.ReadItem(bytes));
    if (!more) break;
    if (items.size() == kMaxDicomItems) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "DICOM: more than ", kMaxDicomItems, " items in ", TagName(tag)));
    }
    HILUM_ASSIGN_OR_RETURN(DicomElements level, Parse(bytes, encoding));
    items.push_back(std::move(level));
  }
  return items;
}

}  // namespace hilum
