// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "common/config/message_yaml.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using Json = nlohmann::ordered_json;

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json RisksJson(const StudyView& view) {
  Json risks = Json::array();
  for (const Risk& risk : view.risks) {
    risks.push_back({{"name", risk.name},
                     {"sentence", risk.sentence},
                     {"accepted", view.accepted.risks.contains(risk.name)}});
  }
  return risks;
}

}  // namespace

std::string StudyJson(const StudyView& view) {
  const v1::Study& study = view.study;
  Json json;
  json["hash"] = ToHex(view.hash);
  json["name"] = study.name();
  json["state"] = view.decision;
  json["task"] = IsSegmentation(study) ? "segmentation" : "classification";
  json["sites"] =
      std::vector<std::string>(study.sites().begin(), study.sites().end());
  json["secure_aggregation"] = IsSecure(study);
  json["weights"] = {{"sha256", ToHex(study.initial_weights_sha256())},
                     {"known", view.weights.is_known},
                     {"sentence", view.weights.sentence},
                     {"accepted", !LacksWeights(view)}};
  json["conflicts"] = view.conflicts;
  json["risks"] = RisksJson(view);
  json["approve"] = ApproveCommand(view);
  json["study"] = StudyYaml(study);
  return Line(json);
}

std::string UnreadableStudyJson(absl::string_view hash, absl::string_view state,
                                absl::string_view error) {
  Json json;
  json["hash"] = std::string(hash);
  json["state"] = std::string(state);
  json["error"] = std::string(error);
  return Line(json);
}

}  // namespace hilum
