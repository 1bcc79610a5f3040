// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/orientation_cases.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/upright/find_orientation.h"
#include "site_agent/trainer/data/augment.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/learning/local_training.h"
#include "site_agent/trainer/segmentation/segment_cases.h"

namespace hilum {
namespace {

// Longer side of the image from which the input is made; as in hilum-ingest.
constexpr int kKeptSide = 1024;

absl::Status LoadCase(const CaseLoader& loader, const CaseRow& row,
                      OrientationCase& out) {
  HILUM_ASSIGN_OR_RETURN(GrayImage image, loader.Image(row));
  HILUM_ASSIGN_OR_RETURN(const SizedPlane whole,
                         PrepareWholeWithin(image, kKeptSide));
  for (float v : OrientationInput(whole)) {
    v = std::clamp(v, 0.0f, 1.0f);
    out.plane.push_back(static_cast<uint16_t>(std::lrint(v * 65535.0f)));
  }
  return absl::OkStatus();
}

v1::Augmentation Reach() {
  v1::Augmentation reach;
  reach.set_rotation_degrees(12);
  reach.set_shift(0.08);
  reach.set_scale(0.18);
  reach.set_intensity(0.25);
  reach.set_gamma(0.4);
  return reach;
}

}  // namespace

OrientationCases LoadOrientationCases(const CaseManifest& manifest,
                                      int threads) {
  std::vector<OrientationCase> loaded(manifest.cases.size());
  std::vector<absl::Status> statuses(loaded.size());
  const CaseLoader loader(manifest);
  ForEach(loaded.size(), threads, [&](size_t i) {
    loaded[i].index = i;
    statuses[i] = LoadCase(loader, manifest.cases[i], loaded[i]);
  });
  OrientationCases out;
  for (size_t i = 0; i < loaded.size(); ++i) {
    const CaseRow& row = manifest.cases[i];
    if (statuses[i].ok()) {
      out.cases.push_back(std::move(loaded[i]));
    } else {
      out.rejected.push_back(
          {row.row, row.file, std::string(statuses[i].message())});
    }
  }
  return out;
}

int OrientationFold(const std::string& patient_id, int folds, uint64_t seed) {
  const uint64_t bits = PatientBits("hilum orientation fold", seed, patient_id);
  return static_cast<int>(bits % static_cast<uint64_t>(folds));
}

void AppendVersion(const Plane& plane, Rng& rng, std::vector<float>& pixels) {
  static const auto* const reach = new v1::Augmentation(Reach());
  AppendAugmented(plane, kOrientationSide, *reach, rng, pixels);
}

}  // namespace hilum
