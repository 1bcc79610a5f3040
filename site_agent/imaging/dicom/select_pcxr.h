// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_SELECT_PCXR_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_SELECT_PCXR_H_

#include <string>

#include "site_agent/imaging/dicom/dicom_elements.h"
#include "site_agent/imaging/dicom/film_words.h"

namespace hilum {

struct PcxrVerdict {
  std::string reason;  // why not; empty: it is a frontal chest radiograph
  std::string view;    // "AP" or "PA", where it is known

  bool accepted() const { return reason.empty(); }
};

// Whether the file says that it is a frontal radiograph of the chest, meant to
// be looked at: CR or DX (PS3.3 A.2, A.26), FOR PRESENTATION, of the chest, AP
// or PA. What it says in fields with a fixed vocabulary goes before what its
// free text says, and where both speak of the view they must agree. Reasons
// never quote free text, which may name a patient. `words`: those that say what
// is shown, in the file's language.
PcxrVerdict SelectPcxr(const DicomElements& elements,
                       const FilmWords& words = FilmWords::BuiltIn());

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_SELECT_PCXR_H_
