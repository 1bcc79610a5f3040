// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/approvals.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// Beginnings of lines of an approval.
constexpr absl::string_view kAccept = "accept ";
constexpr absl::string_view kWeights = "weights ";

absl::string_view RecordedSuffix(bool refused) {
  return refused ? ".refusal-recorded" : ".approval-recorded";
}

}  // namespace

absl::StatusOr<Approvals> Approvals::Open(std::string state_dir) {
  std::string studies = absl::StrCat(state_dir, "/studies");
  std::string approvals = absl::StrCat(state_dir, "/approvals");
  HILUM_RETURN_IF_ERROR(MakeDirectories(studies));
  HILUM_RETURN_IF_ERROR(MakeDirectories(approvals));
  return Approvals(std::move(studies), std::move(approvals));
}

std::set<std::string> Approvals::List(const std::string& directory,
                                      absl::string_view suffix) const {
  std::set<std::string> hashes;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    std::string name = entry.path().filename().string();
    absl::string_view hex = name;
    if (absl::ConsumeSuffix(&hex, suffix) && hex.size() == 64 &&
        std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
      hashes.insert(absl::HexStringToBytes(hex));
    }
  }
  return hashes;
}

std::string Approvals::MarkPath(absl::string_view hash,
                                absl::string_view suffix) const {
  return absl::StrCat(approvals_, "/", ToHex(hash), suffix);
}

absl::Status Approvals::Mark(absl::string_view hash, absl::string_view suffix,
                             absl::string_view content) const {
  return WriteFileAtomically(MarkPath(hash, suffix), content);
}

absl::Status Approvals::PutOffer(absl::string_view hash,
                                 absl::string_view study) const {
  if (Sha256Of(study) != hash) {
    return absl::DataLossError("the study offered does not have its hash");
  }
  return WriteFileAtomically(absl::StrCat(studies_, "/", ToHex(hash), ".study"),
                             study);
}

absl::StatusOr<std::string> Approvals::Offer(absl::string_view hash) const {
  HILUM_ASSIGN_OR_RETURN(
      std::string study,
      ReadFile(absl::StrCat(studies_, "/", ToHex(hash), ".study")));
  if (Sha256Of(study) != hash) {
    return absl::DataLossError(absl::StrCat(
        studies_, "/", ToHex(hash), ".study: changed since it was offered"));
  }
  return study;
}

std::set<std::string> Approvals::Offered() const {
  return List(studies_, ".study");
}

std::set<std::string> Approvals::Approved() const {
  std::set<std::string> approved = List(approvals_, ".approved");
  for (const std::string& hash : List(approvals_, ".refused")) {
    approved.erase(hash);
  }
  for (const std::string& hash : List(approvals_, ".ended")) {
    approved.erase(hash);
  }
  return approved;
}

std::set<std::string> Approvals::Refused() const {
  std::set<std::string> refused = List(approvals_, ".refused");
  for (const std::string& hash : List(approvals_, ".ended")) {
    refused.erase(hash);
  }
  return refused;
}

bool Approvals::HasEnded(absl::string_view hash) const {
  return FileExists(MarkPath(hash, ".ended"));
}

std::set<std::string> Approvals::EverApproved() const {
  return List(approvals_, ".approved");
}

absl::Status Approvals::Approve(absl::string_view hash,
                                const Acceptance& accepted) const {
  HILUM_RETURN_IF_ERROR(Offer(hash).status());
  std::string lines;
  for (const std::string& risk : accepted.risks) {
    absl::StrAppend(&lines, kAccept, risk, "\n");
  }
  if (!accepted.weights_sha256.empty()) {
    absl::StrAppend(&lines, kWeights, ToHex(accepted.weights_sha256), "\n");
  }
  return Mark(hash, ".approved", lines);
}

absl::StatusOr<Acceptance> Approvals::Accepted(absl::string_view hash) const {
  const std::string path = MarkPath(hash, ".approved");
  Acceptance accepted;
  if (!FileExists(path)) return accepted;
  HILUM_ASSIGN_OR_RETURN(std::string lines, ReadFile(path, 1 << 16));
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    if (absl::ConsumePrefix(&line, kAccept)) {
      accepted.risks.emplace(line);
    } else if (absl::ConsumePrefix(&line, kWeights) && line.size() == 64 &&
               std::all_of(line.begin(), line.end(), absl::ascii_isxdigit)) {
      accepted.weights_sha256 = absl::HexStringToBytes(line);
    }
  }
  return accepted;
}

absl::Status Approvals::Refuse(absl::string_view hash) const {
  HILUM_RETURN_IF_ERROR(Offer(hash).status());
  return Mark(hash, ".refused");
}

absl::Status Approvals::MarkEnded(absl::string_view hash) const {
  return Mark(hash, ".ended");
}

bool Approvals::IsRecorded(absl::string_view hash, bool refused) const {
  return FileExists(MarkPath(hash, RecordedSuffix(refused)));
}

absl::Status Approvals::MarkRecorded(absl::string_view hash,
                                     bool refused) const {
  return Mark(hash, RecordedSuffix(refused));
}

}  // namespace hilum
