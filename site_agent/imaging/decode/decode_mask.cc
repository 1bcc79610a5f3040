// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/decode_mask.h"

#include <new>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom/dicom_segmentation.h"

namespace hilum {

absl::StatusOr<GrayImage> DecodeMask(absl::string_view bytes) try {
  if (bytes.size() > kMaxImageFileBytes || !IsDicom(bytes)) {
    return DecodeImage(bytes);
  }
  HILUM_ASSIGN_OR_RETURN(DicomFile file, ReadDicomFile(bytes));
  if (!IsSegmentation(file)) return DecodeImage(bytes);
  return ReadLungSegmentation(file);
} catch (const std::bad_alloc&) {
  return absl::ResourceExhaustedError("mask: out of memory");
}

}  // namespace hilum
