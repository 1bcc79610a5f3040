// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COMMON_CONFIG_FILLED_STUDY_H_
#define HILUM_TESTS_COMMON_CONFIG_FILLED_STUDY_H_

#include "common/config/study.h"

namespace hilum {

// Returns a valid study of two sites and two classes; the rest as by default.
inline v1::Study Filled() {
  v1::Study study;
  study.set_name("lungs");
  for (const char* label : {"covid19", "normal"}) study.add_classes(label);
  for (const char* site : {"b", "a"}) study.add_sites(site);
  FillStudyDefaults(study);
  return study;
}

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_CONFIG_FILLED_STUDY_H_
