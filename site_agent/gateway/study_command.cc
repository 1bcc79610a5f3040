// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/cli/study_reference.h"
#include "common/cli/usage.h"
#include "common/config/study.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/provenance.h"
#include "site_agent/gateway/site_config.h"
#include "site_agent/gateway/study_json.h"
#include "site_agent/gateway/study_text.h"

namespace hilum {
namespace {

// A site's configuration, its studies, and the site that is asked.
struct Desk {
  std::string config_path;
  Approvals approvals;
  AskedSite asked;
};

absl::StatusOr<Desk> OpenDesk(const std::string& config_path) {
  HILUM_ASSIGN_OR_RETURN(v1::SiteConfig config, LoadSiteConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(Approvals approvals,
                         Approvals::Open(config.state_dir()));
  AskedSite asked{.policy = config.policy()};
  const std::string& path = config.tls().certificate();
  HILUM_ASSIGN_OR_RETURN(asked.certificate_pem, ReadFile(path, 1 << 16));
  absl::StatusOr<CertificateInfo> info =
      ParseCertificate(asked.certificate_pem);
  if (!info.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", info.status().message()));
  }
  HILUM_ASSIGN_OR_RETURN(BearerName bearer, CertificateBearer(*info));
  asked.site = SiteId(bearer.site);
  return Desk{config_path, std::move(approvals), std::move(asked)};
}

bool IsUndecided(const Approvals& approvals, const std::string& hash) {
  return !approvals.HasEnded(hash) && !approvals.Refused().contains(hash) &&
         !approvals.Approved().contains(hash);
}

std::string DecisionOf(const Approvals& approvals, const std::string& hash) {
  if (approvals.HasEnded(hash)) return "ended";
  if (approvals.Refused().contains(hash)) return "refused";
  return approvals.Approved().contains(hash) ? "approved" : "waiting for you";
}

absl::StatusOr<v1::Study> ReadOffer(const Approvals& approvals,
                                    const std::string& hash) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes, approvals.Offer(hash));
  return ParseStudy(bytes);
}

KnownStudy KnownAs(const Approvals& approvals, const std::string& hash) {
  const absl::StatusOr<v1::Study> study = ReadOffer(approvals, hash);
  return {.hash = ToHex(hash),
          .name = study.ok() ? study->name() : "(unreadable)",
          .state = DecisionOf(approvals, hash)};
}

// Returns the offered studies in order of their hashes, for FindStudy.
std::vector<KnownStudy> KnownStudies(const Approvals& approvals) {
  std::vector<KnownStudy> known;
  for (const std::string& hash : approvals.Offered()) {
    known.push_back(KnownAs(approvals, hash));
  }
  return known;
}

// Returns the hash, raw. An empty `reference` means the only undecided study.
absl::StatusOr<std::string> FindOffer(const Approvals& approvals,
                                      const std::string& reference) {
  std::vector<KnownStudy> known = KnownStudies(approvals);
  if (!reference.empty()) {
    HILUM_ASSIGN_OR_RETURN(const size_t found, FindStudy(reference, known));
    return *FromHex(known[found].hash);
  }
  const std::vector<KnownStudy> all = known;
  std::erase_if(known, [&](const KnownStudy& study) {
    return !IsUndecided(approvals, *FromHex(study.hash));
  });
  if (known.size() == 1) return *FromHex(known[0].hash);
  if (all.empty()) {
    return absl::NotFoundError(
        "no study was offered to this site yet; hilum-site serve receives "
        "offers");
  }
  if (known.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no study is undecided; give the name or the hash of the one you ",
        "mean:\n", StudyLines(all)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      known.size(), " studies are undecided; give the name or the ",
      "hash of one:\n", StudyLines(known)));
}

