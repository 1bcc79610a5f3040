// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FILE_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_elements.h"

namespace hilum {

// The packing of the pixels in a transfer syntax (PS3.5 annex A).
enum class PixelCoding { kNative, kRle, kJpeg, kJpegLs, kJpeg2000 };

struct TransferSyntax {
  const char* uid;
  DicomEncoding encoding;
  bool deflated;
  PixelCoding coding;
};

// Returns null for a transfer syntax that is not accepted.
const TransferSyntax* FindTransferSyntax(absl::string_view uid);

// A DICOM file (PS3.10 section 7.1) over bytes that outlive it.
struct DicomFile {
  const TransferSyntax* syntax = nullptr;
  DicomElements elements;
  // The memory of a deflated data set's elements; on the heap, so that moving
  // the object leaves it in place.
  std::unique_ptr<std::string> inflated;
};

// Returns whether "DICM" follows the preamble, or the file meta information
// (group 0002) starts at the first byte, as in files without a preamble. Checks
// nothing else.
bool IsDicom(absl::string_view bytes);

// Returns INVALID_ARGUMENT with the reason why bytes are no DICOM file; call
// where IsDicom is false. For a bare data set the message says how to repair
// it.
absl::Status WhyNotDicom(absl::string_view bytes);

// Returns the transfer syntax in the file's header. INVALID_ARGUMENT: no DICOM
// file, damaged, or no transfer syntax.
absl::StatusOr<std::string> ReadTransferSyntaxUid(absl::string_view bytes);

// Reads a file. INVALID_ARGUMENT: no DICOM file, damaged or truncated.
// UNIMPLEMENTED: a transfer syntax that is not accepted. RESOURCE_EXHAUSTED:
// over a limit, such as a deflated data set of more than kMaxImageFileBytes.
absl::StatusOr<DicomFile> ReadDicomFile(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FILE_H_
