// SPDX-License-Identifier: Apache-2.0
// Weights that users bring: safetensors, and files of torch.save.
#ifndef HILUM_COMMON_MODEL_WEIGHTS_FILE_H_
#define HILUM_COMMON_MODEL_WEIGHTS_FILE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mapped_file.h"
#include "common/model/architecture.h"
#include "common/model/fit.h"
#include "common/model/tensor_view.h"

namespace hilum {

// An open file of weights. Its tensors lie in the mapped file.
class WeightsFile {
 public:
  // Opens a file and detects its format by its bytes, whatever its name.
  // INVALID_ARGUMENT: another kind of file (named, where known), or a file that
  // the formats refuse. NOT_FOUND and others: the file. Messages begin with the
  // path.
  static absl::StatusOr<WeightsFile> Open(const std::string& path);

  const std::string& path() const { return path_; }
  absl::string_view format() const { return format_; }  // for people
  absl::string_view bytes() const { return file_.bytes(); }
  const std::vector<NamedTensor>& tensors() const { return content_.tensors; }
  const std::map<std::string, std::string>& metadata() const {
    return content_.metadata;
  }

 private:
  WeightsFile(std::string path, MappedFile file, absl::string_view format,
              WeightsContent content)
      : path_(std::move(path)),
        file_(std::move(file)),
        format_(format),
        content_(std::move(content)) {}

  std::string path_;
  MappedFile file_;
  absl::string_view format_;
  WeightsContent content_;
};

// Calls FitWeights for a file; the result is the only copy in memory. Messages
// begin with the path.
absl::StatusOr<std::vector<float>> ReadWeights(const WeightsFile& file,
                                               const Architecture& architecture,
                                               const WeightsOptions& options);
absl::StatusOr<std::vector<float>> ReadWeights(const std::string& path,
                                               const Architecture& architecture,
                                               const WeightsOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_WEIGHTS_FILE_H_
