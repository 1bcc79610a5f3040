// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_facts.h"

#include <algorithm>

#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/model/architecture.h"

namespace hilum {

absl::StatusOr<StudyFacts> FactsOfStudy(absl::string_view bytes) {
  StudyFacts facts;
  HILUM_ASSIGN_OR_RETURN(facts.study, ParseStudy(bytes));
  const v1::Study& study = facts.study;
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study));
  facts.cohort.insert(study.sites().begin(), study.sites().end());
  facts.last_round = study.training().rounds() + 1;
  facts.tracks = StudyTracks(study).size();
  facts.cells = static_cast<size_t>(study.cross_validation().folds()) *
                static_cast<size_t>(study.classes_size());
  const auto all =
      static_cast<uint64_t>(layout.frozen_size + layout.travelling_size);
  facts.initial_bytes = all * sizeof(float);
  facts.model_bytes = facts.tracks *
                      static_cast<uint64_t>(layout.travelling_size) *
                      sizeof(float);
  const VectorLayout vector{.track_size = layout.travelling_size,
                            .num_tracks = static_cast<int>(facts.tracks),
                            .validates = IsValidated(study)};
  const int64_t longest = std::max(
      {vector.size(), CensusVectorSize(study), EvaluationVectorSize(study)});
  facts.vector_bytes = static_cast<uint64_t>(longest) * sizeof(uint32_t);
  facts.manifest_sha256 = layout.manifest_sha256;
  return facts;
}

}  // namespace hilum
