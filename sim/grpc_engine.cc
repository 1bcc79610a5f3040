// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/message_yaml.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "sim/child_process.h"
#include "sim/engine.h"
#include "sim/watch_progress.h"
#include "site_agent/gateway/consent.h"

namespace hilum {
namespace {

constexpr absl::Duration kStartTime = absl::Seconds(60);
constexpr absl::Duration kGrace = absl::Seconds(10);

// One run's processes and their folders.
class Consortium {
 public:
  Consortium(const RunPlan& plan, const std::string& binaries)
      : plan_(plan), binaries_(binaries) {}

  absl::Status MakeCertificates();
  absl::Status StartCoordinator();
  absl::Status FindOrSubmitStudy();
  absl::Status StartSites();
  absl::Status Watch();
  absl::Status WaitForSites();
  absl::Status Export();

 private:
  std::string Program(const std::string& name) const {
    return absl::StrCat(binaries_, "/", name);
  }
  std::string Log(const std::string& name) const {
    return absl::StrCat(plan_.out, "/logs/", name, ".log");
  }
  std::string CoordinatorConfigPath() const {
    return absl::StrCat(plan_.out, "/coordinator/coordinator.yaml");
  }
  v1::Tls TlsOf(const std::string& name) const;
  absl::Status MakeCertificate(const std::string& name, bool coordinator);
  absl::Status SubmitStudy();
  absl::Status StartSite(const SimulatedSite& site);
  // Approves the study and accepts all its risks: it has no real patients.
  absl::Status Approve(const std::string& offer,
                       const std::string& config_path);
  absl::Status CheckSites();

  const RunPlan& plan_;
  const std::string binaries_;
  std::string address_;
  std::string study_hash_;
  std::vector<ChildProcess> coordinator_;  // none or one
  struct RunningSite {
    std::string name;
    ChildProcess process;
  };
  std::vector<RunningSite> sites_;
};

v1::Tls Consortium::TlsOf(const std::string& name) const {
  v1::Tls tls;
  tls.set_authority(absl::StrCat(plan_.out, "/certs/authority/ca.crt"));
  tls.set_certificate(absl::StrCat(plan_.out, "/certs/", name, ".crt"));
  tls.set_private_key(absl::StrCat(plan_.out, "/certs/", name, ".key"));
  return tls;
}

absl::Status Consortium::MakeCertificate(const std::string& name,
                                         bool coordinator) {
  const std::string folder = absl::StrCat(plan_.out, "/certs");
  if (FileExists(absl::StrCat(folder, "/", name, ".crt"))) {
    return absl::OkStatus();  // of the run that is continued
  }
  // An existing request may be signed already: another key would need --replace
  // in the list of issued certificates.
  if (!FileExists(absl::StrCat(folder, "/", name, ".csr"))) {
    std::vector<std::string> request = {Program("hilum-certs"),
                                        "site",
                                        "--name",
                                        name,
                                        "--out",
                                        folder,
                                        "--force"};
    if (coordinator) {
      request.insert(request.end(), {"--coordinator", "--host", "127.0.0.1"});
    }
    HILUM_RETURN_IF_ERROR(RunCommand(request, Log("certs")).status());
  }
  std::vector<std::string> sign = {Program("hilum-certs"),
                                   "sign",
                                   "--authority",
                                   absl::StrCat(folder, "/authority"),
                                   "--csr",
                                   absl::StrCat(folder, "/", name, ".csr"),
                                   "--name",
                                   name,
                                   "--role",
                                   coordinator ? "coordinator" : "site",
                                   "--out",
                                   absl::StrCat(folder, "/", name, ".crt")};
  if (coordinator) sign.insert(sign.end(), {"--host", "127.0.0.1"});
  return RunCommand(sign, Log("certs")).status();
}

absl::Status Consortium::MakeCertificates() {
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(plan_.out, "/logs")));
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(plan_.out, "/certs")));
  const std::string authority = absl::StrCat(plan_.out, "/certs/authority");
  // `init` writes the issuance list last.
  if (!FileExists(absl::StrCat(authority, "/issued.csv"))) {
    HILUM_RETURN_IF_ERROR(
        RunCommand({Program("hilum-certs"), "init", "--consortium", "simulated",
                    "--out", authority, "--force"},
                   Log("certs"))
            .status());
  }
  HILUM_RETURN_IF_ERROR(MakeCertificate("coordinator", true));
  for (const SimulatedSite& site : plan_.sites) {
    HILUM_RETURN_IF_ERROR(MakeCertificate(site.id.name(), false));
  }
  return absl::OkStatus();
}

