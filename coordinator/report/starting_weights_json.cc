// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/starting_weights_json.h"

#include "common/config/starting_weights.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "coordinator/seen_by_weights.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

Json SetsJson(const TrainedOnList& data) {
  Json sets = Json::array();
  for (const v1::TrainedOn& set : data) {
    sets.push_back({{"name", set.name()},
                    {"licence", set.licence()},
                    {"images", set.images()},
                    {"listed", !set.digests().empty()}});
  }
  return sets;
}

Json SeenJson(const StudyResult& result) {
  Json json = Json::object();
  for (const SeenInArm& arm : SeenByWeights(result)) {
    Json& counts = json[ArmName(arm.arm)];
    counts = {{"held_out", arm.held_out}, {"seen", arm.seen}};
    for (int c = 0; c < result.study.classes_size(); ++c) {
      counts["per_class"][result.study.classes(c)] = {
          {"held_out", arm.class_held_out[static_cast<size_t>(c)]},
          {"seen", arm.class_seen[static_cast<size_t>(c)]}};
    }
  }
  return json;
}

}  // namespace

Json StartingWeightsJson(const StudyResult& result) {
  const v1::Study& study = result.study;
  const v1::StartingWeights& weights = study.starting_weights();
  const bool file = study.has_starting_weights();
  const v1::CensusTotals& totals = result.census_totals;
  return {{"architecture", study.model().architecture()},
          {"sha256", ToHex(study.initial_weights_sha256())},
          {"file", file ? Json(weights.file()) : Json(nullptr)},
          {"file_sha256",
           file ? Json(ToHex(weights.file_sha256())) : Json(nullptr)},
          {"trained_on", SetsJson(weights.trained_on())},
          {"known", !MayHaveSeenMore(study)},
          {"excluded", ExcludesSeen(study)},
          {"arms", SeenJson(result)},
          {"cases_not_compared", totals.cases_not_compared()},
          {"lungs_network_cases", totals.lungs_network_cases()},
          {"orientation_network_cases", totals.orientation_network_cases()}};
}

}  // namespace hilum
