// SPDX-License-Identifier: Apache-2.0
// Fuzzes DICOM segmentations. A mask that is read is whole and within [0, 1],
// and can be tidied and judged whatever it shows.
#include "site_agent/imaging/dicom/dicom_pixels.h"
#include "site_agent/imaging/dicom/dicom_segmentation.h"
#include "site_agent/imaging/lungs/lung_mask.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

constexpr uint64_t kBytes = 1 << 20;  // more would only be slow

void Check(absl::string_view bytes) {
  auto file = ReadDicomFile(bytes);
  if (!file.ok()) return;
  auto format = ReadPixelFormat(file->elements);
  if (!format.ok() || format->frame_bytes() * format->frames > kBytes) return;
  auto mask = ReadLungSegmentation(*file);
  if (!mask.ok()) return;
  HILUM_CHECK(mask->rows > 0 && mask->columns > 0);
  HILUM_CHECK(mask->pixels.size() ==
              static_cast<size_t>(mask->rows) * mask->columns);
  for (float v : mask->pixels) HILUM_CHECK(v >= 0 && v <= 1);
  const BinaryMask lungs =
      CleanLungMask(ToBinaryMask(*mask), {.convex_hull = true});
  JudgeLungMask(lungs);
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hilum::Check(hilum::FuzzInput(data, size).Rest());
  return 0;
}
