// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/dataset.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/data/load_case.h"

namespace hilum {
namespace {

struct Loaded : LoadedCase {
  absl::Status status;
};

std::vector<Loaded> LoadAll(const CaseManifest& manifest,
                            const DatasetOptions& options) {
  std::vector<Loaded> loaded(manifest.cases.size());
  const CaseLoader loader(manifest);
  const CasePlanes planes{.size = options.input_size,
                          .whole = options.whole,
                          .segmented = options.segmented,
                          .lungs = options.lungs,
                          .judge_masks = options.judge_masks};
  std::atomic<size_t> next{0};
  auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < loaded.size();) {
      loaded[i].status = loader.Load(manifest.cases[i], planes, loaded[i]);
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
  std::vector<Loaded> loaded = LoadAll(manifest, options);
  std::vector<CaseFault> faults;
  std::vector<std::string> digests;
  for (size_t i = 0; i < loaded.size(); ++i) {
    if (!loaded[i].status.ok()) {
      faults.push_back({i, std::string(loaded[i].status.message())});
    }
    // An unreadable image has no duplicates.
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
    dataset.image_digests.push_back(std::move(loaded[i].image_digest));
    dataset.facts.push_back(std::move(loaded[i].facts));
    if (options.whole) dataset.whole.push_back(std::move(loaded[i].whole));
    if (options.segmented) {
      dataset.segmented.push_back(std::move(loaded[i].segmented));
    }
    if (!options.lungs) continue;
    if (options.whole) {
      dataset.whole_lungs.push_back(std::move(loaded[i].whole_lungs));
    }
    if (options.segmented) {
      dataset.segmented_lungs.push_back(std::move(loaded[i].segmented_lungs));
    }
  }
  RejectCases(manifest, faults);
  dataset.manifest = std::move(manifest);
  return dataset;
}

}  // namespace hilum