// Asks whether the only undecided study is meant, where none was named: a
// decision cannot be taken back. INVALID_ARGUMENT: there is no terminal to ask
// on. CANCELLED: the answer was not yes.
absl::Status ConfirmUnnamed(const Approvals& approvals,
                            const std::string& reference,
                            const std::string& hash, absl::string_view verb) {
  if (!reference.empty()) return absl::OkStatus();
  const std::string candidate = StudyLines({KnownAs(approvals, hash)});
  if (isatty(STDIN_FILENO) != 1) {
    return UsageError(
        absl::StrCat("there is no terminal to ask on whether this study is "
                     "meant; give its hash:\n  ",
                     candidate));
  }
  std::cout << candidate
            << "\n`hilum-site study show` says what it does and risks.\n"
            << verb << " this study? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  const std::string word =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  if (word == "y" || word == "yes") return absl::OkStatus();
  return absl::CancelledError("nothing was decided");
}

// Returns the user of this machine who types.
std::string Officer() {
  const uid_t uid = getuid();
  const passwd* user = getpwuid(uid);
  return user == nullptr ? absl::StrCat("user ", uid)
                         : absl::StrCat("user ", user->pw_name);
}

absl::StatusOr<StudyView> ViewOf(const Desk& desk, const std::string& hash) {
  StudyView view{.hash = hash,
                 .decision = DecisionOf(desk.approvals, hash),
                 .asked = desk.asked,
                 .config_path = desk.config_path};
  HILUM_ASSIGN_OR_RETURN(view.study, ReadOffer(desk.approvals, hash));
  const std::string programs =
      std::filesystem::read_symlink("/proc/self/exe").parent_path();
  HILUM_ASSIGN_OR_RETURN(view.weights, FindProvenance(view.study, programs));
  view.conflicts = ConflictsOf(desk.asked, view.study);
  const std::vector<PastStudy> past = PastStudies(desk.approvals, hash);
  view.risks = RisksOf(view.study, desk.asked.site, desk.asked.policy, past);
  view.starts_like_past =
      std::any_of(past.begin(), past.end(), [&](const PastStudy& earlier) {
        return earlier.study.initial_weights_sha256() ==
               view.study.initial_weights_sha256();
      });
  HILUM_ASSIGN_OR_RETURN(view.accepted, desk.approvals.Accepted(hash));
  return view;
}

// Adds what the officer types now to what was accepted before.
absl::Status AddYes(const Decision& decision, StudyView& view) {
  const std::vector<std::string> known = RiskNames();
  for (const std::string& name : decision.accept) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return UsageError(absl::StrCat("--accept '", absl::CHexEscape(name),
                                     "' names no risk; there are ",
                                     absl::StrJoin(known, ", ")));
    }
    view.accepted.risks.insert(name);
  }
  const std::string& digest = view.study.initial_weights_sha256();
  if (!decision.weights.empty() &&
      FromHex(decision.weights).value_or("").size() != digest.size()) {
    return UsageError(absl::StrCat("--weights '",
                                   absl::CHexEscape(decision.weights),
                                   "' is not 64 hexadecimal digits"));
  }
  if (!decision.weights.empty() &&
      absl::AsciiStrToLower(decision.weights) != ToHex(digest)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--weights is not the digest of this study's starting ",
                     "weights, ", ToHex(digest)));
  }
  // Weights of known origin need no acceptance; the approval names them.
  if (!decision.weights.empty() || view.weights.is_known) {
    view.accepted.weights_sha256 = digest;
  }
  return absl::OkStatus();
}

absl::Status CheckUndone(const StudyView& view) {
  if (view.decision == "ended") {
    return absl::FailedPreconditionError(
        absl::StrCat("study ", view.study.name(), " has ended"));
  }
  if (view.decision == "refused") {
    return absl::FailedPreconditionError(absl::StrCat(
        "study ", view.study.name(), " was refused at this site, and the ",
        "refusal holds: the coordinator has been told. To take part after ",
        "all, ask its operator to stop the study and to submit it again: it ",
        "is then offered anew, with another hash"));
  }
  if (view.conflicts.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "study ", view.study.name(), " cannot be approved here:\n  ",
      absl::StrJoin(view.conflicts, "\n  "),
      "\nChange the setting named above in the site's configuration, or ",
      "refuse the study"));
}

