// SPDX-License-Identifier: Apache-2.0
// The elements of a DICOM data set that imaging needs.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_ELEMENTS_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_ELEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// E.g. 0x00280010 for (0028,0010).
using DicomTag = uint32_t;

inline constexpr DicomTag kPixelDataTag = 0x7fe00010;

// The encoding of elements (PS3.5 section 7 and annex A).
struct DicomEncoding {
  bool explicit_vr = true;
  bool big_endian = false;
};

struct DicomElement {
  std::string vr;  // empty: implicit, see the dictionary
  absl::string_view value;
  // Encapsulated pixel data (PS3.5 A.4): `items` starts with the offset table.
  bool encapsulated = false;
  std::vector<absl::string_view> items;
};

// One level of a data set (PS3.5 section 7): elements by tag, over bytes that
// belong to the caller and outlive it. Skips nested items unread until Items is
// called, so that patients' names inside are never read. Reads up to the pixel
// data and not past it. Bounded for all input: at most kMaxDicomElements
// elements a level and kMaxDicomDepth levels; copies no value.
class DicomElements {
 public:
  // Parses a level. INVALID_ARGUMENT: truncated, a length beyond the bytes, a
  // tag twice with two values (for a private tag the first counts), or no
  // elements at all. RESOURCE_EXHAUSTED: over a limit.
  static absl::StatusOr<DicomElements> Parse(absl::string_view bytes,
                                             DicomEncoding encoding);

  // Reads only one group and stores in `end` where it ends.
  static absl::StatusOr<DicomElements> ParseGroup(absl::string_view bytes,
                                                  DicomEncoding encoding,
                                                  uint16_t group, size_t& end);

  // Returns null if there is none.
  const DicomElement* Find(DicomTag tag) const;

  // Returns the value without spaces and NULs at its ends; empty if there is
  // none.
  std::string Text(DicomTag tag) const;
  // Returns the values between backslashes, each trimmed; empty if there is
  // none.
  std::vector<std::string> Texts(DicomTag tag) const;
  // Reads a US, also if its VR is given as UN. nullopt: none.
  std::optional<uint16_t> Uint16(DicomTag tag) const;
  std::vector<uint16_t> Uint16s(DicomTag tag) const;
  // Reads a DS or IS. Empty if there is none. INVALID_ARGUMENT: not finite
  // numbers.
  absl::StatusOr<std::vector<double>> Numbers(DicomTag tag) const;
  // Returns a sequence's items; empty if there is none. Errors as Parse.
  absl::StatusOr<std::vector<DicomElements>> Items(DicomTag tag) const;

  bool big_endian() const { return encoding_.big_endian; }

 private:
  DicomEncoding encoding_;
  std::map<DicomTag, DicomElement> elements_;
};

inline constexpr size_t kMaxDicomElements = 1 << 16;
inline constexpr int kMaxDicomDepth = 32;

// Returns e.g. "(0028,0010)".
std::string TagName(DicomTag tag);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_ELEMENTS_H_
