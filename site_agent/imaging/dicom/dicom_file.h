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

// How the pixels of a transfer syntax are packed (PS3.5 annex A).
enum class PixelCoding { kNative, kRle, kJpeg, kJpegLs, kJpeg2000 };

struct TransferSyntax {
  const char* uid;
  DicomEncoding encoding;
  bool deflated;
  PixelCoding coding;
};

// Null: not one that is taken.
const TransferSyntax* FindTransferSyntax(absl::string_view uid);

// A DICOM file (PS3.10 section 7.1) over bytes that outlive it.
struct DicomFile {
  const TransferSyntax* syntax = nullptr;
  DicomElements elements;
  // What a deflated data set's elements point into; on the heap, so that a
  // move leaves it where it is.
  std::unique_ptr<std::string> inflated;
};

// Whether "DICM" stands behind the preamble, or the file meta information
// (group 0002) at the very start, as in files whose preamble is missing. No
// more is looked at.
bool IsDicom(absl::string_view bytes);

// INVALID_ARGUMENT: why bytes of which IsDicom is false are no DICOM file. Of a
// bare data set it says how to mend it.
absl::Status WhyNotDicom(absl::string_view bytes);

// The transfer syntax of the file's header. INVALID_ARGUMENT: no DICOM file,
// damaged, or none given.
absl::StatusOr<std::string> ReadTransferSyntaxUid(absl::string_view bytes);

// INVALID_ARGUMENT: no DICOM file, damaged or cut short. UNIMPLEMENTED: a
// transfer syntax that is not taken. RESOURCE_EXHAUSTED: over a limit, a
// deflated data set of more than kMaxImageFileBytes among them.
absl::StatusOr<DicomFile> ReadDicomFile(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FILE_H_
