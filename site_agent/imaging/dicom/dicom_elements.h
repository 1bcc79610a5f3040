// SPDX-License-Identifier: Apache-2.0
// The elements of a DICOM data set, as far as imaging needs them.
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

// (0028,0010) is 0x00280010.
using DicomTag = uint32_t;

inline constexpr DicomTag kPixelDataTag = 0x7fe00010;

// How elements are written (PS3.5 section 7 and annex A).
struct DicomEncoding {
  bool explicit_vr = true;
  bool big_endian = false;
};

struct DicomElement {
  std::string vr;  // empty: implicit, as the dictionary would have it
  absl::string_view value;
  // Encapsulated pixel data (PS3.5 A.4): the items, the offset table first.
  bool encapsulated = false;
  std::vector<absl::string_view> items;
};

// One level of a data set (PS3.5 section 7): elements by tag, over bytes that
// belong to the caller and outlive it. What nests is skipped unread until
// Items asks for it, so that patients' names inside are never looked at. It is
// read up to the pixel data and not past it.
// Bounded whatever the bytes: at most kMaxDicomElements elements a level and
// kMaxDicomDepth levels, and no value is copied.
class DicomElements {
 public:
  // INVALID_ARGUMENT: cut short, a length over what is there, a tag twice with
  // two values (of a private one the first counts), not elements at all.
  // RESOURCE_EXHAUSTED: over a limit.
  static absl::StatusOr<DicomElements> Parse(absl::string_view bytes,
                                             DicomEncoding encoding);

  // Reads one group alone and says in `end` where it stops.
  static absl::StatusOr<DicomElements> ParseGroup(absl::string_view bytes,
                                                  DicomEncoding encoding,
                                                  uint16_t group, size_t& end);

  // Null where there is none.
  const DicomElement* Find(DicomTag tag) const;

  // Without the spaces and NULs at its ends; empty where there is none.
  std::string Text(DicomTag tag) const;
  // Cut at backslashes, each trimmed; empty where there is none.
  std::vector<std::string> Texts(DicomTag tag) const;
  // US, also where its VR is given as UN. nullopt: none.
  std::optional<uint16_t> Uint16(DicomTag tag) const;
  std::vector<uint16_t> Uint16s(DicomTag tag) const;
  // DS and IS. Empty where there is none. INVALID_ARGUMENT: not finite numbers.
  absl::StatusOr<std::vector<double>> Numbers(DicomTag tag) const;
  // A sequence's items. Empty where there is none. Errors as Parse's.
  absl::StatusOr<std::vector<DicomElements>> Items(DicomTag tag) const;

  bool big_endian() const { return encoding_.big_endian; }

 private:
  DicomEncoding encoding_;
  std::map<DicomTag, DicomElement> elements_;
};

inline constexpr size_t kMaxDicomElements = 1 << 16;
inline constexpr int kMaxDicomDepth = 32;

// "(0028,0010)".
std::string TagName(DicomTag tag);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_ELEMENTS_H_
