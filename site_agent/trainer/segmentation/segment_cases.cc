// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segment_cases.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/learning/local_training.h"

namespace hilum {
namespace {

absl::Status LoadCase(const CaseLoader& loader, const CaseRow& row, int size,
                      SegmentCase& out) {
  HILUM_ASSIGN_OR_RETURN(GrayImage image, loader.Image(row));
  HILUM_ASSIGN_OR_RETURN(out.plane, PrepareWhole(image, size));
  HILUM_ASSIGN_OR_RETURN(BinaryMask mask,
                         loader.Mask(row, image.rows, image.columns));
  GrayImage gray{mask.rows, mask.columns, {}};
  gray.pixels.assign(mask.pixels.begin(), mask.pixels.end());
  for (float v : ResizeImage(gray, size, size).pixels) {
    out.mask.push_back(
        static_cast<uint8_t>(std::lround(std::clamp(v, 0.0f, 1.0f) * 255)));
  }
  return absl::OkStatus();
}

}  // namespace

void ForEach(size_t count, int threads, absl::FunctionRef<void(size_t)> work) {
  std::atomic<size_t> next{0};
  auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) work(i);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(run);
  run();
  for (std::thread& thread : others) thread.join();
}

SegmentCases LoadSegmentCases(const CaseManifest& manifest, int size,
                              int threads) {
  std::vector<SegmentCase> loaded;
  for (size_t i = 0; i < manifest.cases.size(); ++i) {
    if (!manifest.cases[i].mask.empty()) loaded.push_back({i, {}, {}});
  }
  const CaseLoader loader(manifest);
  std::vector<absl::Status> statuses(loaded.size());
  ForEach(loaded.size(), threads, [&](size_t i) {
    statuses[i] =
        LoadCase(loader, manifest.cases[loaded[i].index], size, loaded[i]);
  });
  SegmentCases out;
  for (size_t i = 0; i < loaded.size(); ++i) {
    const CaseRow& row = manifest.cases[loaded[i].index];
    if (statuses[i].ok()) {
      out.cases.push_back(std::move(loaded[i]));
    } else {
      out.rejected.push_back(
          {row.row, row.file, std::string(statuses[i].message())});
    }
  }
  return out;
}

bool IsHeldOut(const std::string& patient_id, double share, uint64_t seed) {
  const uint64_t bits = PatientBits("hilum segment hold-out", seed, patient_id);
  return std::ldexp(static_cast<double>(bits), -56) < share;
}

}  // namespace hilum
