// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/architecture.h"

namespace hilum {
namespace {

// The first block whose tensors travel.
absl::StatusOr<int> FirstTravellingBlock(const v1::Model& model,
                                         const Architecture& architecture) {
  const int head = architecture.num_blocks;
  switch (model.trainable()) {
    case v1::Model::TRAINABLE_HEAD:
      return head;
    case v1::Model::TRAINABLE_ALL:
      return 0;
    case v1::Model::TRAINABLE_LAST_BLOCKS:
      if (model.last_blocks() > static_cast<uint32_t>(head)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "model.last_blocks: ", model.last_blocks(), "; ", architecture.name,
            " has ", head, " blocks beside the head"));
      }
      return head - static_cast<int>(model.last_blocks());
    default:
      return absl::InvalidArgumentError(
          "model.trainable: not set; give head, last_blocks or all");
  }
}

}  // namespace

absl::StatusOr<ParameterLayout> StudyLayout(const v1::Study& study) {
  absl::StatusOr<Architecture> found =
      LookUpArchitecture(study.model().architecture(), study.classes_size());
  if (!found.ok()) {
    return absl::InvalidArgumentError(found.status().message());
  }
  HILUM_ASSIGN_OR_RETURN(int first,
                         FirstTravellingBlock(study.model(), *found));
  ParameterLayout layout{};
  layout.architecture = *std::move(found);
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    if (tensor.block >= first) {
      layout.travelling.push_back(tensor);
      layout.travelling_size += tensor.size();
    } else {
      layout.frozen.push_back(tensor);
      layout.frozen_size += tensor.size();
    }
  }
  layout.manifest_sha256 = ManifestSha256(layout.architecture.tensors);
  return layout;
}

}  // namespace hilum
