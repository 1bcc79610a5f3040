// SPDX-License-Identifier: Apache-2.0
#include "common/model/weights_file.h"

#include "absl/strings/ascii.h"
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

struct OtherKind {
  absl::string_view start;
  size_t at;
  absl::string_view what;
};

// Files that people mistake for weights, by the bytes at a place.
constexpr OtherKind kOtherKinds[] = {
    {"\x89HDF", 0,
     "HDF5 (Keras), which is not taken; only safetensors and .pth are"},
    {"version https://git-lfs", 0,
     "a pointer of Git LFS, not the weights; run `git lfs pull`"},
    {"\x1f\x8b", 0, "compressed with gzip; unpack it with `gunzip FILE.gz`"},
    {"BZh", 0, "compressed with bzip2; unpack it with `bunzip2 FILE.bz2`"},
    {"\xfd"
     "7zXZ",
     0, "compressed with xz; unpack it with `unxz FILE.xz`"},
    {"\x28\xb5\x2f\xfd", 0,
     "compressed with zstd; unpack it with `unzstd FILE.zst`"},
    {"7z\xbc\xaf", 0, "an archive of 7-Zip; unpack it and give the .pth in it"},
    {"ustar", 257, "a tar archive; unpack it and give the weights in it"},
    {"TFL3", 4,
     "TensorFlow Lite, which is not taken; give the weights of the "
     "PyTorch model it was made from"},
    {"GGUF", 0, "GGUF, which is not taken; only safetensors and .pth are"},
    {"<", 0, "a web page, not the weights"}};

// Returns whether the bytes are ONNX, a protobuf message without a magic
// number: ir_version, then producer_name, a graph or another field of
// ModelProto.
bool IsOnnx(absl::string_view bytes) {
  if (bytes.size() < 4 || bytes[0] != '\x08' || bytes[1] < 1 || bytes[1] > 64) {
    return false;
  }
  return bytes[2] == '\x12' || bytes[2] == '\x1a' || bytes[2] == '\x3a' ||
         bytes[2] == '\x42';
}

absl::string_view KindOfJson(absl::string_view bytes) {
  if (absl::StrContains(bytes.substr(0, 1 << 20), "\"weight_map\"")) {
    return "the index of weights in several files (\"weight_map\"); merge the "
           "files that it names into one safetensors, and give that";
  }
  return "JSON, not the weights: a server's message, or a configuration; "
         "download the file anew, and look at it";
}

absl::string_view KindOf(absl::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  for (const OtherKind& kind : kOtherKinds) {
    if (bytes.size() > kind.at &&
        absl::StartsWith(bytes.substr(kind.at), kind.start)) {
      return kind.what;
    }
  }
  if (IsOnnx(bytes)) {
    return "ONNX, which is not taken; give the weights of the PyTorch model it "
           "was made from: torch.save(model.state_dict(), FILE)";
  }
  const absl::string_view text = absl::StripLeadingAsciiWhitespace(bytes);
  if (absl::StartsWith(text, "{") || absl::StartsWith(text, "[")) {
    return KindOfJson(text);
  }
  if (static_cast<uint8_t>(bytes[0]) == 0x80) {
    return "a pickle, but not one of torch.save";
  }
  return "neither safetensors nor a file of torch.save";
}

absl::StatusOr<WeightsContent> Parse(absl::string_view bytes,
                                     absl::string_view& format) {
  if (IsTorchZip(bytes) || IsTorchLegacy(bytes)) {
    format = IsTorchZip(bytes) ? ".pth (zip)" : ".pth (before torch 1.6)";
    return ParseTorchFile(bytes);
  }
  format = "safetensors";
  if (IsSafetensors(bytes)) return ParseSafetensors(bytes);
  return absl::InvalidArgumentError(KindOf(bytes));
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