absl::Status Consortium::StartCoordinator() {
  const std::string folder = absl::StrCat(plan_.out, "/coordinator");
  const std::string address_file = absl::StrCat(folder, "/address");
  HILUM_RETURN_IF_ERROR(MakeDirectories(folder));
  // An interrupted run used another address.
  std::error_code error;
  std::filesystem::remove(address_file, error);
  v1::CoordinatorConfig config;
  config.set_listen("127.0.0.1:0");
  config.set_state_dir(absl::StrCat(folder, "/state"));
  config.set_address_file(address_file);
  *config.mutable_tls() = TlsOf("coordinator");
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      CoordinatorConfigPath(), MessageToYaml(config), Durability::kNone));
  HILUM_ASSIGN_OR_RETURN(
      ChildProcess coordinator,
      ChildProcess::Start({Program("hilum-coordinator"), "serve", "--config",
                           CoordinatorConfigPath()},
                          Log("coordinator")));
  coordinator_.push_back(std::move(coordinator));
  HILUM_RETURN_IF_ERROR(WaitForFile(address_file, coordinator_[0], kStartTime));
  HILUM_ASSIGN_OR_RETURN(address_, ReadFile(address_file, 4096));
  address_ = std::string(absl::StripAsciiWhitespace(address_));
  return absl::OkStatus();
}

absl::Status Consortium::FindOrSubmitStudy() {
  HILUM_ASSIGN_OR_RETURN(
      const std::string listed,
      RunCommand({Program("hilum-coordinator"), "study", "list", "--config",
                  CoordinatorConfigPath(), "--json"},
                 Log("submit")));
  const auto study = nlohmann::json::parse(listed.substr(0, listed.find('\n')),
                                           nullptr, false);
  if (!study.is_object()) return SubmitStudy();
  if (study.value("phase", "") == "stopped") {
    return StoppedBefore(plan_, study.value("reason", ""));
  }
  study_hash_ = study.value("hash", "");  // an interrupted run submitted it
  return absl::OkStatus();
}

absl::Status Consortium::SubmitStudy() {
  std::vector<std::string> words = {Program("hilum-coordinator"),
                                    "study",
                                    "submit",
                                    "--config",
                                    CoordinatorConfigPath(),
                                    absl::StrCat(plan_.out, "/study.yaml")};
  const StartingWeights& start = plan_.start;
  if (!start.path.empty()) {
    words.insert(words.end(), {"--weights", start.path});
    if (start.options.sum_input_channels) words.push_back("--sum-channels");
    if (start.options.fresh_head) words.push_back("--fresh-head");
  }
  // Each run draws new keys; the study and its hash must be the same with any
  // transport.
  words.push_back("--unpinned");
  words.push_back("--few-steps");
  HILUM_ASSIGN_OR_RETURN(std::string out, RunCommand(words, Log("submit")));
  for (absl::string_view word :
       absl::StrSplit(out, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (word.size() == 64) study_hash_ = std::string(word);
  }
  if (study_hash_.empty()) {
    return absl::InternalError(
        absl::StrCat("no study hash in what `study submit` says: ", out));
  }
  return absl::OkStatus();
}

absl::Status Consortium::StartSite(const SimulatedSite& site) {
  if (FileExists(
          absl::StrCat(site.directory, "/approvals/", study_hash_, ".ended"))) {
    return absl::OkStatus();  // in an interrupted run
  }
  v1::SiteConfig config = site.config;
  config.set_coordinator(address_);
  *config.mutable_tls() = TlsOf(site.id.name());
  const std::string path = absl::StrCat(site.directory, "/site.yaml");
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(path, MessageToYaml(config), Durability::kNone));
  const std::string studies = absl::StrCat(site.directory, "/studies");
  HILUM_RETURN_IF_ERROR(MakeDirectories(studies));
  HILUM_ASSIGN_OR_RETURN(
      ChildProcess process,
      ChildProcess::Start({Program("hilum-site"), "serve", "--config", path,
                           "--exit-when-done"},
                          Log(site.id.name())));
  sites_.push_back({site.id.name(), std::move(process)});
  HILUM_RETURN_IF_ERROR(
      WaitForFile(absl::StrCat(studies, "/", study_hash_, ".study"),
                  sites_.back().process, kStartTime));
  return Approve(absl::StrCat(studies, "/", study_hash_, ".study"), path);
}

