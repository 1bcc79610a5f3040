// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/local_states.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/model/blobs.h"

namespace hilum {

std::string LocalStates::Path(uint32_t round, size_t track) const {
  return absl::StrCat(folder_, "/", track, ".", round, ".local");
}

std::vector<uint32_t> LocalStates::Rounds(size_t track) const {
  std::vector<uint32_t> rounds;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_, error)) {
    const std::vector<std::string> parts =
        absl::StrSplit(entry.path().filename().string(), '.');
    uint32_t round = 0;
    if (parts.size() == 3 && parts[0] == absl::StrCat(track) &&
        parts[2] == "local" && absl::SimpleAtoi(parts[1], &round)) {
      rounds.push_back(round);
    }
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds;
}

absl::StatusOr<std::vector<float>> LocalStates::Before(uint32_t round,
                                                       size_t track,
                                                       int64_t size) const {
  if (folder_.empty()) return std::vector<float>();
  const std::vector<uint32_t> rounds = Rounds(track);
  auto after = std::lower_bound(rounds.begin(), rounds.end(), round);
  if (after == rounds.begin()) return std::vector<float>();
  const std::string path = Path(*(after - 1), track);
  HILUM_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  if (bytes.size() != static_cast<size_t>(size) * sizeof(float)) {
    return absl::DataLossError(absl::StrCat(
        path, ": ", bytes.size(), " bytes, not ", size, " numbers; a file of ",
        "another program, or cut short: delete it to start afresh"));
  }
  return BlobValues(bytes);
}

absl::Status LocalStates::Keep(uint32_t round, size_t track,
                               uint32_t best_round,
                               absl::Span<const float> values) const {
  if (folder_.empty()) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(MakeDirectories(folder_));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      Path(round, track), BlobBytes(values), Durability::kSync, 0600));
  const std::vector<uint32_t> rounds = Rounds(track);
  const uint32_t needed = std::min(round - 1, best_round);
  auto first = std::upper_bound(rounds.begin(), rounds.end(), needed);
  if (first == rounds.begin()) return absl::OkStatus();
  --first;
  for (auto old = rounds.begin(); old != first; ++old) {
    std::error_code ignored;
    std::filesystem::remove(Path(*old, track), ignored);
  }
  return absl::OkStatus();
}

}  // namespace hilum
