// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/site_config.h"

namespace hilum {
namespace {

absl::StatusOr<Approvals> OpenApprovals(const std::string& config_path) {
  HILUM_ASSIGN_OR_RETURN(v1::SiteConfig config, LoadSiteConfig(config_path));
  return Approvals::Open(config.state_dir());
}

absl::StatusOr<std::string> FindOffer(const Approvals& approvals,
                                      const std::string& prefix) {
  std::string found;
  for (const std::string& hash : approvals.Offered()) {
    if (!absl::StartsWith(ToHex(hash), prefix)) continue;
    if (!found.empty()) {
      return absl::InvalidArgumentError(
          "several studies are offered; give the hash of one");
    }
    found = hash;
  }
  if (!found.empty()) return found;
  return absl::NotFoundError(absl::StrCat(
      "no study ", prefix, " was offered to this site yet; hilum-site serve ",
      "receives offers"));
}

std::string Decision(const Approvals& approvals, const std::string& hash) {
  if (approvals.HasEnded(hash)) return "ended";
  if (approvals.Refused().contains(hash)) return "refused";
  return approvals.Approved().contains(hash) ? "approved" : "waiting for you";
}

absl::Status Decide(const std::string& config_path, const std::string& prefix,
                    absl::Status (Approvals::*decide)(absl::string_view) const,
                    const char* done) {
  HILUM_ASSIGN_OR_RETURN(Approvals approvals, OpenApprovals(config_path));
  HILUM_ASSIGN_OR_RETURN(std::string hash, FindOffer(approvals, prefix));
  HILUM_RETURN_IF_ERROR((approvals.*decide)(hash));
  std::cout << ToHex(hash) << " " << done << "\n";
  return absl::OkStatus();
}

}  // namespace

absl::Status ShowStudy(const std::string& config_path,
                       const std::string& prefix) {
  HILUM_ASSIGN_OR_RETURN(Approvals approvals, OpenApprovals(config_path));
  bool any = false;
  for (const std::string& hash : approvals.Offered()) {
    if (!absl::StartsWith(ToHex(hash), prefix)) continue;
    HILUM_ASSIGN_OR_RETURN(std::string bytes, approvals.Offer(hash));
    HILUM_ASSIGN_OR_RETURN(v1::Study study, ParseStudy(bytes));
    study.set_initial_weights_sha256(
        ToHex(study.initial_weights_sha256()).substr(0, 16));
    std::cout << ToHex(hash) << "  " << Decision(approvals, hash) << "\n"
              << study.DebugString() << "\n";
    any = true;
  }
  if (!any) std::cout << "No study was offered to this site yet.\n";
  return absl::OkStatus();
}

absl::Status ApproveStudy(const std::string& config_path,
                          const std::string& hash) {
  return Decide(config_path, hash, &Approvals::Approve, "approved");
}

absl::Status RefuseStudy(const std::string& config_path,
                         const std::string& hash) {
  return Decide(config_path, hash, &Approvals::Refuse, "refused");
}

}  // namespace hilum
