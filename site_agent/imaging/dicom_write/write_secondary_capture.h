// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_SECONDARY_CAPTURE_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_SECONDARY_CAPTURE_H_

#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// What a capture says of itself. Characters that are not printable ASCII
// become '?', and what is over a length is cut.
struct CaptureNotes {
  std::string series_description;  // at most 64 characters
  std::string derivation;          // at most 1024
  // Any bytes. Captures of one source with the same key are one series.
  std::string series_key;
  // Any bytes that tell sources apart; counts where the source has no UIDs.
  std::string source_key;
  int instance_number = 1;    // within the series
  bool lossy_source = false;  // the source's pixels went through a lossy codec
};

// The bytes of a DICOM file that holds `picture`: Secondary Capture Image
// Storage (PS3.3 A.8.1), RGB, explicit little-endian, ImageType
// DERIVED\SECONDARY, Modality OT, Conversion Type WSD.
// `source`: the image behind the picture, or null where that was no DICOM
// file. Patient, study and what was done to hide them are copied from it, so
// that the capture lands beside it; it is referred to as the source image.
// What it lacks, and PS3.3 wants, is empty. Whether patient data is burnt into
// the pixels is said as the source says it, and not at all where it is silent.
// The picture is taken to be turned as RenderDicom turns images.
// UIDs are UUIDs below 2.25 (PS3.5 B.2; RFC 9562, version 8) made by SHA-256 of
// the source, the notes and the picture: the same input gives the same bytes,
// another picture another instance. No time is written.
// INVALID_ARGUMENT: no pixels, or another number of them than its size says; a
// side over 65535; an element to copy of over 1024 bytes. INTERNAL: DCMTK.
absl::StatusOr<std::string> EncodeSecondaryCapture(const RgbImage& picture,
                                                   const CaptureNotes& notes,
                                                   const DicomFile* source);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_SECONDARY_CAPTURE_H_
