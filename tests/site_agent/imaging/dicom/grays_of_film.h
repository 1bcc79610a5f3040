// SPDX-License-Identifier: Apache-2.0
// Grays of small DICOM files, and what their rules are made of, for tests.
#ifndef HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_GRAYS_OF_FILM_H_
#define HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_GRAYS_OF_FILM_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {

// Grays of SmallChest's values 0, 1, 2, 1000, 2047, 4095.
inline std::vector<float> Grays(const DicomMaker& maker) {
  auto image = DecodeImage(maker.File());
  EXPECT_TRUE(image.ok()) << image.status();
  return image.ok() ? image->pixels : std::vector<float>(6);
}

inline void ExpectGrays(const DicomMaker& maker,
                        const std::vector<double>& wanted) {
  const std::vector<float> grays = Grays(maker);
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(grays[i], wanted[i], 1e-6) << i;
  }
}

inline absl::StatusCode CodeOf(const DicomMaker& maker) {
  return DecodeImage(maker.File()).status().code();
}

inline DicomMaker Windowed(absl::string_view center, absl::string_view width,
                           absl::string_view function = "") {
  DicomMaker maker = SmallChest();
  maker.Text(0x00281050, "DS", center).Text(0x00281051, "DS", width);
  if (!function.empty()) maker.Text(0x00281056, "CS", function);
  return maker;
}

inline DicomMaker Table(int first, int bits, const std::vector<int>& entries) {
  DicomMaker item;
  item.Words(0x00283002, "US", {static_cast<int>(entries.size()), first, bits})
      .Words(0x00283006, "OW", entries);
  return item;
}

inline std::vector<std::string> Notes(const DicomMaker& maker) {
  auto image = DecodeImage(maker.File());
  EXPECT_TRUE(image.ok()) << image.status();
  return image.ok() ? image->notes : std::vector<std::string>();
}

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_IMAGING_DICOM_GRAYS_OF_FILM_H_
