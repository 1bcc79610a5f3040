// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_MODEL_WEIGHTS_AGREEMENT_H_
#define HILUM_COMMON_MODEL_WEIGHTS_AGREEMENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/fit.h"
#include "common/model/weights_file.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// How a file of weights and a study that starts from it differ.
struct WeightsAgreement {
  // Sentences for a person: the weights know less under the study's input size
  // or arm than under their own.
  std::vector<std::string> warnings;
  // The file's head has other classes: set WeightsOptions::replace_head.
  bool replace_head = false;
};

// Compares what a file says of its model with a study whose defaults are filled
// in; what the file does not say agrees. INVALID_ARGUMENT, with both values:
// another task; other classes or another order of them, unless
// `options.fresh_head`. Messages begin with the path.
absl::StatusOr<WeightsAgreement> CompareWithStudy(
    const WeightsFile& file, const v1::Study& study,
    const WeightsOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_WEIGHTS_AGREEMENT_H_
