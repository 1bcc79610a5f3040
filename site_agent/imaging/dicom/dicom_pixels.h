// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_PIXELS_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_PIXELS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/dicom_file.h"

namespace hilum {

// The Image Pixel module (PS3.3 C.7.6.3), checked.
struct PixelFormat {
  int rows = 0;
  int columns = 0;
  int frames = 1;
  int samples = 1;         // 1 or 3 per pixel
  int bits_allocated = 0;  // 1, 8, 16 or 32
  int bits_stored = 0;     // at most bits_allocated
  int high_bit = 0;        // the highest stored bit, from 0
  bool is_signed = false;
  bool by_plane = false;    // one colour plane after the other
  std::string photometric;  // "MONOCHROME1", ...

  // Returns 1 for at most 8 bits allocated, also for bit-packed samples.
  int sample_bytes() const {
    return bits_allocated <= 8 ? 1 : bits_allocated / 8;
  }
  uint64_t frame_bytes() const {
    return uint64_t{static_cast<uint32_t>(rows)} * columns * samples *
           sample_bytes();
  }
};

// Stored values as encoded, with the bits outside the stored ones: frame by
// frame, row-major, colours interleaved, little-endian.
struct StoredPixels {
  PixelFormat format;
  std::string bytes;  // [frames * frame_bytes()]
};

inline constexpr uint64_t kMaxStoredBytes = 256ull << 20;

// Reads the description. INVALID_ARGUMENT: no pixels, or a description that
// contradicts itself or the pixels' length. UNIMPLEMENTED: a kind of pixel that
// is not accepted. RESOURCE_EXHAUSTED: over kMaxImagePixels or kMaxStoredBytes.
absl::StatusOr<PixelFormat> ReadPixelFormat(const DicomElements& elements);

// Decodes the pixels. Checks the header and the codestream's header against the
// limits, and against each other, before it allocates memory. Errors as
// ReadPixelFormat; also INVALID_ARGUMENT: damaged or truncated, with the
// decoder's reason, or a codestream whose size differs from the header's.
// Thread-safe.
absl::StatusOr<StoredPixels> DecodeStoredPixels(const DicomFile& file);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_PIXELS_H_
