// SPDX-License-Identifier: Apache-2.0
#include "common/config/segmentation_study.h"

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr uint32_t kMultiple = 16;  // of its side

void FillAugmentation(v1::Augmentation& reach) {
  if (!reach.has_rotation_degrees()) reach.set_rotation_degrees(12);
  if (!reach.has_shift()) reach.set_shift(0.08);
  if (!reach.has_scale()) reach.set_scale(0.18);
  if (!reach.has_intensity()) reach.set_intensity(0.2);
  if (!reach.has_gamma()) reach.set_gamma(0.35);
  if (!reach.has_views()) reach.set_views(0);
}

SegmentationFault ModelFault(const v1::Model& model) {
  if (model.architecture() != kSegmenterName) {
    return {"model.architecture",
            absl::StrCat(kSegmenterName, " with `task: segmentation`, not '",
                         model.architecture(), "'")};
  }
  if (model.trainable() != v1::Model::TRAINABLE_ALL) {
    return {"model.trainable", "all with `task: segmentation`"};
  }
  if (model.head_units() != 0) {
    return {"model.head_units", "0 with `task: segmentation`"};
  }
  if (model.input_channels() != 1) {
    return {"model.input_channels", "1 with `task: segmentation`"};
  }
  if (model.input_size() % kMultiple != 0) {
    return {"model.input_size", absl::StrCat("a multiple of ", kMultiple,
                                             " with `task: segmentation`")};
  }
  if (model.preprocessing() != v1::Model::PREPROCESSING_HILUM) {
    return {"model.preprocessing", "hilum with `task: segmentation`"};
  }
  if (model.batch_norm() != v1::Model::BATCH_NORM_AVERAGED) {
    return {"model.batch_norm", "averaged with `task: segmentation`"};
  }
  return {};
}

SegmentationFault TrainingFault(const v1::Training& training) {
  if (training.class_weights() != v1::Training::CLASS_WEIGHTS_NONE) {
    return {"training.class_weights", "none with `task: segmentation`"};
  }
  if (training.logit_adjustment() != 0) {
    return {"training.logit_adjustment", "0 with `task: segmentation`"};
  }
  if (training.focal_gamma() != 0) {
    return {"training.focal_gamma", "0 with `task: segmentation`"};
  }
  if (training.label_smoothing() != 0) {
    return {"training.label_smoothing", "0 with `task: segmentation`"};
  }
  if (training.augmentation().views() != 0) {
    return {"training.augmentation.views", "0 with `task: segmentation`"};
  }
  if (training.precision() != v1::Training::PRECISION_FLOAT32) {
    return {"training.precision", "float32 with `task: segmentation`"};
  }
  return {};
}

}  // namespace

void FillSegmentationDefaults(v1::Study& study) {
  if (study.arms().empty()) study.add_arms(v1::ARM_WHOLE);
  v1::Model& model = *study.mutable_model();
  if (model.architecture().empty()) model.set_architecture(kSegmenterName);
  if (!model.has_input_size()) model.set_input_size(128);
  if (!model.has_input_channels()) model.set_input_channels(1);
  if (model.batch_norm() == v1::Model::BATCH_NORM_UNSPECIFIED) {
    model.set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
  }
  v1::Training& training = *study.mutable_training();
  v1::Optimizer& optimizer = *training.mutable_optimizer();
  if (optimizer.kind() == v1::Optimizer::KIND_UNSPECIFIED) {
    optimizer.set_kind(v1::Optimizer::KIND_ADAMW);
    if (!optimizer.has_learning_rate()) optimizer.set_learning_rate(0.003);
  }
  if (training.class_weights() == v1::Training::CLASS_WEIGHTS_UNSPECIFIED) {
    training.set_class_weights(v1::Training::CLASS_WEIGHTS_NONE);
  }
  FillAugmentation(*training.mutable_augmentation());
  v1::Evaluation& evaluation = *study.mutable_evaluation();
  if (!evaluation.has_localization()) evaluation.set_localization(false);
}

SegmentationFault FindSegmentationFault(const v1::Study& study) {
  if (study.arms_size() != 1 || study.arms(0) != v1::ARM_WHOLE) {
    return {"arms", "[whole] with `task: segmentation`"};
  }
  if (study.evaluation().localization()) {
    return {"evaluation.localization", "false with `task: segmentation`"};
  }
  const SegmentationFault fault = ModelFault(study.model());
  return fault.field.empty() ? TrainingFault(study.training()) : fault;
}

}  // namespace hilum
