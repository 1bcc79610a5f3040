// SPDX-License-Identifier: Apache-2.0
#include "coordinator/app.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/descriptors.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/config/yaml.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signature.h"
#include "common/model/fit.h"
#include "coordinator/federation_core.h"
#include "coordinator/service/grpc_log.h"
#include "coordinator/service/server.h"
#include "coordinator/site_keys.h"
#include "hilum/v1/config.pb.h"

namespace hilum {
namespace {

// A configuration whose paths are absolute.
absl::StatusOr<v1::CoordinatorConfig> LoadConfig(const std::string& path) {
  v1::CoordinatorConfig config;
  HILUM_RETURN_IF_ERROR(LoadYamlFile(path, &config));
  std::string base = std::filesystem::absolute(path).parent_path();
  auto need = [&](const std::string& value,
                  absl::string_view field) -> absl::Status {
    if (!value.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": '", field, "' is missing"));
  };
  HILUM_RETURN_IF_ERROR(need(config.listen(), "listen"));
  HILUM_RETURN_IF_ERROR(need(config.state_dir(), "state_dir"));
  HILUM_RETURN_IF_ERROR(need(config.tls().authority(), "tls.authority"));
  HILUM_RETURN_IF_ERROR(need(config.tls().certificate(), "tls.certificate"));
  HILUM_RETURN_IF_ERROR(need(config.tls().private_key(), "tls.private_key"));
  v1::Tls& tls = *config.mutable_tls();
  for (std::string* value :
       {config.mutable_state_dir(), tls.mutable_authority(),
        tls.mutable_certificate(), tls.mutable_private_key(),
        config.mutable_address_file()}) {
    if (!value->empty()) *value = ResolvePath(base, *value);
  }
  return config;
}

std::string AdminSocket(const v1::CoordinatorConfig& config) {
  return absl::StrCat(config.state_dir(), "/admin.sock");
}

void Log(absl::string_view line) {
  absl::FPrintF(stderr, "%s %s\n",
                absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", RealClock().Now(),
                                 absl::UTCTimeZone()),
                line);
}

// Blocks SIGINT and SIGTERM in this and all later threads; a wait takes them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

absl::Status Serve(const std::string& config_path) {
  TuneMallocForChunks();
  MakeFilesPrivate();
  const size_t open_files = RaiseDescriptorLimit();
  LimitGrpcLog();
  sigset_t stop_signals = BlockStopSignals();
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config, LoadConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(
      Identity identity,
      LoadIdentity(config.tls().authority(), config.tls().certificate(),
                   config.tls().private_key(), Role::kCoordinator,
                   RealClock().Now()));
  HILUM_ASSIGN_OR_RETURN(Signer signer,
                         Signer::Create(identity.private_key_pem));
  HILUM_RETURN_IF_ERROR(MakePrivateFolder(config.state_dir()));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<FederationCore> core,
      FederationCore::Open(
          {.state_dir = config.state_dir(),
           .sign = [&](absl::string_view data) { return signer.Sign(data); },
           .authority_pem = identity.authority_pem,
           .consortium = identity.name.consortium,
           .log = Log},
          RealClock()));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<CoordinatorServer> server,
      CoordinatorServer::Start(*core, identity, config.listen(),
                               AdminSocket(config),
                               {.limits = config.limits(), .log = Log}));
  if (!config.address_file().empty()) {
    HILUM_RETURN_IF_ERROR(
        WriteFileAtomically(config.address_file(), server->address()));
  }
  Log(absl::StrCat("hilum-coordinator ", SoftwareVersion(), " of consortium ",
                   identity.name.consortium, " listens on ", server->address(),
                   "; at most ", server->connections(), " connections, ",
                   open_files, " open files"));
  int signal = 0;
  sigwait(&stop_signals, &signal);
  Log("stopping");
  return absl::OkStatus();
}

absl::StatusOr<std::string> HashBytes(const std::string& hex) {
  bool good = hex.size() % 2 == 0 && hex.size() <= 64 &&
              std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit);
  if (good) return absl::HexStringToBytes(hex);
  return absl::InvalidArgumentError(absl::StrCat(
      "'", hex, "' is not a study's hash: an even number of hex digits"));
}

