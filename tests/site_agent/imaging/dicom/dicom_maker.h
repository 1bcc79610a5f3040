// SPDX-License-Identifier: Apache-2.0
// Makes DICOM files for tests, element by element, explicit little-endian.
#ifndef HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_DICOM_MAKER_H_
#define HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_DICOM_MAKER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_elements.h"

namespace hilum {

// Writes elements in the order of their tags; setting one again replaces it.
// Does not check values: tests need wrong ones.
class DicomMaker {
 public:
  DicomMaker& Text(DicomTag tag, absl::string_view vr, absl::string_view text);
  DicomMaker& Words(DicomTag tag, absl::string_view vr,
                    const std::vector<int>& words);
  DicomMaker& Bytes(DicomTag tag, absl::string_view vr, std::string bytes);
  DicomMaker& Items(DicomTag tag, const std::vector<DicomMaker>& items);
  DicomMaker& Fragments(const std::vector<std::string>& fragments);
  DicomMaker& Remove(DicomTag tag);

  std::string DataSet() const;
  // Returns the file with preamble and header.
  std::string File(absl::string_view syntax = "1.2.840.10008.1.2.1") const;

 private:
  std::map<DicomTag, std::string> elements_;  // encoded
};

// Makes a chest radiograph of 2 rows and 3 columns, 12 bits stored of 16, with
// the values 0, 1, 2, 1000, 2047, 4095 and neither LUT nor window.
DicomMaker SmallChest();

// A frame of 16 bits by RLE (PS3.5 annex G), at most 100 words: two segments,
// the high bytes, then the low ones, each as a literal.
std::string RleFrame(const std::vector<int>& words);

// SmallChest with its pixels as an RleFrame.
DicomMaker RleChest();

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_DICOM_MAKER_H_
