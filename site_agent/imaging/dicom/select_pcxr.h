// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_SELECT_PCXR_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_SELECT_PCXR_H_

#include <string>

#include "site_agent/imaging/dicom/dicom_elements.h"
#include "site_agent/imaging/dicom/film_words.h"

namespace hilum {

struct PcxrVerdict {
  std::string reason;  // empty: it is a frontal chest radiograph
  std::string view;    // "AP" or "PA", if known

  bool accepted() const { return reason.empty(); }
};

// Decides whether the file is a frontal radiograph of the chest for reading: CR
// or DX (PS3.3 A.2, A.26), FOR PRESENTATION, of the chest, AP or PA. Fields
// with a fixed vocabulary have priority over free text; if both name the view,
// they must agree. Reasons never quote free text, which may name a patient.
// `words`: the phrases for chest and views, in the file's language.
PcxrVerdict SelectPcxr(const DicomElements& elements,
                       const FilmWords& words = FilmWords::BuiltIn());

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_SELECT_PCXR_H_
