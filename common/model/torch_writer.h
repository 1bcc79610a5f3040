// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_MODEL_TORCH_WRITER_H_
#define HILUM_COMMON_MODEL_TORCH_WRITER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model/architecture.h"

namespace hilum {

// Writes `values` (every tensor, registry order) as torch.save writes a state
// dict since torch 1.6: a zip archive, stored, of a pickled OrderedDict and a
// storage for each tensor. torch.load(FILE, weights_only=True) opens it.
// Equal input, equal bytes. Returns the file's SHA-256, 32 raw bytes.
// INVALID_ARGUMENT: another number of values, or a file over 4 GiB.
absl::StatusOr<std::string> WriteTorchFile(const std::string& path,
                                           const Architecture& architecture,
                                           absl::Span<const float> values);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TORCH_WRITER_H_
