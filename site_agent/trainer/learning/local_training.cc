// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/local_training.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {

absl::Status CheckWeightsPath(const std::string& path) {
  if (!absl::EndsWith(path, ".safetensors")) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": name it .safetensors"));
  }
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0 ||
      FileExists(path.substr(0, slash))) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat(path, ": no such folder; make it first"));
}

uint64_t PatientBits(absl::string_view purpose, uint64_t seed,
                     absl::string_view patient_id) {
  const std::string digest =
      Sha256Of(absl::StrCat(purpose, " ", seed, " ", patient_id));
  uint64_t bits = 0;
  for (int i = 0; i < 7; ++i) {
    bits = bits << 8 | static_cast<uint8_t>(digest[i]);
  }
  return bits;
}

v1::Training OneCycle(int epochs, double rate, double weight_decay) {
  v1::Training training;
  training.set_rounds(static_cast<uint32_t>(epochs));
  training.mutable_optimizer()->set_kind(v1::Optimizer::KIND_ADAMW);
  training.mutable_optimizer()->set_learning_rate(rate);
  training.mutable_optimizer()->set_weight_decay(weight_decay);
  training.set_gradient_clipping_norm(1);
  training.mutable_schedule()->set_kind(v1::Schedule::KIND_COSINE);
  training.mutable_schedule()->set_warmup_rounds(epochs > 1 ? 1 : 0);
  training.mutable_schedule()->set_final_fraction(0.01);
  return training;
}

}  // namespace hilum
