// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/architecture.h"

namespace hilum {
namespace {

ModelShape ShapeOf(const v1::Study& study) {
  const v1::Model& model = study.model();
  const auto number = [](uint32_t value) {  // too large stays too large
    return static_cast<int>(std::min<uint32_t>(value, 1 << 20));
  };
  return {.name = model.architecture(),
          .classes = study.classes_size(),
          .head_units = number(model.head_units()),
          .input_channels = number(model.input_channels())};
}

absl::StatusOr<int> FirstTrainedBlock(const v1::Model& model,
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

bool ParameterLayout::Travels(const TensorSpec& tensor) const {
  return tensor.block >= first_trained &&
         (averages_batch_norm || !IsBatchNorm(tensor.role));
}

absl::StatusOr<ParameterLayout> StudyLayout(const v1::Study& study) {
  const v1::Model& model = study.model();
  absl::StatusOr<Architecture> found = LookUpArchitecture(ShapeOf(study));
  if (!found.ok()) {
    return absl::InvalidArgumentError(found.status().message());
  }
  HILUM_ASSIGN_OR_RETURN(int first, FirstTrainedBlock(model, *found));
  const bool local = model.batch_norm() == v1::Model::BATCH_NORM_LOCAL;
  ParameterLayout layout{};
  layout.architecture = *std::move(found);
  layout.first_trained = first;
  layout.averages_batch_norm =
      model.batch_norm() == v1::Model::BATCH_NORM_AVERAGED;
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    if (layout.Travels(tensor)) {
      layout.travelling.push_back(tensor);
      layout.travelling_size += tensor.size();
      continue;
    }
    layout.frozen.push_back(tensor);
    layout.frozen_size += tensor.size();
    if (!local || tensor.block < first) continue;
    layout.local.push_back(tensor);
    layout.local_size += tensor.size();
  }
  layout.manifest_sha256 = ManifestSha256(layout.architecture.tensors);
  return layout;
}

}  // namespace hilum
