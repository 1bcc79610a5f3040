// SPDX-License-Identifier: Apache-2.0
// Finds named tensors in an object that torch.save pickled.
#ifndef HILUM_COMMON_MODEL_STATE_DICT_H_
#define HILUM_COMMON_MODEL_STATE_DICT_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/pickle.h"
#include "common/model/tensor_view.h"

namespace hilum {

// The storage that a tensor's persistent id names.
struct StorageId {
  ElementType type;
  absl::string_view key;
  uint64_t elements;
  // The elements of a storage that is a part of another, in old files.
  uint64_t part_begin;
  uint64_t part_elements;
};

// INVALID_ARGUMENT: not the id of a storage, or one of an unknown type.
absl::StatusOr<StorageId> ReadStorageId(const Pickle& pickle,
                                        const PickleNode& persistent);

// Returns the bytes of a storage, or of the part that it is.
using StorageLookup =
    absl::FunctionRef<absl::StatusOr<absl::string_view>(const StorageId&)>;

// Returns the tensors of a state dict, of one inside a checkpoint
// (`state_dict`, `model_state_dict`, `model`), or of a whole module (its
// _parameters and _buffers, and those of its _modules), in the file's order.
// Removes DataParallel's `module.` where all names have it, and changes old
// DenseNet names to torchvision's present form (norm.1 to norm1). Ignores all
// else in a checkpoint. Every view passed CheckView. INVALID_ARGUMENT: no
// tensors, an invalid one, a name twice. RESOURCE_EXHAUSTED: over 100,000
// tensors or modules. The metadata has the preprocessing for a whole module of
// TorchXRayVision's classes, which all use the same.
absl::StatusOr<WeightsContent> FindTensors(const Pickle& pickle,
                                           StorageLookup storage);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_STATE_DICT_H_