std::string StatusLine(const v1::StudyStatus& status) {
  std::string line = absl::StrCat(
      ToHex(status.study_hash()).substr(0, 12), "  ", status.name(), "  ",
      absl::AsciiStrToLower(v1::StudyStatus::Phase_Name(status.phase())));
  if (status.phase() == v1::StudyStatus::TRAINING) {
    absl::StrAppend(&line, "  round ", status.round(), " of ", status.rounds());
  }
  if (status.mean_loss() > 0) {
    absl::StrAppend(&line, absl::StrFormat("  loss %.4f", status.mean_loss()));
  }
  if (status.waiting_for_size() > 0) {
    absl::StrAppend(&line, "  waiting for ",
                    absl::StrJoin(status.waiting_for(), ", "));
  }
  if (!status.reason().empty()) absl::StrAppend(&line, "  ", status.reason());
  return line;
}

struct Arguments {
  std::string config, study_file, weights, hash, out;
  std::vector<std::string> certificates;
  bool unpinned = false;
  WeightsOptions options;
};

// Without its sites' keys a study with secure aggregation counts names, and
// names are the authority's to give.
absl::Status CheckPinning(const Arguments& arguments, v1::Study study) {
  FillStudyDefaults(study);
  if (!IsSecure(study) || arguments.unpinned ||
      !arguments.certificates.empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a study with secure aggregation pins its sites' keys, so that each ",
      "officer approves them. Give a certificate of each site, as files or ",
      "the folder they are in:\n  hilum-coordinator study submit --config ",
      arguments.config, " --certificates FOLDER ", arguments.study_file,
      "\nor --unpinned in its place: each officer must then accept the risk ",
      "unpinned_keys"));
}

absl::Status Submit(const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config,
                         LoadConfig(arguments.config));
  HILUM_ASSIGN_OR_RETURN(v1::Study study, LoadStudyFile(arguments.study_file));
  HILUM_RETURN_IF_ERROR(CheckPinning(arguments, study));
  SubmissionOptions options{.weights = arguments.options};
  HILUM_ASSIGN_OR_RETURN(options.site_certificates,
                         ReadSiteCertificates(arguments.certificates, study));
  std::string path =
      arguments.weights.empty()
          ? ""
          : std::filesystem::absolute(arguments.weights).string();
  HILUM_ASSIGN_OR_RETURN(
      std::string hash,
      AdminClient(AdminSocket(config)).SubmitStudy(study, path, options));
  std::cout << ToHex(hash) << "\n";
  return absl::OkStatus();
}

absl::Status List(const std::string& config_path) {
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config, LoadConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(std::vector<v1::StudyStatus> studies,
                         AdminClient(AdminSocket(config)).ListStudies());
  for (const v1::StudyStatus& status : studies) {
    std::cout << StatusLine(status) << "\n";
  }
  return absl::OkStatus();
}

// Lines where a round or phase begins; on a terminal one line that changes.
absl::Status Watch(const std::string& config_path, const std::string& hash) {
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config, LoadConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(std::string prefix, HashBytes(hash));
  std::string last;
  HILUM_ASSIGN_OR_RETURN(
      v1::StudyStatus end,
      AdminClient(AdminSocket(config))
          .WatchStudy(prefix, [&](const v1::StudyStatus& status) {
            v1::StudyStatus shown = status;
            shown.clear_waiting_for();
            std::string line = StatusLine(shown);
            if (line != last) std::cout << line << std::endl;
            last = line;
          }));
  if (end.phase() == v1::StudyStatus::COMPLETED) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("the study stopped: ", end.reason()));
}

absl::Status Stop(const std::string& config_path, const std::string& hash) {
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config, LoadConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(std::string prefix, HashBytes(hash));
  HILUM_ASSIGN_OR_RETURN(v1::StudyStatus status,
                         AdminClient(AdminSocket(config)).StopStudy(prefix));
  std::cout << StatusLine(status) << "\n";
  return absl::OkStatus();
}

