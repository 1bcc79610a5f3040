// SPDX-License-Identifier: Apache-2.0
// A study as one site has it: its plan, its cases, who is in which part.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_PREPARED_STUDY_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_PREPARED_STUDY_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/rng.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/trainer/data/case_pool.h"

namespace hilum {

// What a track does with a case.
enum class Part { kTraining, kValidation, kHeldOut };

// One version of one case: 0 is the case itself.
struct CaseVersion {
  size_t index;  // of the pool
  uint64_t version;
};

// Returns the key of all that decides who is learned from together and how:
// the order of cases, versions of images, dropout. It is HMAC-SHA-256 under the
// site's patient key, which never leaves it, so that neither the coordinator
// nor other sites can tell who shared a batch; over the study without its
// pinned keys and what only secure aggregation asks for (secure_aggregation,
// minimum_sites, step_deadline_seconds). The same key, study and cases give the
// same bits with and without masks, and two studies do not draw alike.
std::string DrawsKeyOf(absl::string_view patient_key, const v1::Study& study);

struct PreparedStudy {
  v1::Study study;
  std::string hash;  // 32 bytes
  ParameterLayout layout;
  std::vector<Track> tracks;
  std::string site;
  CasePool pool;
  // 32 bytes, as DrawsKeyOf has it: a secret of the site's.
  std::string draws_key;
  // As PrepareRequest has it.
  uint32_t minimum_steps = 0;
  // Arms for which this site has cases, but too few: see LeaveOutThinArms.
  std::set<v1::Arm> thin_arms;

  const std::vector<CaseRow>& cases() const { return pool.data.manifest.cases; }
  int classes() const { return study.classes_size(); }
  const Plane& PlaneOf(v1::Arm arm, size_t index) const {
    return arm == v1::ARM_WHOLE ? pool.data.whole[index]
                                : pool.data.segmented[index];
  }

  // As Dataset has them; empty without a mask or where none is wanted.
  const Plane& LungsOf(v1::Arm arm, size_t index) const;

  // Whether the arm has the case: its plane is there and, in a study of
  // segmentation, its lungs. No case is in a thin arm.
  bool Has(v1::Arm arm, size_t index) const;

  // Leaves out each arm of which a track has cases here, but too few to make
  // minimum_steps steps in a round: this site would count as one of those that
  // hide the others in the track's sum, and give zeros. Asks nothing with
  // minimum_steps 0. Call after the pool is loaded.
  void LeaveOutThinArms();

  // Pool indices, ascending. Cases that the arm does not have are in no part.
  std::vector<size_t> CasesOf(const Track& track, Part part) const;

  // The version of a case that is learned from in the `epoch`-th epoch of all,
  // from 0.
  uint64_t VersionAt(size_t index, uint64_t epoch) const;
  // Versions 0 .. this - 1 are met again and again: those learned from, where
  // the study fixes them, and the case itself.
  uint64_t NumFixedVersions() const;
  // Appends its pixels, [size * size]. They depend on draws_key, the case's
  // image, the arm and the version.
  void AppendPixels(v1::Arm arm, CaseVersion version,
                    std::vector<float>& pixels) const;

  // The site's smoothed log shares of classes among these cases, times the
  // study's logit_adjustment; empty where that is 0. [classes]
  std::vector<float> LogitOffsets(absl::Span<const size_t> trained) const;

  // Cases of a step of a track that learns from so many, as BatchSizeFor has
  // it; 0: the track is not trained here.
  size_t BatchSizeOf(size_t cases) const;

  // A stream that only who knows draws_key can foresee.
  Rng SecretRng(absl::string_view stream) const;
  // The one of this site's, of a track and round.
  Rng MakeRng(const char* purpose, const Track& track, uint32_t round) const;

  // Without a fingerprint where the arm has fewer than kFingerprintCases: it
  // would be nearly that of one image.
  v1::ArmCensus Census(v1::Arm arm) const;
  // Patients of each fold and class from whom a track of the arm learns, [folds
  // * classes]: with a usable case of the class in the fold, and not kept for
  // validation. The draw of validation patients is the same in all tracks; if
  // tracks that train on the fold differ, the smallest number counts.
  std::vector<uint64_t> TrainingPatients(v1::Arm arm) const;
  v1::Fingerprint FingerprintOf(v1::Arm arm) const;
  // As SubmitCensusRequest has them: [classes].
  std::vector<uint64_t> RejectedMasks() const;
  // For the site's log: classes of which it has no case.
  std::vector<std::string> AbsentClasses() const;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_PREPARED_STUDY_H_
