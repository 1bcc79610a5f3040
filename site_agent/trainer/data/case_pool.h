// SPDX-License-Identifier: Apache-2.0
// A trainer's cases and their folds: those of one site or, in a simulator, of
// several sites, each with its own folds.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_CASE_POOL_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_CASE_POOL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/trainer/data/dataset.h"
#include "site_agent/trainer/data/seen_cases.h"

namespace hilum {

struct CaseSource {
  std::string manifest;     // path, CSV
  std::string site_column;  // empty: every row is this site's
  std::string site;
  std::string patient_key;  // deals the folds
};

struct CasePool {
  // Returns whether the track that holds out `fold` trains on a case: no case
  // of its patient is in that fold. If there is one source, this asks only for
  // the case's own fold; with several, a patient may have been at two sites.
  bool TrainsOn(size_t index, int fold) const {
    return fold < 0 || (patient_folds[index] >> fold & 1) == 0;
  }

  Dataset data;
  std::vector<int> folds;                // [cases]
  std::vector<uint32_t> patient_folds;   // [cases], bit k: fold k
  std::vector<double> validation_ranks;  // [cases], as ValidationRanks
  // Cases that the study's starting weights learned from, found for each source
  // alone; marks [cases].
  SeenCases seen;
  SeenByTools seen_by_tools;
};

// Loads cases in the order of the sources. Each source's cases are read,
// rejected and dealt as if it were alone: fold k of the pool is the union of
// the sources' fold k. `threads` >= 1. Errors are ReadCaseManifest's.
absl::StatusOr<CasePool> LoadCasePool(absl::Span<const CaseSource> sources,
                                      const v1::Study& study, int threads);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_CASE_POOL_H_
