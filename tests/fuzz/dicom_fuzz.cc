// SPDX-License-Identifier: Apache-2.0
// Fuzzes DICOM files of every transfer syntax. A decoded image is whole and
// within [0, 1]; judging the file ends for any bytes.
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/dicom/select_pcxr.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

constexpr uint64_t kBytes = 1 << 20;  // more would only be slow

void Check(absl::string_view bytes) {
  auto file = ReadDicomFile(bytes);
  if (!file.ok()) return;
  SelectPcxr(file->elements);
  auto format = ReadPixelFormat(file->elements);
  if (!format.ok() || format->frame_bytes() * format->frames > kBytes) return;
  auto pixels = DecodeStoredPixels(*file);
  if (!pixels.ok()) return;
  HILUM_CHECK(pixels->bytes.size() ==
              format->frame_bytes() * static_cast<uint64_t>(format->frames));
  auto image = RenderDicom(file->elements, *pixels);
  if (!image.ok()) return;
  HILUM_CHECK(image->rows > 0 && image->columns > 0);
  HILUM_CHECK(image->pixels.size() ==
              static_cast<size_t>(image->rows) * image->columns);
  for (float v : image->pixels) HILUM_CHECK(v >= 0 && v <= 1);
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hilum::Check(hilum::FuzzInput(data, size).Rest());
  return 0;
}
