// SPDX-License-Identifier: Apache-2.0
// Files of torch.save, read as data: nothing in them is run (pickle.h).
#ifndef HILUM_COMMON_MODEL_TORCH_FILE_H_
#define HILUM_COMMON_MODEL_TORCH_FILE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/tensor_view.h"

namespace hilum {

// Return whether the first bytes are a zip (default since torch 1.6) or a
// legacy file (before, or on request).
bool IsTorchZip(absl::string_view bytes);
bool IsTorchLegacy(absl::string_view bytes);

// Returns the tensors of a state dict, checkpoint or whole module
// (state_dict.h), in place in `bytes`. Layouts:
//
//   zip: NAME/data.pkl, NAME/data/KEY (one a storage, stored), others.
//   legacy: pickles of 0x1950a86a20f9469cfc6c, 1001, system, the object and the
//   storages' keys; then of each its number of elements (int64) and its
//   elements.
//
// INVALID_ARGUMENT: neither; big-endian; a TorchScript program; a storage that
// is missing or of another size than in the pickle; files that pickle.h,
// zip_directory.h and state_dict.h refuse.
absl::StatusOr<WeightsContent> ParseTorchFile(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TORCH_FILE_H_
