// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_SECONDARY_CAPTURE_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_SECONDARY_CAPTURE_H_

#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// The texts of a capture. Characters that are not printable ASCII become '?';
// longer texts are cut.
struct CaptureNotes {
  std::string series_description;  // at most 64 characters
  std::string derivation;          // at most 1024
  // Any bytes. Captures of one source with the same key form a series.
  std::string series_key;
  // Bytes that tell sources apart; used if the source has no UIDs.
  std::string source_key;
  int instance_number = 1;    // within the series
  bool lossy_source = false;  // the source's pixels were compressed with loss
};

// Returns the bytes of a DICOM file that holds `picture`: Secondary Capture
// Image Storage (PS3.3 A.8.1), RGB, explicit little-endian, ImageType
// DERIVED\SECONDARY, Modality OT, Conversion Type WSD. `source`: the image that
// the picture was made from, or null if that was no DICOM file. Patient, study
// and de-identification are copied from the source, so that archives file the
// capture beside it, and it is referenced as the source image. Values that
// PS3.3 requires and the source lacks are empty. Burned In Annotation is
// copied, and absent if the source has none. The picture must be turned as
// RenderDicom turns images. UIDs are UUIDs below 2.25 (PS3.5 B.2; RFC 9562,
// version 8) made from SHA-256 of the source, the notes and the picture: the
// same input gives the same bytes, another picture another instance. No time is
// written. INVALID_ARGUMENT: no pixels, or another number of pixels than the
// size gives; a side over 65535; an element to copy of over 1024 bytes.
// INTERNAL: DCMTK.
absl::StatusOr<std::string> EncodeSecondaryCapture(const RgbImage& picture,
                                                   const CaptureNotes& notes,
                                                   const DicomFile* source);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_SECONDARY_CAPTURE_H_
