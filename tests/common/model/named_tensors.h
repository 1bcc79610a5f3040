// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COMMON_MODEL_NAMED_TENSORS_H_
#define HILUM_TESTS_COMMON_MODEL_NAMED_TENSORS_H_

#include <string>

#include "common/model/architecture.h"

namespace hilum {

// Returns the tensor of a name; one without a name where there is none.
inline TensorSpec TensorNamed(const Architecture& architecture,
                              const std::string& name) {
  for (const TensorSpec& tensor : architecture.tensors) {
    if (tensor.name == name) return tensor;
  }
  return {};
}

// Returns how many tensors a block has.
inline int TensorsOfBlock(const Architecture& architecture, int block) {
  int count = 0;
  for (const TensorSpec& tensor : architecture.tensors) {
    count += tensor.block == block;
  }
  return count;
}

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_MODEL_NAMED_TENSORS_H_
