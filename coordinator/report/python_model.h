// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_REPORT_PYTHON_MODEL_H_
#define HILUM_COORDINATOR_REPORT_PYTHON_MODEL_H_

#include <string>

#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The file beside a study's models that defines their network for PyTorch.
inline constexpr char kPythonModelName[] = "hilum_small.py";

// Returns hilum_small.py as it was when this program was built.
absl::string_view PythonModelFile();

// Returns whether a study's models need the file: torchvision defines the
// networks of the other architectures.
bool HasPythonModel(const v1::Study& study);

// Returns the model card's example, Markdown: a radiograph to probabilities in
// ten lines of Python. Empty: there is none for the study's architecture.
std::string PythonExample(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_PYTHON_MODEL_H_
