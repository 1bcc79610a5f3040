// SPDX-License-Identifier: Apache-2.0
#include "common/model/weights_file.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/safetensors.h"
#include "common/model/torch_file.h"

namespace hilum {
namespace {

absl::Status Within(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

// What people take for weights by mistake.
absl::Status Unknown(absl::string_view bytes) {
  absl::string_view what = "neither safetensors nor a file of torch.save";
  if (bytes.empty()) {
    what = "an empty file";
  } else if (absl::StartsWith(bytes, "\x89HDF")) {
    what = "HDF5 (Keras), which is not taken; only safetensors and .pth are";
  } else if (absl::StartsWith(bytes, "version https://git-lfs")) {
    what = "a pointer of Git LFS, not the weights; run `git lfs pull`";
  } else if (absl::StartsWith(bytes, "<")) {
    what = "a web page, not the weights";
  } else if (static_cast<uint8_t>(bytes[0]) == 0x80) {
    what = "a pickle, but not one of torch.save";
  }
  return absl::InvalidArgumentError(what);
}

absl::StatusOr<WeightsContent> Parse(absl::string_view bytes,
                                     absl::string_view& format) {
  if (IsTorchZip(bytes) || IsTorchLegacy(bytes)) {
    format = IsTorchZip(bytes) ? ".pth (zip)" : ".pth (before torch 1.6)";
    return ParseTorchFile(bytes);
  }
  format = "safetensors";
  if (IsSafetensors(bytes)) return ParseSafetensors(bytes);
  return Unknown(bytes);
}

}  // namespace

absl::StatusOr<WeightsFile> WeightsFile::Open(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  absl::string_view format;
  absl::StatusOr<WeightsContent> content = Parse(file.bytes(), format);
  if (!content.ok()) return Within(path, content.status());
  return WeightsFile(path, std::move(file), format, *std::move(content));
}

absl::StatusOr<std::vector<float>> ReadWeights(const WeightsFile& file,
                                               const Architecture& architecture,
                                               const WeightsOptions& options) {
  absl::StatusOr<std::vector<float>> values =
      FitWeights(file.tensors(), architecture, options);
  if (!values.ok()) return Within(file.path(), values.status());
  return values;
}

absl::StatusOr<std::vector<float>> ReadWeights(const std::string& path,
                                               const Architecture& architecture,
                                               const WeightsOptions& options) {
  HILUM_ASSIGN_OR_RETURN(WeightsFile file, WeightsFile::Open(path));
  return ReadWeights(file, architecture, options);
}

}  // namespace hilum
