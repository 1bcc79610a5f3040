// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/case_inputs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"

namespace hilum {
namespace {

// Images that go through the trunk together. The batch size may change the last
// bits of a feature, so that every chunk has the same size.
constexpr size_t kChunk = 16;

// Limit on all features of a study together.
constexpr uint64_t kMostBytes = 64ull << 30;

size_t NumChunks(size_t count) { return (count + kChunk - 1) / kChunk; }

template <typename T>
absl::Span<const T> ChunkOf(absl::Span<const T> all, size_t chunk) {
  return all.subspan(chunk * kChunk, kChunk);
}

}  // namespace

CaseInputs::CaseInputs(const PreparedStudy& study, ModulePool& modules,
                       CaseInputsOptions options)
    : study_(study), modules_(modules), options_(std::move(options)) {}

std::string CaseInputs::StoreKey(const std::string& frozen_sha256) const {
  const v1::Model& model = study_.study.model();
  Sha256 key;
  key.Update("hilum features 1\n");
  key.Update(frozen_sha256);
  key.Update(study_.layout.manifest_sha256);
  key.Update(absl::StrCat(
      study_.layout.architecture.name, " ", study_.layout.first_trained, " ",
      model.input_size(), " ", model.preprocessing(), " ",
      options_.compute.bfloat16, " ", options_.compute.device.cuda));
  return key.Finish();
}

std::vector<CaseInputs::Version> CaseInputs::All() const {
  std::vector<Version> all;
  for (int arm : study_.study.arms()) {
    for (size_t i = 0; i < study_.cases().size(); ++i) {
      if (study_.PlaneOf(static_cast<v1::Arm>(arm), i).empty()) continue;
      for (uint64_t v = 0; v < study_.NumFixedVersions(); ++v) {
        all.push_back({static_cast<v1::Arm>(arm), {i, v}});
      }
    }
  }
  return all;
}

void CaseInputs::FindDigests() {
  const std::vector<Version> all = All();
  std::vector<std::string> digests(all.size());
  // Each thread writes only its own elements.
  absl::Status status = modules_.ForEach<bool>(
      static_cast<int64_t>(all.size()),
      [&](Module&, int64_t i, bool&) {
        const Version& version = all[static_cast<size_t>(i)];
        std::vector<float> pixels;
        study_.AppendPixels(version.arm, version.of_case, pixels);
        digests[static_cast<size_t>(i)] = Sha256Of(BlobBytes(pixels));
        return absl::OkStatus();
      },
      [](int64_t, bool&) { return absl::OkStatus(); });
  HILUM_CHECK(status.ok());
  for (size_t i = 0; i < all.size(); ++i) {
    digests_[{all[i].arm, all[i].of_case.index, all[i].of_case.version}] =
        std::move(digests[i]);
  }
}

absl::Status CaseInputs::Update(const std::string& frozen_sha256) {
  if (options_.folder.empty() || study_.layout.first_trained == 0) {
    return absl::OkStatus();
  }
  if (frozen_sha256 == frozen_sha256_) return absl::OkStatus();
  frozen_sha256_ = frozen_sha256;
  store_.reset();
  HILUM_ASSIGN_OR_RETURN(int64_t size, modules_.first().FeatureSize());
  feature_size_ = static_cast<size_t>(size);
  if (digests_.empty()) FindDigests();
  const std::string key = StoreKey(frozen_sha256);
  HILUM_RETURN_IF_ERROR(RemoveOtherFeatureStores(options_.folder, {key}));
  absl::StatusOr<std::unique_ptr<FeatureStore>> store =
      FeatureStore::Open({.folder = options_.folder,
                          .key = key,
                          .feature_size = feature_size_,
                          .encryption_key = options_.encryption_key.Copy(),
                          .max_bytes = kMostBytes},
                         RealSecureRng());
  absl::Status status = store.status();
  if (status.ok()) {
    store_ = *std::move(store);
    status = Compute();
  }
  if (absl::IsResourceExhausted(status) || absl::IsFailedPrecondition(status)) {
    options_.log(absl::StrCat("features are not kept, which is slow: ",
                              status.message()));
    // The site's other files need the room more than the cache does.
    if (absl::IsResourceExhausted(status)) {
      store_.reset();
      return RemoveOtherFeatureStores(options_.folder, {});
    }
    return absl::OkStatus();
  }
  return status;
}

absl::Status CaseInputs::Compute() {
  const std::vector<Version> all = All();
  std::vector<size_t> missing;  // chunks
  for (size_t chunk = 0; chunk < NumChunks(all.size()); ++chunk) {
    const auto of_chunk = ChunkOf<Version>(all, chunk);
    if (std::any_of(of_chunk.begin(), of_chunk.end(), [&](const Version& v) {
          return !store_->Has(DigestOf(v.arm, v.of_case));
        })) {
      missing.push_back(chunk);
    }
  }
  if (missing.empty()) return absl::OkStatus();
  options_.log(absl::StrCat(
      "features of ", all.size(), " images under the frozen trunk; ",
      missing.size() * kChunk >= all.size() ? all.size()
                                            : missing.size() * kChunk,
      " are to be computed"));
  struct Computed {
    std::vector<std::string> digests;
    std::vector<float> features;
  };
  const size_t tenth = std::max<size_t>(1, missing.size() / 10);
  return modules_.ForEachPass<Computed>(
      static_cast<int64_t>(missing.size()),
      [&](Module& module, int64_t i, Computed& out) -> absl::Status {
        std::vector<float> pixels;
        out.digests.clear();
        for (const Version& v :
             ChunkOf<Version>(all, missing[static_cast<size_t>(i)])) {
          study_.AppendPixels(v.arm, v.of_case, pixels);
          out.digests.push_back(DigestOf(v.arm, v.of_case));
        }
        HILUM_ASSIGN_OR_RETURN(out.features, module.Features(pixels));
        return absl::OkStatus();
      },
      [&](int64_t i, Computed& out) -> absl::Status {
        const size_t done = static_cast<size_t>(i) + 1;
        if (done % tenth == 0) {
          options_.log(
              absl::StrCat("features: ", 100 * done / missing.size(), " %"));
        }
        return store_->Append(out.digests, out.features);
      });
}

const std::string& CaseInputs::DigestOf(v1::Arm arm,
                                        const CaseVersion& version) const {
  static const std::string* const kNone = new std::string;
  auto found = digests_.find({arm, version.index, version.version});
  return found == digests_.end() ? *kNone : found->second;
}

bool CaseInputs::ReadFeatures(v1::Arm arm,
                              absl::Span<const CaseVersion> versions,
                              std::vector<float>& values) const {
  if (store_ == nullptr) return false;
  values.resize(versions.size() * feature_size_);
  for (size_t i = 0; i < versions.size(); ++i) {
    const std::string& digest = DigestOf(arm, versions[i]);
    if (digest.empty() || !store_->Has(digest)) return false;
    absl::Span<float> out(values.data() + i * feature_size_, feature_size_);
    // Computes a damaged feature again, like a missing one.
    if (!store_->Read(digest, out).ok()) return false;
  }
  return true;
}

Inputs CaseInputs::Of(v1::Arm arm,
                      absl::Span<const CaseVersion> versions) const {
  Inputs inputs;
  inputs.features = ReadFeatures(arm, versions, inputs.values);
  if (inputs.features) return inputs;
  inputs.values.clear();
  for (const CaseVersion& version : versions) {
    study_.AppendPixels(arm, version, inputs.values);
  }
  return inputs;
}

}  // namespace hilum
