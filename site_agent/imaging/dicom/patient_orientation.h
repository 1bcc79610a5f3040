// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_PATIENT_ORIENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_PATIENT_ORIENTATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/dicom_elements.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Brings an image to the display of a frontal radiograph: the patient's left on
// the right of the image, the feet below. Transposes first, then mirrors.
struct Orientation {
  bool transposed = false;
  bool left_right = false;
  bool up_down = false;
};

// Returns whether Patient Orientation gives two directions of a patient.
bool SaysOrientation(const DicomElements& elements);

// Returns, for a person, why a Patient Orientation that has a value is not
// used; empty: it is used, or has no value. Quotes nothing of it.
std::string OrientationNote(const DicomElements& elements);

// Reads Patient Orientation (PS3.3 C.7.6.1.1.1). If it is absent, or not two
// directions, the image is taken as already displayed. FAILED_PRECONDITION: not
// a frontal image, since front or back is at a side.
absl::StatusOr<Orientation> ReadOrientation(const DicomElements& elements);

GrayImage Orient(GrayImage image, const Orientation& orientation);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_PATIENT_ORIENTATION_H_
