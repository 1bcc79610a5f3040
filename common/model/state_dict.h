// SPDX-License-Identifier: Apache-2.0
// From what torch.save pickled to named tensors.
#ifndef HILUM_COMMON_MODEL_STATE_DICT_H_
#define HILUM_COMMON_MODEL_STATE_DICT_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/pickle.h"
#include "common/model/tensor_view.h"

namespace hilum {

// What a tensor's persistent id says of its storage.
struct StorageId {
  ElementType type;
  absl::string_view key;
  uint64_t elements;
  // Of an old file's storage that is a part of another: which elements.
  uint64_t part_begin;
  uint64_t part_elements;
};

// INVALID_ARGUMENT: not the id of a storage, or one of a type not known here.
absl::StatusOr<StorageId> ReadStorageId(const Pickle& pickle,
                                        const PickleNode& persistent);

// The bytes of a storage, its part where it is one.
using StorageLookup =
    absl::FunctionRef<absl::StatusOr<absl::string_view>(const StorageId&)>;

// The tensors of a state dict, of one inside a checkpoint (`state_dict`,
// `model_state_dict`, `model`), or of a whole module (its _parameters and
// _buffers, and those of its _modules), in the file's order. Names lose the
// `module.` that DataParallel puts before all of them, and get the form that
// torchvision's DenseNets have today (norm.1 is norm1). What else lies in a
// checkpoint is left. Every view passed CheckView. INVALID_ARGUMENT: no
// tensors, one that cannot be, a name twice. RESOURCE_EXHAUSTED: over 100,000
// tensors or modules. The metadata has the preprocessing of a whole module of
// TorchXRayVision's classes, which all take the same.
absl::StatusOr<WeightsContent> FindTensors(const Pickle& pickle,
                                           StorageLookup storage);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_STATE_DICT_H_
