// SPDX-License-Identifier: Apache-2.0
#include "common/model/trained_on.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

// Longer than kMaxListedImages in base64 with the texts of kMaxTrainedOn sets.
constexpr size_t kMaxText = 1 << 20;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("metadata ", kTrainedOnKey, ": ", what,
                   "; `hilum-trainer weights trained-on` writes it anew"));
}

absl::StatusOr<std::string> Text(const Json& set, const char* key) {
  if (!set.contains(key)) return std::string();
  if (set[key].is_string()) return set[key].get<std::string>();
  return Bad(absl::StrCat(key, " is no text"));
}

absl::StatusOr<v1::TrainedOn> ReadSet(const Json& json) {
  if (!json.is_object() || !json.contains("images") ||
      !json["images"].is_number_unsigned()) {
    return Bad("a set of images without its number of images");
  }
  v1::TrainedOn set;
  HILUM_ASSIGN_OR_RETURN(*set.mutable_name(), Text(json, "name"));
  HILUM_ASSIGN_OR_RETURN(*set.mutable_licence(), Text(json, "licence"));
  set.set_images(json["images"].get<uint64_t>());
  HILUM_ASSIGN_OR_RETURN(const std::string digests, Text(json, "digests"));
  if (digests.empty()) return set;
  HILUM_ASSIGN_OR_RETURN(const std::string kind, Text(json, "digest"));
  if (kind != kDigestName) {
    return Bad(absl::StrCat("digests of another kind than ", kDigestName));
  }
  if (!absl::Base64Unescape(digests, set.mutable_digests())) {
    return Bad("digests that are not base64");
  }
  return set;
}

}  // namespace

absl::StatusOr<TrainedOnList> TrainedOnOf(
    const std::map<std::string, std::string>& metadata) {
  TrainedOnList data;
  const auto found = metadata.find(kTrainedOnKey);
  if (found == metadata.end()) return data;
  if (found->second.size() > kMaxText) {
    return Bad(
        absl::StrCat(found->second.size(), " bytes, of at most ", kMaxText));
  }
  const Json sets = Json::parse(found->second, nullptr,
                                /*allow_exceptions=*/false);
  if (!sets.is_array()) return Bad("no JSON array");
  for (const Json& json : sets) {
    HILUM_ASSIGN_OR_RETURN(*data.Add(), ReadSet(json));
  }
  if (absl::Status checked = CheckTrainedOn(data); !checked.ok()) {
    return Bad(checked.message());
  }
  return data;
}

std::string TrainedOnText(const TrainedOnList& data) {
  Json sets = Json::array();
  for (const v1::TrainedOn& set : data) {
    Json json = {{"name", set.name()},
                 {"licence", set.licence()},
                 {"images", set.images()}};
    if (!set.digests().empty()) {
      json["digest"] = kDigestName;
      json["digests"] = absl::Base64Escape(set.digests());
    }
    sets.push_back(std::move(json));
  }
  return sets.dump();
}

}  // namespace hilum
