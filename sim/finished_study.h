// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_FINISHED_STUDY_H_
#define HILUM_SIM_FINISHED_STUDY_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/study_result.h"

namespace hilum {

// A finished study in the state folder of a run's coordinator.
struct FinishedStudy {
  StudyResult result;
  std::string frozen_path;  // blob; empty where every tensor travels
  std::string global_path;  // blob of the evaluated models
};

// Reads OUT/coordinator/state and OUT/model, after either engine, once the
// coordinator has ended. FAILED_PRECONDITION: not one completed study; other
// errors are those of the files.
absl::StatusOr<FinishedStudy> ReadFinishedStudy(const std::string& out);

}  // namespace hilum

#endif  // HILUM_SIM_FINISHED_STUDY_H_