absl::Status CheckYes(const StudyView& view) {
  std::vector<std::string> lines;
  for (const Risk& risk : MissingRisks(view)) {
    lines.push_back(absl::StrCat(risk.name, ": ", risk.sentence));
  }
  if (LacksWeights(view)) {
    lines.push_back(absl::StrCat("unknown_weights: the starting weights are ",
                                 view.weights.sentence));
  }
  if (lines.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "study ", view.study.name(), " is not approved. It has risks that you ",
      "have not accepted:\n  ", absl::StrJoin(lines, "\n  "),
      "\nTo accept them, type\n  ", ApproveCommand(view)));
}

// Returns the text of an offer that cannot be read, escaped: it may have words
// of the coordinator.
std::string FaultOf(const absl::Status& status) {
  return absl::Utf8SafeCHexEscape(status.message());
}

std::string TextOf(const Desk& desk, const KnownStudy& known) {
  const absl::StatusOr<StudyView> view = ViewOf(desk, *FromHex(known.hash));
  const absl::StatusOr<std::string> text =
      view.ok() ? StudyText(*view) : view.status();
  if (text.ok()) return *text;
  return absl::StrCat("Study that cannot be read, ", known.state, "\n  ",
                      known.hash, "\n  ", FaultOf(text.status()), "\n");
}

std::string JsonOf(const Desk& desk, const KnownStudy& known) {
  const absl::StatusOr<StudyView> view = ViewOf(desk, *FromHex(known.hash));
  if (view.ok()) return StudyJson(*view);
  return UnreadableStudyJson(known.hash, known.state, FaultOf(view.status()));
}

}  // namespace

absl::Status ShowStudy(const std::string& config_path,
                       const std::string& reference, bool json) {
  HILUM_ASSIGN_OR_RETURN(Desk desk, OpenDesk(config_path));
  const std::vector<KnownStudy> known = KnownStudies(desk.approvals);
  std::vector<size_t> shown(known.size());
  std::iota(shown.begin(), shown.end(), 0);
  if (!reference.empty()) {
    HILUM_ASSIGN_OR_RETURN(shown, FittingStudies(reference, known));
  }
  for (size_t i : shown) {
    if (json) {
      std::cout << JsonOf(desk, known[i]) << "\n";
    } else {
      std::cout << (i == shown[0] ? "" : "\n") << TextOf(desk, known[i]);
    }
  }
  if (json) return absl::OkStatus();
  if (known.empty()) std::cout << "No study was offered to this site yet.\n";
  if (const size_t strangers = desk.approvals.Strangers(); strangers > 0) {
    std::cout << "\n"
              << strangers
              << " more in the folder studies/: not offered to this site, or "
                 "changed since it was offered\n";
  }
  return absl::OkStatus();
}

absl::Status ApproveStudy(const std::string& config_path,
                          const Decision& decision) {
  HILUM_ASSIGN_OR_RETURN(Desk desk, OpenDesk(config_path));
  HILUM_ASSIGN_OR_RETURN(std::string hash,
                         FindOffer(desk.approvals, decision.study));
  HILUM_ASSIGN_OR_RETURN(StudyView view, ViewOf(desk, hash));
  HILUM_RETURN_IF_ERROR(CheckUndone(view));
  HILUM_RETURN_IF_ERROR(AddYes(decision, view));
  HILUM_RETURN_IF_ERROR(CheckYes(view));
  HILUM_RETURN_IF_ERROR(
      ConfirmUnnamed(desk.approvals, decision.study, hash, "Approve"));
  HILUM_RETURN_IF_ERROR(desk.approvals.Approve(hash, view.accepted, Officer()));
  std::cout << ToHex(hash) << " approved\n";
  return absl::OkStatus();
}

absl::Status RefuseStudy(const std::string& config_path,
                         const std::string& reference) {
  HILUM_ASSIGN_OR_RETURN(Desk desk, OpenDesk(config_path));
  HILUM_ASSIGN_OR_RETURN(std::string hash,
                         FindOffer(desk.approvals, reference));
  HILUM_RETURN_IF_ERROR(
      ConfirmUnnamed(desk.approvals, reference, hash, "Refuse"));
  HILUM_RETURN_IF_ERROR(desk.approvals.Refuse(hash, Officer()));
  std::cout << ToHex(hash) << " refused\n";
  return absl::OkStatus();
}

}  // namespace hilum
