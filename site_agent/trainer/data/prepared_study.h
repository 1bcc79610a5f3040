// SPDX-License-Identifier: Apache-2.0
// A study at one site: its plan, its cases, and each case's use.
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

// The use of a case in a track. Held out are the cases that the track is scored
// on, without those that the starting weights learned from where the study
// leaves these out (ExcludesSeen, common/config/starting_weights.h).
enum class Part { kTraining, kValidation, kHeldOut };

// One version of one case: 0 is the case itself.
struct CaseVersion {
  size_t index;  // into the pool
  uint64_t version;
};

// Returns the key of all random choices that affect training: the order of
// cases, versions of images, dropout. It is HMAC-SHA-256 under the site's
// patient key, which never leaves the site, so that neither the coordinator nor
// other sites can tell which cases shared a batch. The message is the study
// without its pinned keys and without the fields that only secure aggregation
// needs (secure_aggregation, minimum_sites, step_deadline_seconds). The same
// key, study and cases give the same bits with and without masks; two studies
// draw differently.
std::string DrawsKeyOf(absl::string_view patient_key, const v1::Study& study);

struct PreparedStudy {
  v1::Study study;
  std::string hash;  // 32 bytes
  ParameterLayout layout;
  std::vector<Track> tracks;
  std::string site;
  CasePool pool;
  // 32 bytes from DrawsKeyOf; never leaves the site.
  std::string draws_key;
  // PrepareRequest's minimum_steps.
  uint32_t minimum_steps = 0;
  // Arms with cases at this site, but too few: see LeaveOutThinArms.
  std::set<v1::Arm> thin_arms;

  const std::vector<CaseRow>& cases() const { return pool.data.manifest.cases; }
  int classes() const { return study.classes_size(); }
  const Plane& PlaneOf(v1::Arm arm, size_t index) const {
    return arm == v1::ARM_WHOLE ? pool.data.whole[index]
                                : pool.data.segmented[index];
  }

  // Returns Dataset's lungs; empty without a mask or where none is wanted.
  const Plane& LungsOf(v1::Arm arm, size_t index) const;

  // Returns whether the arm has the case: its plane exists and, in a study of
  // segmentation, its lungs. A thin arm has no case.
  bool Has(v1::Arm arm, size_t index) const;

  // Leaves out each arm in which a track has cases here, but too few for
  // minimum_steps steps in a round. The site would count among the sites that
  // hide each other in the track's sum, but would add zeros. Does nothing with
  // minimum_steps 0. Call after the pool is loaded.
  void LeaveOutThinArms();

  // Returns pool indices, ascending. Cases that the arm does not have are left
  // out.
  std::vector<size_t> CasesOf(const Track& track, Part part) const;

  // Returns the version of a case in training epoch `epoch`, from 0, counted
  // over all rounds.
  uint64_t VersionAt(size_t index, uint64_t epoch) const;
  // Returns n where versions 0 .. n - 1 are used repeatedly: the training
  // versions, where the study fixes them, and the case itself.
  uint64_t NumFixedVersions() const;
  // Appends the version's pixels, [size * size]. They depend on draws_key, the
  // case's image, the arm and the version.
  void AppendPixels(v1::Arm arm, CaseVersion version,
                    std::vector<float>& pixels) const;

  // Returns the site's smoothed log shares of classes among these cases, times
  // the study's logit_adjustment, [classes]; empty where that is 0.
  std::vector<float> LogitOffsets(absl::Span<const size_t> trained) const;

  // Returns the cases of a step of a track that trains on `cases` cases, see
  // BatchSizeFor; 0: the track is not trained here.
  size_t BatchSizeOf(size_t cases) const;

  // Returns a stream that is unpredictable without draws_key.
  Rng SecretRng(absl::string_view stream) const;
  // Returns this site's stream of a purpose, track and round.
  Rng MakeRng(const char* purpose, const Track& track, uint32_t round) const;

  // Returns the census; without a fingerprint where the arm has fewer than
  // kFingerprintCases, since it would show nearly one single image.
  v1::ArmCensus Census(v1::Arm arm) const;
  // Returns how many patients of each fold and class a track of the arm trains
  // on, [folds * classes]: those with a usable case of the class in the fold
  // that are not drawn for validation. All tracks draw the same validation
  // patients; if tracks that train on the fold differ, the smallest number
  // counts.
  std::vector<uint64_t> TrainingPatients(v1::Arm arm) const;
  // Returns those of them who have no case that the starting weights learned
  // from.
  std::vector<uint64_t> UnseenPatients(v1::Arm arm) const;
  // Returns the arm's cases of each fold and class that the starting weights
  // learned from, [folds * classes].
  std::vector<uint64_t> SeenCounts(v1::Arm arm) const;
  // Returns how many patients of each fold are kept for validation in the arm,
  // [folds]: those with a usable case in the fold. If tracks that learn from
  // the fold differ, the smallest number counts.
  std::vector<uint64_t> ValidationPatients(v1::Arm arm) const;
  v1::Fingerprint FingerprintOf(v1::Arm arm) const;
  // Returns SubmitCensusRequest's counts, [classes].
  std::vector<uint64_t> RejectedMasks() const;
  // Returns the classes without a case here, for the site's log.
  std::vector<std::string> AbsentClasses() const;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_PREPARED_STUDY_H_
