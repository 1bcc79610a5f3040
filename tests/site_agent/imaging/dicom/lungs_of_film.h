// SPDX-License-Identifier: Apache-2.0
// A lung mask and the radiograph that it is of, for tests of segmentations.
#ifndef HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_LUNGS_OF_FILM_H_
#define HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_LUNGS_OF_FILM_H_

#include <string>
#include <vector>

#include "site_agent/imaging/lungs/lung_mask.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {

// Rows of 0 and 1.
inline BinaryMask Mask(const std::vector<std::string>& rows) {
  BinaryMask mask{
      static_cast<int>(rows.size()), static_cast<int>(rows[0].size()), {}};
  for (const std::string& row : rows) {
    for (char c : row) mask.pixels.push_back(c == '1');
  }
  return mask;
}

// 3 rows, 5 columns: frames of 15 bits, so that the second starts in a byte.
inline const BinaryMask kTwoLungs = Mask({"01010", "11011", "11001"});

inline DicomMaker Source() {
  DicomMaker maker = SmallChest();
  maker.Words(0x00280010, "US", {3}).Words(0x00280011, "US", {5});
  maker.Bytes(0x7fe00010, "OW", std::string(30, '\0'));
  maker.Text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.1");
  maker.Text(0x00080018, "UI", "1.2.3.4").Text(0x0020000d, "UI", "1.2.3");
  maker.Text(0x0020000e, "UI", "1.2.3.5").Text(0x00080020, "DA", "20200102");
  return maker.Text(0x00100020, "LO", "P1");
}

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_LUNGS_OF_FILM_H_
