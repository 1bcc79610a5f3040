// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/receiving_intake.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/ingest/incoming_file.h"
#include "site_agent/ingest/labels.h"
#include "site_agent/ingest/object_uid.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

using Kind = IntakeAnswer::Kind;

// Marks a file that is being taken at a start: if that ends the process, the
// next start refuses the file.
constexpr char kTried[] = ".tried";

}  // namespace

absl::StatusOr<std::unique_ptr<ReceivingIntake>> ReceivingIntake::Open(
    const ReceivingOptions& options, Clock& clock, SecureRng& rng) {
  std::unique_ptr<ReceivingIntake> intake(
      new ReceivingIntake(options, clock, rng));
  HILUM_RETURN_IF_ERROR(intake->OpenStore());
  const std::string incoming = IncomingFolder(options);
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(incoming, "/refused")));
  std::error_code error;
  intake->folder_ = fs::canonical(incoming, error).string();
  if (error) return ErrnoStatus(error.value(), "cannot open", incoming);
  HILUM_RETURN_IF_ERROR(intake->AddLabels());
  HILUM_RETURN_IF_ERROR(intake->Recover());
  HILUM_RETURN_IF_ERROR(intake->Export());
  return intake;
}

absl::Status ReceivingIntake::OpenStore() {
  if (intake_ != nullptr) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(intake_, Intake::Open({.store = options_.store,
                                                .key_file = options_.key_file,
                                                .actor = options_.actor,
                                                .words = options_.words},
                                               clock_, rng_));
  return absl::OkStatus();
}

absl::Status ReceivingIntake::AddLabels() {
  if (options_.labels.empty()) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(
      const LabelFile labels,
      ReadLabelFile(options_.labels, folder_, intake_->pseudonyms()));
  for (const std::string& line : labels.unused) std::cerr << line << std::endl;
  for (const std::string& line : labels.notes) std::cerr << line << std::endl;
  return intake_->AddLabels(labels);
}

absl::Status ReceivingIntake::Recover() {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(folder_, error), end;
  for (; !error && entries != end; entries.increment(error)) {
    if (entries->is_regular_file()) {
      names.push_back(entries->path().filename().string());
    }
  }
  if (error) return ErrnoStatus(error.value(), "cannot list", folder_);
  std::sort(names.begin(), names.end());
  for (std::string& name : names) {
    const std::string path = absl::StrCat(folder_, "/", name);
    const bool tried = absl::EndsWith(name, kTried);
    if (absl::EndsWith(name, ".part")) unlink(path.c_str());
    if (!tried && !absl::EndsWith(name, ".dcm")) continue;
    if (!tried) {
      absl::StrAppend(&name, kTried);
      if (rename(path.c_str(), absl::StrCat(path, kTried).c_str()) != 0) {
        return ErrnoStatus(errno, "cannot rename a file", folder_);
      }
      HILUM_RETURN_IF_ERROR(SyncDirectory(folder_));
    }
    // An error ends the start, and the file stays for the next one. Its name
    // has the object's UID, which must not be logged.
    const absl::Status status =
        TryTake(name, UidOfIncomingName(name), tried).status();
    if (!status.ok()) {
      return absl::Status(
          status.code(),
          absl::StrReplaceAll(status.message(), {{name, "a file"}}));
    }
  }
  return absl::OkStatus();
}

// Uses a pseudonym, so that the object, sent again, is the same source.
std::string ReceivingIntake::KeptPath(const std::string& uid) const {
  return absl::StrCat(folder_, "/refused/",
                      intake_->pseudonyms().Short("received", uid, 32), ".dcm");
}

absl::StatusOr<IntakeAnswer> ReceivingIntake::TryTake(const std::string& name,
                                                      const std::string& uid,
                                                      bool give_up) {
  HILUM_RETURN_IF_ERROR(OpenStore());
  const std::string path = absl::StrCat(folder_, "/", name);
  const std::string kept = KeptPath(uid.empty() ? name : uid);
  IntakeFile file{.path = path, .named_by_uid = true};
  HILUM_ASSIGN_OR_RETURN(file.stamp, StampOf(path));
  HILUM_ASSIGN_OR_RETURN(const auto before, intake_->FindSource(kept));
  file.read.chosen = before.has_value() && before->chosen;
  Prepared prepared;
  if (give_up) {
    prepared.image.refusal = Refusal::kDamaged;
    prepared.image.reason = "its decoder broke down over it";
  } else {
    prepared = intake_->Read(file);
  }
  if (prepared.image.refusal == Refusal::kUnreadable) {
    return absl::UnavailableError(prepared.image.reason);
  }
  const bool refused = prepared.image.refusal != Refusal::kNone;
  if (refused) {
    if (rename(path.c_str(), kept.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot rename", path);
    }
    HILUM_RETURN_IF_ERROR(SyncDirectory(absl::StrCat(folder_, "/refused")));
  }
  file.path = kept;
  HILUM_ASSIGN_OR_RETURN(Outcome outcome,
                         intake_->Record(file, std::move(prepared)));
  HILUM_RETURN_IF_ERROR(intake_->Commit());
  changed_ = true;
  if (refused) return IntakeAnswer{Kind::kRefused, outcome.reason};
  unlink(path.c_str());
  unlink(kept.c_str());  // from an earlier refusal
  return IntakeAnswer{Kind::kCommitted, ""};
}

IntakeAnswer ReceivingIntake::Take(absl::string_view name) {
  const std::string uid = UidOfIncomingName(name);
  if (uid.empty() || name.find('/') != absl::string_view::npos) {
    return {Kind::kError, "no name of an incoming file"};
  }
  auto answer = TryTake(std::string(name), uid, false);
  if (answer.ok()) return *std::move(answer);
  // The intake is useless after an error; the next call opens it anew.
  intake_.reset();
  unlink(absl::StrCat(folder_, "/", name).c_str());
  const absl::Status& status = answer.status();
  return {absl::IsResourceExhausted(status) ? Kind::kFull : Kind::kError,
          std::string(status.message())};
}

absl::StatusOr<bool> ReceivingIntake::IsKnown(absl::string_view sop_instance) {
  const std::string uid = ObjectUid(sop_instance);
  if (uid.empty()) return false;
  HILUM_RETURN_IF_ERROR(OpenStore());
  HILUM_ASSIGN_OR_RETURN(const auto source, intake_->FindSource(KeptPath(uid)));
  if (source.has_value()) return true;
  const IdKeys keys =
      KeysOf(intake_->pseudonyms(), "", ImageIds{.sop_instance = uid});
  HILUM_ASSIGN_OR_RETURN(const std::string case_id,
                         intake_->database().CaseOfSop(keys.of[5], ""));
  return !case_id.empty();
}

absl::Status ReceivingIntake::Export() {
  HILUM_RETURN_IF_ERROR(OpenStore());
  HILUM_RETURN_IF_ERROR(intake_->Export());
  changed_ = false;
  return absl::OkStatus();
}

}  // namespace hilum
