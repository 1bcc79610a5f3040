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
#include "common/model/tensor_view.h"

namespace hilum {

// Returns whether the first bytes are a length that fits and the start of a
// header.
bool IsSafetensors(absl::string_view bytes);

// Returns the tensors in place in `bytes`, sorted by name, and the text values
// of the metadata. INVALID_ARGUMENT: an invalid header, an unknown type,
// overlapping or missing bytes, bytes outside all tensors.
absl::StatusOr<WeightsContent> ParseSafetensors(absl::string_view bytes);

// Returns every tensor of `architecture` in registry order, as one array, from
// a file of this format with exactly its tensors. INVALID_ARGUMENT: the errors
// of ParseSafetensors and FitWeights. NOT_FOUND and others: the file.
absl::StatusOr<std::vector<float>> ReadSafetensors(
    const std::string& path, const Architecture& architecture);

// Writes `values` (every tensor, registry order) with `metadata`; equal input
// gives equal bytes. Returns the file's SHA-256, 32 raw bytes.
absl::StatusOr<std::string> WriteSafetensors(
    const std::string& path, const Architecture& architecture,
    absl::Span<const float> values,
    const std::map<std::string, std::string>& metadata);

// Returns the file with `metadata` in place of its own; its tensors keep their
// order, types and bytes. INVALID_ARGUMENT: the errors of ParseSafetensors.
absl::StatusOr<std::string> WithMetadata(
    absl::string_view bytes,
    const std::map<std::string, std::string>& metadata);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_SAFETENSORS_H_