absl::Status Export(const std::string& config_path, const std::string& hash,
                    const std::string& out) {
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config, LoadConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(std::string prefix, HashBytes(hash));
  std::string directory = std::filesystem::absolute(out);
  HILUM_ASSIGN_OR_RETURN(
      std::vector<std::string> files,
      AdminClient(AdminSocket(config)).ExportStudy(prefix, directory));
  for (const std::string& file : files) {
    std::cout << directory << "/" << file << "\n";
  }
  return absl::OkStatus();
}

void AddSubmitOptions(CLI::App& submit, Arguments& arguments) {
  submit.add_option("STUDY.yaml", arguments.study_file, "What is trained")
      ->required();
  CLI::Option* weights = submit.add_option(
      "--weights", arguments.weights,
      "Starting weights, safetensors or .pth (default: from the seed)");
  submit
      .add_flag("--sum-channels", arguments.options.sum_input_channels,
                "Sum a first convolution's three channels for a model of one")
      ->needs(weights);
  submit
      .add_flag("--fresh-head", arguments.options.fresh_head,
                "Start a new head where theirs has other classes")
      ->needs(weights);
  CLI::Option* certificates =
      submit.add_option("--certificates", arguments.certificates,
                        "A certificate of each site, files or folders: the "
                        "study pins their keys");
  submit
      .add_flag("--unpinned", arguments.unpinned,
                "Pin no keys; each officer must accept the risk unpinned_keys")
      ->excludes(certificates);
}

void AddStudyCommands(CLI::App& study, Arguments& arguments,
                      std::function<absl::Status()>& chosen) {
  Arguments* a = &arguments;
  auto command = [&](const char* name, const char* what, auto run) {
    CLI::App* added = study.add_subcommand(name, what);
    added->add_option("--config", a->config, "The coordinator's configuration")
        ->required();
    added->callback([&chosen, run] { chosen = run; });
    return added;
  };
  CLI::App* submit = command("submit", "Offer a study to its sites",
                             [a] { return Submit(*a); });
  AddSubmitOptions(*submit, arguments);
  command("list", "Studies and where they stand",
          [a] { return List(a->config); });
  CLI::App* watch = command("watch", "Follow a study to its end",
                            [a] { return Watch(a->config, a->hash); });
  CLI::App* stop = command("stop", "End a study before it is done",
                           [a] { return Stop(a->config, a->hash); });
  CLI::App* exported = command("export", "Write models and report", [a] {
    return Export(a->config, a->hash, a->out);
  });
  exported->add_option("--out", a->out, "Folder, made where absent")
      ->required();
  for (CLI::App* added : {watch, stop, exported}) {
    added->add_option("HASH", a->hash, "The study's hash, or its first digits")
        ->required();
  }
  study.require_subcommand(1);
}

}  // namespace

int RunCoordinator(int argc, char** argv) {
  CLI::App app{
      "The consortium's coordinator: offers studies, averages "
      "updates, evaluates.",
      "hilum-coordinator"};
  app.footer(
      "Example:\n  hilum-coordinator serve --config coordinator.yaml\n"
      "  hilum-coordinator study submit --config coordinator.yaml "
      "--certificates certs study.yaml");
  app.set_version_flag("--version",
                       absl::StrCat("hilum-coordinator ", SoftwareVersion()));
  app.require_subcommand(1);
  Arguments arguments;
  std::function<absl::Status()> chosen;
  CLI::App* serve = app.add_subcommand("serve", "Serve the sites");
  serve->add_option("--config", arguments.config, "Configuration, YAML")
      ->required();
  serve->callback([&] { chosen = [&] { return Serve(arguments.config); }; });
  AddStudyCommands(*app.add_subcommand("study", "Submit and follow studies"),
                   arguments, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  absl::Status status = chosen();
  if (status.ok()) return 0;
  std::cerr << "hilum-coordinator: " << status.message() << "\n";
  return 1;
}

}  // namespace hilum
