// SPDX-License-Identifier: Apache-2.0
#include "common/config/starting_weights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (text.size() > kMaxDataText) {
    return Bad(field, absl::StrCat(text.size(), " characters, of at most ",
                                   kMaxDataText));
  }
  if (Printable(text, kMaxDataText) == text) return absl::OkStatus();
  return Bad(field, "not printable; write it in ASCII without backslashes");
}

bool AreAscending(absl::string_view digests) {
  for (size_t at = kDigestPrefix; at < digests.size(); at += kDigestPrefix) {
    if (digests.substr(at - kDigestPrefix, kDigestPrefix) >=
        digests.substr(at, kDigestPrefix)) {
      return false;
    }
  }
  return true;
}

absl::Status CheckDigests(const std::string& field, const v1::TrainedOn& data) {
  const std::string& digests = data.digests();
  if (digests.empty()) return absl::OkStatus();
  if (digests.size() % kDigestPrefix != 0 ||
      digests.size() / kDigestPrefix != data.images()) {
    return Bad(field, absl::StrCat(digests.size(), " bytes, which are not ",
                                   kDigestPrefix, " for each of ",
                                   data.images(), " images"));
  }
  if (AreAscending(digests)) return absl::OkStatus();
  return Bad(field, "not in ascending order, or one of them is twice");
}

}  // namespace

absl::Status CheckTrainedOn(const TrainedOnList& data) {
  if (data.size() > kMaxTrainedOn) {
    return Bad("trained_on", absl::StrCat(data.size(), " sets of images, of ",
                                          "at most ", kMaxTrainedOn));
  }
  uint64_t listed = 0;
  for (int i = 0; i < data.size(); ++i) {
    const std::string set = absl::StrCat("trained_on[", i, "]");
    if (data[i].name().empty()) return Bad(set + ".name", "missing");
    HILUM_RETURN_IF_ERROR(CheckText(set + ".name", data[i].name()));
    HILUM_RETURN_IF_ERROR(CheckText(set + ".licence", data[i].licence()));
    if (data[i].images() == 0 || data[i].images() > kMaxTrainedImages) {
      return Bad(set + ".images", absl::StrCat("from 1 to ", kMaxTrainedImages,
                                               ", not ", data[i].images()));
    }
    HILUM_RETURN_IF_ERROR(CheckDigests(set + ".digests", data[i]));
    listed += data[i].digests().size() / kDigestPrefix;
  }
  if (listed <= kMaxListedImages) return absl::OkStatus();
  return Bad("trained_on", absl::StrCat(listed, " digests of images, of at ",
                                        "most ", kMaxListedImages));
}

absl::Status CheckStartingWeights(const v1::Study& study) {
  if (!study.has_starting_weights()) return absl::OkStatus();
  const v1::StartingWeights& weights = study.starting_weights();
  HILUM_RETURN_IF_ERROR(CheckText("file", weights.file()));
  if (weights.file_sha256().size() != 32) {
    return Bad("file_sha256", absl::StrCat(weights.file_sha256().size(),
                                           " bytes, which are no SHA-256"));
  }
  return CheckTrainedOn(weights.trained_on());
}

std::string JoinDigests(std::vector<std::string> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return absl::StrJoin(prefixes, "");
}

bool ListsDigest(absl::string_view digests, absl::string_view prefix) {
  size_t low = 0, high = digests.size() / kDigestPrefix;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const absl::string_view there =
        digests.substr(middle * kDigestPrefix, kDigestPrefix);
    if (there == prefix) return true;
    if (there < prefix) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

bool ListsImages(const v1::Study& study) {
  const TrainedOnList& data = study.starting_weights().trained_on();
  return std::any_of(data.begin(), data.end(), [](const v1::TrainedOn& set) {
    return !set.digests().empty();
  });
}

bool ExcludesSeen(const v1::Study& study) {
  return study.evaluation().exclude_pretraining_cases() && ListsImages(study);
}

bool MayHaveSeenMore(const v1::Study& study) {
  if (!study.has_starting_weights()) return false;
  const TrainedOnList& data = study.starting_weights().trained_on();
  return data.empty() ||
         std::any_of(data.begin(), data.end(), [](const v1::TrainedOn& set) {
           return set.digests().empty();
         });
}

std::string DescribeTrainedOn(const v1::TrainedOn& data) {
  return absl::StrCat(data.name(), " (", data.images(),
                      data.images() == 1 ? " image" : " images",
                      data.licence().empty() ? "" : ", ", data.licence(),
                      data.digests().empty() ? ", not listed" : "", ")");
}

std::string DescribeTrainedOn(const TrainedOnList& data) {
  if (data.empty()) return "data that its file does not name";
  std::vector<std::string> sets;
  for (const v1::TrainedOn& set : data) sets.push_back(DescribeTrainedOn(set));
  return absl::StrJoin(sets, "; ");
}

std::string DescribeStartingWeights(const v1::Study& study) {
  if (!study.has_starting_weights()) {
    return absl::StrCat("drawn from the seed ", study.seed());
  }
  const v1::StartingWeights& weights = study.starting_weights();
  return absl::StrCat("file ", weights.file(), " (SHA-256 ",
                      ToHex(weights.file_sha256()), "), which learned from ",
                      DescribeTrainedOn(weights.trained_on()));
}

}  // namespace hilum