absl::Status Consortium::Approve(const std::string& offer,
                                 const std::string& config_path) {
  HILUM_ASSIGN_OR_RETURN(std::string bytes, ReadFile(offer));
  HILUM_ASSIGN_OR_RETURN(v1::Study study, ParseStudy(bytes));
  const Acceptance everything = AcceptEverything(study);
  return RunCommand({Program("hilum-site"), "study", "approve", "--config",
                     config_path, study_hash_, "--accept",
                     absl::StrJoin(everything.risks, ","), "--weights",
                     ToHex(everything.weights_sha256)},
                    Log("approve"))
      .status();
}

absl::Status Consortium::StartSites() {
  for (const SimulatedSite& site : plan_.sites) {
    HILUM_RETURN_IF_ERROR(StartSite(site));
  }
  return absl::OkStatus();
}

// Returns ABORTED once a site's exit status is not 0.
absl::Status Consortium::CheckSites() {
  for (RunningSite& site : sites_) {
    const absl::StatusOr<int> exit_status =
        site.process.Wait(absl::ZeroDuration());
    if (exit_status.ok() && *exit_status != 0) {
      return absl::AbortedError(
          absl::StrCat(site.name, " ended with status ", *exit_status, ":\n",
                       LastLines(site.process.log_path(), 5)));
    }
  }
  return absl::OkStatus();
}

absl::Status Consortium::Watch() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "cannot make a pipe for", "study watch");
  }
  ScopedFd lines(ends[0]);
  ScopedFd write_end(ends[1]);
  HILUM_ASSIGN_OR_RETURN(
      ChildProcess watch,
      ChildProcess::Start({Program("hilum-coordinator"), "study", "watch",
                           "--config", CoordinatorConfigPath(), study_hash_},
                          Log("watch"), write_end.get()));
  write_end.Close();
  WatchProgress progress(plan_.study);
  while (true) {
    std::vector<pollfd> pollers = {
        {.fd = lines.get(), .events = POLLIN, .revents = 0},
        {.fd = coordinator_[0].ended_fd(), .events = POLLIN, .revents = 0}};
    for (RunningSite& site : sites_) {
      if (site.process.Wait(absl::ZeroDuration()).ok()) continue;
      pollers.push_back(
          {.fd = site.process.ended_fd(), .events = POLLIN, .revents = 0});
    }
    if (poll(pollers.data(), pollers.size(), -1) < 0 && errno != EINTR) {
      return ErrnoStatus(errno, "cannot wait", "study watch");
    }
    HILUM_RETURN_IF_ERROR(CheckSites());
    if (pollers[1].revents != 0) {
      return absl::AbortedError(
          absl::StrCat("the coordinator ended:\n",
                       LastLines(coordinator_[0].log_path(), 5)));
    }
    if (pollers[0].revents == 0) continue;
    char buffer[4096];
    const ssize_t got = read(lines.get(), buffer, sizeof(buffer));
    if (got <= 0) break;
    progress.Add(absl::string_view(buffer, static_cast<size_t>(got)));
  }
  HILUM_ASSIGN_OR_RETURN(int exit_status, watch.Wait(kGrace));
  // `study watch` does not end with 0 where there is a warning, which is also
  // in the report.
  if (SaysCompleted(progress.last_line())) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "the study did not complete (status ", exit_status,
      "): ", progress.last_line(), "\n", LastLines(Log("watch"), 5)));
}

absl::Status Consortium::WaitForSites() {
  for (RunningSite& site : sites_) {
    if (!site.process.Wait(kStartTime).ok()) {
      return absl::DeadlineExceededError(
          absl::StrCat(site.name, " did not end after the study; see ",
                       site.process.log_path()));
    }
  }
  return CheckSites();
}

absl::Status Consortium::Export() {
  const absl::Status exported =
      RunCommand({Program("hilum-coordinator"), "study", "export", "--config",
                  CoordinatorConfigPath(), study_hash_, "--out", plan_.out},
                 Log("export"))
          .status();
  // The exit status tells of untrained models too; the report names them.
  if (!exported.ok() && !FileExists(absl::StrCat(plan_.out, "/report.json"))) {
    return exported;
  }
  coordinator_[0].Stop(kGrace);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunOverGrpc(const RunPlan& plan, const std::string& binaries) {
  Consortium consortium(plan, binaries);
  HILUM_RETURN_IF_ERROR(consortium.MakeCertificates());
  HILUM_RETURN_IF_ERROR(consortium.StartCoordinator());
  HILUM_RETURN_IF_ERROR(consortium.FindOrSubmitStudy());
  HILUM_RETURN_IF_ERROR(consortium.StartSites());
  HILUM_RETURN_IF_ERROR(consortium.Watch());
  HILUM_RETURN_IF_ERROR(consortium.WaitForSites());
  return consortium.Export();
}

}  // namespace hilum
