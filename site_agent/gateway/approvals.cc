// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/approvals.h"

#include <filesystem>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// How the lines of an approval begin.
constexpr absl::string_view kAccept = "accept ";
constexpr absl::string_view kWeights = "weights ";
constexpr absl::string_view kBy = "by ";
constexpr size_t kMaxName = 200;

std::string ByLine(absl::string_view by) {
  if (by.empty()) return "";
  return absl::StrCat(kBy, absl::StrReplaceAll(by, {{"\n", " "}}), "\n");
}

// Returns the hash, raw; empty if `hex` is not a hash.
std::string HashOf(absl::string_view hex) {
  return hex.size() == 64 ? FromHex(hex).value_or("") : "";
}

std::set<std::string> Without(std::set<std::string> hashes,
                              const std::set<std::string>& others) {
  for (const std::string& hash : others) hashes.erase(hash);
  return hashes;
}

std::set<std::string> Both(const std::set<std::string>& hashes,
                           const std::set<std::string>& others) {
  std::set<std::string> both;
  std::set_intersection(hashes.begin(), hashes.end(), others.begin(),
                        others.end(), std::inserter(both, both.end()));
  return both;
}

absl::string_view RecordedSuffix(bool refused) {
  return refused ? ".refusal-recorded" : ".approval-recorded";
}

}  // namespace

absl::StatusOr<Approvals> Approvals::Open(const std::string& state_dir) {
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
    if (!absl::ConsumeSuffix(&hex, suffix)) continue;
    std::string hash = HashOf(hex);
    if (!hash.empty()) hashes.insert(std::move(hash));
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

std::string Approvals::StudyPath(absl::string_view hash) const {
  return absl::StrCat(studies_, "/", ToHex(hash), ".study");
}

std::set<std::string> Approvals::Index() const {
  std::set<std::string> hashes;
  absl::StatusOr<std::string> text = ReadFile(studies_ + "/offers");
  if (!text.ok()) return hashes;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    std::string hash = HashOf(line);
    if (!hash.empty()) hashes.insert(std::move(hash));
  }
  return hashes;
}

absl::Status Approvals::PutOffer(absl::string_view hash,
                                 absl::string_view study) const {
  if (Sha256Of(study) != hash) {
    return absl::DataLossError("the study offered does not have its hash");
  }
  if (study.size() > kMaxStudyBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a study of ", study.size(), " bytes, of at most ", kMaxStudyBytes));
  }
  // The index first: a decision may come as soon as the file is there.
  std::set<std::string> index = Index();
  if (index.insert(std::string(hash)).second) {
    std::string text;
    for (const std::string& offered : index) {
      absl::StrAppend(&text, ToHex(offered), "\n");
    }
    HILUM_RETURN_IF_ERROR(WriteFileAtomically(studies_ + "/offers", text));
  }
  return WriteFileAtomically(StudyPath(hash), study);
}

absl::StatusOr<std::string> Approvals::Offer(absl::string_view hash) const {
  const std::string path = StudyPath(hash);
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (!Index().contains(std::string(hash)) ||
      status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(
        absl::StrCat("study ", ToHex(hash), " was not offered to this site"));
  }
  // Reading another kind of file might never end.
  absl::StatusOr<std::string> study =
      status.type() == std::filesystem::file_type::regular
          ? ReadFile(path, kMaxStudyBytes)
          : absl::DataLossError("");
  if (!study.ok() || Sha256Of(*study) != hash) {
    return absl::DataLossError(
        absl::StrCat(path, ": changed since it was offered"));
  }
  return study;
}

std::set<std::string> Approvals::Offered() const {
  std::set<std::string> offered;
  for (const std::string& hash : Index()) {
    if (Offer(hash).ok()) offered.insert(hash);
  }
  return offered;
}

size_t Approvals::Strangers() const {
  return Without(List(studies_, ".study"), Offered()).size();
}

Approvals::Waiting Approvals::Undecided() const {
  std::set<std::string> undecided =
      Without(Without(Offered(), List(approvals_, ".approved")),
              List(approvals_, ".refused"));
  Waiting waiting;
  for (const std::string& hash : undecided) {
    absl::StatusOr<std::string> study = Offer(hash);
    if (!study.ok()) continue;
    ++waiting.count;
    waiting.bytes += study->size();
  }
  return waiting;
}

std::set<std::string> Approvals::Approved() const {
  return Without(Without(Both(List(approvals_, ".approved"), Offered()),
                         List(approvals_, ".refused")),
                 List(approvals_, ".ended"));
}

std::set<std::string> Approvals::Refused() const {
  return Without(Both(List(approvals_, ".refused"), Offered()),
                 List(approvals_, ".ended"));
}

bool Approvals::HasEnded(absl::string_view hash) const {
  return FileExists(MarkPath(hash, ".ended"));
}

std::set<std::string> Approvals::EverApproved() const {
  return List(approvals_, ".approved");
}

absl::Status Approvals::Approve(absl::string_view hash,
                                const Acceptance& accepted,
                                absl::string_view by) const {
  HILUM_RETURN_IF_ERROR(Offer(hash).status());
  std::string lines = ByLine(by);
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
    } else if (absl::ConsumePrefix(&line, kWeights)) {
      accepted.weights_sha256 = HashOf(line);
    }
  }
  return accepted;
}

absl::Status Approvals::Refuse(absl::string_view hash,
                               absl::string_view by) const {
  HILUM_RETURN_IF_ERROR(Offer(hash).status());
  return Mark(hash, ".refused", ByLine(by));
}

std::string Approvals::DecidedBy(absl::string_view hash, bool refused) const {
  const absl::StatusOr<std::string> lines =
      ReadFile(MarkPath(hash, refused ? ".refused" : ".approved"), 1 << 16);
  if (!lines.ok()) return "";
  for (absl::string_view line : absl::StrSplit(*lines, '\n')) {
    if (absl::ConsumePrefix(&line, kBy)) return Printable(line, kMaxName);
  }
  return "";
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
