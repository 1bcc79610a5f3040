// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_PATIENT_ORIENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_PATIENT_ORIENTATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/dicom_elements.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// What brings an image to the display of a frontal radiograph: the patient's
// left at the right of the image, the feet below. First rows and columns
// change places, then it is mirrored.
struct Orientation {
  bool transposed = false;
  bool left_right = false;
  bool up_down = false;
};

// Whether there is a Patient Orientation that says two directions of a patient.
bool SaysOrientation(const DicomElements& elements);

// Returns why a Patient Orientation that has a value is not used, for a person;
// empty: it is used, or has no value. Quotes nothing of it.
std::string OrientationNote(const DicomElements& elements);

// From Patient Orientation (PS3.3 C.7.6.1.1.1). Where it is absent, or not two
// directions, the image is taken to be displayed as it is. FAILED_PRECONDITION:
// not a frontal image, as it shows front or back at a side.
absl::StatusOr<Orientation> ReadOrientation(const DicomElements& elements);

GrayImage Orient(GrayImage image, const Orientation& orientation);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_PATIENT_ORIENTATION_H_
