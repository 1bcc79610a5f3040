// SPDX-License-Identifier: Apache-2.0
// Models as safetensors files: an 8-byte little-endian length, a JSON header
// of names, dtypes, shapes and offsets, then the bytes. Nothing in such a
// file is ever executed. Source: the format's published description
// (huggingface/safetensors, README).
#ifndef HILUM_COMMON_MODEL_SAFETENSORS_H_
#define HILUM_COMMON_MODEL_SAFETENSORS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model/architecture.h"

namespace hilum {

// Every tensor of `architecture` in registry order, as one array. Takes
// float32 only. INVALID_ARGUMENT: a header that is not one, overlapping or
// missing bytes, unknown, missing or misshapen tensors (all listed), a value
// that is NaN or infinite (its tensor). NOT_FOUND and others: the file.
absl::StatusOr<std::vector<float>> ReadSafetensors(
    const std::string& path, const Architecture& architecture);

// Writes `values` (every tensor, registry order) with `metadata`; equal
// input, equal bytes. Returns the file's SHA-256, 32 raw bytes.
absl::StatusOr<std::string> WriteSafetensors(
    const std::string& path, const Architecture& architecture,
    absl::Span<const float> values,
    const std::map<std::string, std::string>& metadata);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_SAFETENSORS_H_
