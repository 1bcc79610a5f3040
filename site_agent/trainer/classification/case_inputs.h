// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_CASE_INPUTS_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_CASE_INPUTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/secret.h"
#include "site_agent/trainer/classification/module_pool.h"
#include "site_agent/trainer/data/prepared_study.h"
#include "site_agent/trainer/features/feature_store.h"

namespace hilum {

struct CaseInputsOptions {
  std::string folder;          // the feature store's; empty: none is kept
  SecretBytes encryption_key;  // 32 bytes, or empty
  ModuleOptions compute;       // features depend on it
  std::function<void(const std::string&)> log;
};

// The inputs of the networks for a study's cases: pixels or, behind a frozen
// trunk, features that are computed once and kept in a feature store. Life:
// Update whenever the frozen parameters may have changed, then Of from any
// thread.
class CaseInputs {
 public:
  // `study` and `modules` outlive this object.
  CaseInputs(const PreparedStudy& study, ModulePool& modules,
             CaseInputsOptions options);

  // Computes the features that are missing under the frozen parameters in the
  // modules; their blob has this SHA-256. A disk without room for the features
  // is no error: images then go through the trunk in every step.
  absl::Status Update(const std::string& frozen_sha256);

  // Returns inputs in the order of `versions`, all of one arm: features if
  // every case has some, else pixels. Thread-safe.
  Inputs Of(v1::Arm arm, absl::Span<const CaseVersion> versions) const;

 private:
  struct Version {
    v1::Arm arm;
    CaseVersion of_case;
  };

  std::string StoreKey(const std::string& frozen_sha256) const;
  // Every case in every fixed version, in a fixed order.
  std::vector<Version> All() const;
  void FindDigests();
  absl::Status Compute();
  // Returns empty where the version is not a fixed one.
  const std::string& DigestOf(v1::Arm arm, const CaseVersion& version) const;
  bool ReadFeatures(v1::Arm arm, absl::Span<const CaseVersion> versions,
                    std::vector<float>& values) const;

  const PreparedStudy& study_;
  ModulePool& modules_;
  const CaseInputsOptions options_;
  std::string frozen_sha256_;
  std::unique_ptr<FeatureStore> store_;
  size_t feature_size_ = 0;
  // Keys of the feature store (digests of pixels), by arm, case and version.
  std::map<std::tuple<int, size_t, uint64_t>, std::string> digests_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_CASE_INPUTS_H_
