// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/dataset.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/decode.h"

namespace hilum {
namespace {

struct LoadedCase {
  absl::Status status;
  std::string digest;
  Plane whole;
  Plane segmented;
};

absl::Status Load(const CaseRow& row, const DatasetOptions& options,
                  LoadedCase& out) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes,
                         ReadFile(row.path, kMaxImageFileBytes));
  out.digest = Sha256Of(bytes);
  HILUM_ASSIGN_OR_RETURN(GrayImage image, DecodeImage(bytes));
  if (options.whole) {
    HILUM_ASSIGN_OR_RETURN(out.whole, PrepareWhole(image, options.input_size));
  }
  if (!options.segmented || row.mask.empty()) return absl::OkStatus();
  auto with_mask = [&]() -> absl::Status {
    HILUM_ASSIGN_OR_RETURN(std::string mask_bytes,
                           ReadFile(row.mask, kMaxImageFileBytes));
    HILUM_ASSIGN_OR_RETURN(GrayImage mask, DecodeImage(mask_bytes));
    HILUM_ASSIGN_OR_RETURN(out.segmented,
                           PrepareSegmented(image, mask, options.input_size));
    return absl::OkStatus();
  };
  absl::Status status = with_mask();
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("lung mask: ", status.message()));
}

std::vector<LoadedCase> LoadAll(const CaseManifest& manifest,
                                const DatasetOptions& options) {
  std::vector<LoadedCase> loaded(manifest.cases.size());
  std::atomic<size_t> next{0};
  auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < loaded.size();) {
      loaded[i].status = Load(manifest.cases[i], options, loaded[i]);
    }
  };
  std::vector<std::thread> threads;
  for (int t = 1; t < options.threads; ++t) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  return loaded;
}

}  // namespace

Dataset LoadDataset(CaseManifest manifest, const DatasetOptions& options) {
  std::vector<LoadedCase> loaded = LoadAll(manifest, options);
  std::vector<CaseFault> faults;
  std::vector<std::string> digests;
  for (size_t i = 0; i < loaded.size(); ++i) {
    if (!loaded[i].status.ok()) {
      faults.push_back({i, std::string(loaded[i].status.message())});
    }
    // What could not be read is nobody's duplicate.
    digests.push_back(loaded[i].digest.empty() ? absl::StrCat("row ", i)
                                               : loaded[i].digest);
  }
  for (CaseFault& fault : FindDuplicates(manifest, digests)) {
    faults.push_back(std::move(fault));
  }
  std::vector<bool> bad(loaded.size());
  for (const CaseFault& fault : faults) bad[fault.index] = true;
  Dataset dataset;
  for (size_t i = 0; i < loaded.size(); ++i) {
    if (bad[i]) continue;
    dataset.digests.push_back(std::move(digests[i]));
    if (options.whole) dataset.whole.push_back(std::move(loaded[i].whole));
    if (options.segmented) {
      dataset.segmented.push_back(std::move(loaded[i].segmented));
    }
  }
  RejectCases(manifest, faults);
  dataset.manifest = std::move(manifest);
  return dataset;
}

}  // namespace hilum
