// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COMMON_MODEL_PARSED_TORCH_FILE_H_
#define HILUM_TESTS_COMMON_MODEL_PARSED_TORCH_FILE_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/model/torch_file.h"
#include "tests/common/model/torch_bytes.h"

namespace hilum {

inline std::string Refusal(const std::string& bytes) {
  return std::string(ParseTorchFile(bytes).status().message());
}

// Each tensor as float32, by name.
inline std::map<std::string, std::vector<float>> Values(
    const std::string& bytes) {
  auto content = ParseTorchFile(bytes);
  EXPECT_TRUE(content.ok()) << content.status();
  std::map<std::string, std::vector<float>> values;
  if (!content.ok()) return values;
  for (const NamedTensor& tensor : content->tensors) {
    std::vector<float>& to = values[tensor.name];
    to.resize(static_cast<size_t>(tensor.view.size()));
    EXPECT_TRUE(CopyAsFloat32(tensor.name, tensor.view, to.data()).ok());
  }
  return values;
}

inline const std::string kSix = RawBytes<float>({1, 2, 3, 4, 5, 6});

inline std::string Float(absl::string_view key,
                         const std::vector<int32_t>& shape) {
  std::vector<int32_t> strides(shape.size(), 1);
  int32_t size = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = size;
    size *= shape[d];
  }
  return PklTensor("FloatStorage", key, 6, 0, shape, strides);
}

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_MODEL_PARSED_TORCH_FILE_H_
