// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COMMON_MODEL_ZERO_TENSORS_H_
#define HILUM_TESTS_COMMON_MODEL_ZERO_TENSORS_H_

#include <algorithm>
#include <string>
#include <vector>

#include "common/model/architecture.h"
#include "common/model/tensor_view.h"

namespace hilum {

// The tensors of an architecture, all zero, as if from a file: all share the
// bytes of the largest one.
class ZeroTensors {
 public:
  explicit ZeroTensors(const ModelShape& shape) {
    const Architecture architecture = LookUpArchitecture(shape).value();
    size_t most = 0;
    for (const TensorSpec& spec : architecture.tensors) {
      most = std::max(most, static_cast<size_t>(spec.size()) * 4);
    }
    zeros_.resize(most);
    for (const TensorSpec& spec : architecture.tensors) {
      TensorView view{.shape = spec.shape,
                      .strides = RowMajorStrides(spec.shape)};
      view.storage = absl::string_view(zeros_).substr(
          0, static_cast<size_t>(spec.size()) * 4);
      tensors.push_back({spec.name, view});
    }
  }
  ZeroTensors(const ZeroTensors&) = delete;
  ZeroTensors& operator=(const ZeroTensors&) = delete;

  std::vector<NamedTensor> tensors;

 private:
  std::string zeros_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_MODEL_ZERO_TENSORS_H_
