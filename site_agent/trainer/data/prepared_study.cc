// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/prepared_study.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/config/starting_weights.h"
#include "common/crypto/sha256.h"
#include "site_agent/trainer/data/augment.h"
#include "site_agent/trainer/data/steps.h"

namespace hilum {

std::string DrawsKeyOf(absl::string_view patient_key, const v1::Study& study) {
  v1::Study trained = study;
  trained.clear_site_keys();
  v1::Aggregation& sums = *trained.mutable_aggregation();
  sums.clear_secure_aggregation();
  sums.clear_minimum_sites();
  sums.clear_step_deadline_seconds();
  return HmacSha256(patient_key,
                    absl::StrCat("hilum training draws\n",
                                 Sha256Of(SerializeStudy(trained))));
}

bool PreparedStudy::Has(v1::Arm arm, size_t index) const {
  if (thin_arms.contains(arm) || PlaneOf(arm, index).empty()) return false;
  return !IsSegmentation(study) || !LungsOf(arm, index).empty();
}

void PreparedStudy::LeaveOutThinArms() {
  if (minimum_steps == 0) return;
  std::set<v1::Arm> thin;
  for (const Track& track : tracks) {
    const size_t trained = CasesOf(track, Part::kTraining).size();
    const size_t validates = CasesOf(track, Part::kValidation).size();
    if (trained + validates == 0) continue;
    if (trained == 0 || BatchSizeOf(trained) == 0) thin.insert(track.arm);
  }
  thin_arms = std::move(thin);
}

std::vector<size_t> PreparedStudy::CasesOf(const Track& track,
                                           Part part) const {
  const double share = study.training().validation().share();
  const bool leaves_out = ExcludesSeen(study);
  std::vector<size_t> found;
  for (size_t i = 0; i < pool.folds.size(); ++i) {
    if (!Has(track.arm, i)) continue;
    bool wanted = false;
    if (part == Part::kHeldOut) {
      wanted =
          pool.folds[i] == track.fold && !(leaves_out && pool.seen.marks[i]);
    } else if (pool.TrainsOn(i, track.fold)) {
      const bool validates = pool.validation_ranks[i] < share;
      wanted = validates == (part == Part::kValidation);
    }
    if (wanted) found.push_back(i);
  }
  return found;
}

const Plane& PreparedStudy::LungsOf(v1::Arm arm, size_t index) const {
  static const Plane* const kNone = new Plane;
  const std::vector<Plane>& lungs =
      arm == v1::ARM_WHOLE ? pool.data.whole_lungs : pool.data.segmented_lungs;
  return lungs.empty() ? *kNone : lungs[index];
}

uint64_t PreparedStudy::NumFixedVersions() const {
  const v1::Augmentation& reach = study.training().augmentation();
  return Augments(reach) ? std::max(1u, reach.views()) : 1;
}

uint64_t PreparedStudy::VersionAt(size_t index, uint64_t epoch) const {
  const v1::Augmentation& reach = study.training().augmentation();
  if (!Augments(reach)) return 0;
  if (reach.views() == 0) return 1 + epoch;
  // Starts each case at another version.
  const uint64_t start =
      SecretRng(absl::StrCat("views/", ToHex(pool.data.digests[index]))).Next();
  return (start % reach.views() + epoch) % reach.views();
}

void PreparedStudy::AppendPixels(v1::Arm arm, CaseVersion version,
                                 std::vector<float>& pixels) const {
  const Plane& plane = PlaneOf(arm, version.index);
  if (version.version == 0) return AppendPlane(plane, pixels);
  Rng rng = SecretRng(absl::StrCat("augment/", ArmName(arm), "/",
                                   ToHex(pool.data.digests[version.index]), "/",
                                   version.version));
  AppendAugmented(plane, static_cast<int>(study.model().input_size()),
                  study.training().augmentation(), rng, pixels);
}

std::vector<float> PreparedStudy::LogitOffsets(
    absl::Span<const size_t> trained) const {
  const double strength = study.training().logit_adjustment();
  if (strength == 0 || trained.empty()) return {};
  const size_t count = static_cast<size_t>(classes());
  std::vector<double> shares(count, 0.1 / static_cast<double>(count));
  for (size_t i : trained) {
    shares[static_cast<size_t>(cases()[i].label)] +=
        0.9 / static_cast<double>(trained.size());
  }
  std::vector<float> offsets;
  for (double share : shares) {
    offsets.push_back(static_cast<float>(strength * std::log(share)));
  }
  return offsets;
}

Rng PreparedStudy::MakeRng(const char* purpose, const Track& track,
                           uint32_t round) const {
  return SecretRng(
      absl::StrCat(purpose, "/", ArmTrackName(track), "/", round, "/", site));
}

Rng PreparedStudy::SecretRng(absl::string_view stream) const {
  const std::string digest = HmacSha256(draws_key, stream);
  uint64_t seed = 0;
  for (size_t i = 0; i < sizeof(seed); ++i) {
    seed = seed << 8 | static_cast<uint8_t>(digest[i]);
  }
  return Rng(seed, stream);
}

size_t PreparedStudy::BatchSizeOf(size_t cases) const {
  return BatchSizeFor(study, cases, minimum_steps);
}

std::vector<std::string> PreparedStudy::AbsentClasses() const {
  std::vector<bool> seen(static_cast<size_t>(classes()));
  for (const CaseRow& row : cases())
    seen[static_cast<size_t>(row.label)] = true;
  std::vector<std::string> absent;
  for (int c = 0; c < classes(); ++c) {
    if (!seen[static_cast<size_t>(c)]) absent.push_back(study.classes(c));
  }
  return absent;
}

}  // namespace hilum
