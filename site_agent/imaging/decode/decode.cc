// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/decode.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "site_agent/imaging/decode/decoders.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/dicom/dicom_file.h"

namespace hilum {

absl::StatusOr<GrayImage> DecodeImage(absl::string_view bytes) {
  if (bytes.size() > kMaxImageFileBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("image file is over ", kMaxImageFileBytes >> 20, " MB"));
  }
  if (absl::StartsWith(bytes, "\x89PNG\r\n\x1a\n")) return DecodePng(bytes);
  if (absl::StartsWith(bytes, "\xff\xd8\xff")) return DecodeJpeg(bytes);
  if (IsDicom(bytes)) return DecodeDicom(bytes);
  const absl::Status why_not = WhyNotDicom(bytes);
  if (absl::StrContains(why_not.message(), "data set")) return why_not;
  return absl::InvalidArgumentError("neither a PNG, a JPEG nor a DICOM image");
}

}  // namespace hilum
