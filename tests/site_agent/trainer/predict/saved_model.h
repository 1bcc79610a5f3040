// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_TRAINER_PREDICT_SAVED_MODEL_H_
#define HILUM_TESTS_SITE_AGENT_TRAINER_PREDICT_SAVED_MODEL_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/rng.h"
#include "common/model/architecture.h"
#include "common/model/model_facts.h"
#include "common/model/safetensors.h"

namespace hilum {

// Returns the starting weights of hilum_small with a head that is not zero, so
// that images differ in their scores.
inline std::vector<float> LivelyWeights(const Architecture& small,
                                        uint64_t seed) {
  std::vector<float> values = InitialWeights(small, seed);
  Rng rng(seed, "lively head");
  const size_t head = static_cast<size_t>(161 * small.classes);
  for (size_t i = values.size() - head; i < values.size(); ++i) {
    values[i] = static_cast<float>(rng.Uniform() - 0.5);
  }
  return values;
}

// Returns the metadata of a model of whole images with two classes.
inline WeightsMetadata SaidOfWhole() {
  return {{"architecture", "hilum_small"}, {"arm", "whole"},
          {"classes", "sick,well"},        {"input_size", "32"},
          {"preprocessing", "hilum"},      {"task", "classification"}};
}

// Saves hilum_small with LivelyWeights.
inline void SaveModel(const std::string& path, uint64_t seed,
                      const WeightsMetadata& said = SaidOfWhole()) {
  const int classes =
      std::max<int>(2, static_cast<int>(ClassesSaid(said).size()));
  const Architecture small =
      LookUpArchitecture({.name = "hilum_small", .classes = classes}).value();
  EXPECT_TRUE(
      WriteSafetensors(path, small, LivelyWeights(small, seed), said).ok());
}

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_TRAINER_PREDICT_SAVED_MODEL_H_
