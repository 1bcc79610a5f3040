// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_commands.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/cli/study_reference.h"
#include "common/cli/usage.h"
#include "common/config/step_rules.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/crypto/short_hash.h"
#include "common/model/fit.h"
#include "coordinator/coordinator_config.h"
#include "coordinator/service/server.h"
#include "coordinator/site_keys.h"
#include "coordinator/unable_sites.h"

namespace hilum {
namespace {

struct Arguments {
  // `study`: digits of a hash, or a name.
  std::string config, study_file, weights, study, out;
  std::vector<std::string> certificates;
  bool unpinned = false;
  bool few_steps = false;
  bool json = false;
  bool partial = false;
  WeightsOptions options;
};

std::string PhaseName(v1::StudyStatus::Phase phase) {
  return absl::AsciiStrToLower(v1::StudyStatus::Phase_Name(phase));
}

// A running coordinator and the study named on the command line.
struct Target {
  std::unique_ptr<AdminClient> coordinator;
  std::string hash;  // raw
};

absl::StatusOr<std::unique_ptr<AdminClient>> Connect(
    const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(const v1::CoordinatorConfig config,
                         LoadCoordinatorConfig(arguments.config));
  return std::make_unique<AdminClient>(AdminSocket(config));
}

absl::StatusOr<Target> FindTarget(const Arguments& arguments) {
  HILUM_RETURN_IF_ERROR(CheckStudyReference(arguments.study));
  Target target;
  HILUM_ASSIGN_OR_RETURN(target.coordinator, Connect(arguments));
  HILUM_ASSIGN_OR_RETURN(const std::vector<v1::StudyStatus> studies,
                         target.coordinator->ListStudies());
  std::vector<KnownStudy> known;
  for (const v1::StudyStatus& status : studies) {
    known.push_back({.hash = ToHex(status.study_hash()),
                     .name = status.name(),
                     .state = PhaseName(status.phase())});
  }
  HILUM_ASSIGN_OR_RETURN(const size_t found, FindStudy(arguments.study, known));
  target.hash = studies[found].study_hash();
  return target;
}

// Refuses secure aggregation without pinned keys: it would rely on names, which
// the authority can give to anybody.
absl::Status CheckPinning(const Arguments& arguments, v1::Study study) {
  FillStudyDefaults(study);
  if (!IsSecure(study) || arguments.unpinned ||
      !arguments.certificates.empty()) {
    return absl::OkStatus();
  }
  return UsageError(absl::StrCat(
      "a study with secure aggregation pins its sites' keys, so that each ",
      "officer approves them. Give a certificate of each site, as files or ",
      "the folder they are in:\n  hilum-coordinator study submit --config ",
      arguments.config, " --certificates FOLDER ", arguments.study_file,
      "\nor --unpinned in its place: each officer must then accept the risk ",
      "unpinned_keys"));
}

// Refuses a study of local_steps that sites with the default policy refuse.
absl::Status CheckSteps(const Arguments& arguments, v1::Study study) {
  FillStudyDefaults(study);
  const absl::Status enough = CheckFewSteps(study, PolicyLimits());
  if (enough.ok() || arguments.few_steps) return absl::OkStatus();
  return UsageError(absl::StrCat(
      arguments.study_file, ": ", enough.message(),
      "\nor give --few-steps: then only sites whose officers have set "
      "policy.minimum_batch to less take part"));
}

absl::Status Submit(const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<AdminClient> coordinator,
                         Connect(arguments));
  HILUM_ASSIGN_OR_RETURN(v1::Study study, LoadStudyFile(arguments.study_file));
  HILUM_RETURN_IF_ERROR(CheckPinning(arguments, study));
  HILUM_RETURN_IF_ERROR(CheckSteps(arguments, study));
  SubmissionOptions options{.weights = arguments.options};
  HILUM_ASSIGN_OR_RETURN(options.site_certificates,
                         ReadSiteCertificates(arguments.certificates, study));
  std::string path =
      arguments.weights.empty()
          ? ""
          : std::filesystem::absolute(arguments.weights).string();
  std::vector<std::string> warnings;
  HILUM_ASSIGN_OR_RETURN(
      std::string hash,
      coordinator->SubmitStudy(study, path, options, &warnings));
  for (const std::string& warning : warnings) {
    std::cerr << "warning: " << warning << "\n";
  }
  std::cout << ToHex(hash) << "\n";
  return absl::OkStatus();
}

absl::Status List(const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<AdminClient> coordinator,
                         Connect(arguments));
  HILUM_ASSIGN_OR_RETURN(std::vector<v1::StudyStatus> studies,
                         coordinator->ListStudies());
  for (const v1::StudyStatus& status : studies) {
    std::cout << (arguments.json ? StatusJson(status) : StatusLine(status))
              << "\n";
  }
  return absl::OkStatus();
}

// Makes a command fail for a study that ended with its starting weights.
absl::Status CheckEarned(const std::string& warning) {
  if (warning.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(warning);
}

// Prints a line when a round or phase begins.
absl::Status Watch(const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(Target target, FindTarget(arguments));
  std::string last;
  HILUM_ASSIGN_OR_RETURN(v1::StudyStatus end,
                         target.coordinator->WatchStudy(
                             target.hash, [&](const v1::StudyStatus& status) {
                               v1::StudyStatus shown = status;
                               shown.clear_waiting_for();
                               std::string line = StatusLine(shown);
                               if (line != last) std::cout << line << std::endl;
                               last = line;
                             }));
  if (end.phase() == v1::StudyStatus::COMPLETED) {
    return CheckEarned(end.warning());
  }
  return absl::AbortedError(absl::StrCat("the study stopped: ", end.reason()));
}

absl::Status Stop(const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(Target target, FindTarget(arguments));
  HILUM_ASSIGN_OR_RETURN(v1::StudyStatus status,
                         target.coordinator->StopStudy(target.hash));
  std::cout << StatusLine(status) << "\n";
  return absl::OkStatus();
}

absl::Status Export(const Arguments& arguments) {
  HILUM_ASSIGN_OR_RETURN(Target target, FindTarget(arguments));
  const std::string directory = std::filesystem::absolute(arguments.out);
  HILUM_ASSIGN_OR_RETURN(v1::ExportStudyResponse exported,
                         target.coordinator->ExportStudy(target.hash, directory,
                                                         arguments.partial));
  for (const std::string& file : exported.files()) {
    std::cout << directory << "/" << file << "\n";
  }
  return CheckEarned(exported.warning());
}

void AddSubmitOptions(CLI::App& submit, Arguments& arguments) {
  submit.add_option("STUDY.yaml", arguments.study_file, "The study, YAML")
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
                "Start a new head where theirs has other classes, or the "
                "same in another order")
      ->needs(weights);
  CLI::Option* certificates =
      submit.add_option("--certificates", arguments.certificates,
                        "A certificate of each site, files or folders: the "
                        "study pins their keys");
  submit
      .add_flag("--unpinned", arguments.unpinned,
                "Pin no keys; each officer must accept the risk unpinned_keys")
      ->excludes(certificates);
  submit.add_flag("--few-steps", arguments.few_steps,
                  "Submit a study of training.local_steps although sites with "
                  "the default policy refuse it");
}

using Action = std::function<absl::Status()>;
using Run = absl::Status (*)(const Arguments&);

CLI::App* AddCommand(CLI::App& study, const char* name, const char* what,
                     const char* example, Run run,
                     const std::shared_ptr<Arguments>& arguments,
                     Action& action) {
  CLI::App* command = study.add_subcommand(name, what);
  command
      ->add_option("--config", arguments->config,
                   "The coordinator's configuration, YAML")
      ->required();
  command->footer(
      absl::StrCat("Example:\n  hilum-coordinator study ", example));
  command->callback([arguments, run, &action] {
    action = [arguments, run] { return run(*arguments); };
  });
  return command;
}

}  // namespace

std::string StatusLine(const v1::StudyStatus& status) {
  std::string line =
      absl::StrCat(ShortHash(status.study_hash()), "  ", status.name(), "  ",
                   PhaseName(status.phase()));
  if (status.phase() == v1::StudyStatus::TRAINING) {
    absl::StrAppend(&line, "  round ", status.round(), " of ", status.rounds());
  }
  if (status.phase() == v1::StudyStatus::TRAINING &&
      status.stopped_tracks_size() > 0) {
    absl::StrAppend(
        &line, "  stopped: ", absl::StrJoin(status.stopped_tracks(), ", "));
  }
  if (status.mean_loss() > 0) {
    absl::StrAppend(&line, absl::StrFormat("  loss %.4f", status.mean_loss()));
  }
  if (status.waiting_for_size() > 0) {
    absl::StrAppend(&line, "  waiting for ",
                    absl::StrJoin(status.waiting_for(), ", "));
  }
  if (status.unable_size() > 0) {
    absl::StrAppend(&line, "  unable: ", UnableText(status));
  }
  if (!status.reason().empty()) absl::StrAppend(&line, "  ", status.reason());
  if (!status.warning().empty()) {
    absl::StrAppend(&line, "  WARNING: ", status.warning());
  }
  return line;
}

std::string StatusJson(const v1::StudyStatus& status) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["hash"] = ToHex(status.study_hash());
  json["name"] = status.name();
  json["phase"] = PhaseName(status.phase());
  json["round"] = status.round();
  json["rounds"] = status.rounds();
  json["mean_loss"] =
      status.mean_loss() > 0 ? Json(status.mean_loss()) : Json();
  json["stopped_tracks"] = std::vector<std::string>(
      status.stopped_tracks().begin(), status.stopped_tracks().end());
  json["waiting_for"] = std::vector<std::string>(status.waiting_for().begin(),
                                                 status.waiting_for().end());
  json["unable"] = Json::object();
  for (const auto& site : status.unable()) {
    json["unable"][site.site()] = site.reason();
  }
  json["reason"] = status.reason().empty() ? Json() : Json(status.reason());
  json["warning"] = status.warning().empty() ? Json() : Json(status.warning());
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AddStudyCommands(CLI::App& app, Action& action) {
  CLI::App* study = app.add_subcommand("study", "Submit and follow studies");
  study->require_subcommand(1);
  study->footer(
      "Example:\n  hilum-coordinator study list --config coordinator.yaml");
  auto a = std::make_shared<Arguments>();
  CLI::App* submit = AddCommand(
      *study, "submit", "Offer a study to its sites",
      "submit --config coordinator.yaml --certificates certs study.yaml",
      Submit, a, action);
  AddSubmitOptions(*submit, *a);
  AddCommand(*study, "list", "Show the studies and where they stand",
             "list --config coordinator.yaml", List, a, action)
      ->add_flag("--json", a->json, "One JSON object a line");
  CLI::App* watch =
      AddCommand(*study, "watch", "Follow a study to its end",
                 "watch --config coordinator.yaml lungs", Watch, a, action);
  CLI::App* stop =
      AddCommand(*study, "stop", "End a study before it is done",
                 "stop --config coordinator.yaml 3f9", Stop, a, action);
  CLI::App* exported =
      AddCommand(*study, "export", "Write a study's models and report",
                 "export --config coordinator.yaml lungs --out results", Export,
                 a, action);
  exported->add_option("--out", a->out, "Folder, made where absent")
      ->required();
  exported->add_flag("--partial", a->partial,
                     "Also of a stopped study: its last models, marked as not "
                     "trained to the end");
  for (CLI::App* command : {watch, stop, exported}) {
    command
        ->add_option("STUDY", a->study,
                     "The study's name, or the first digits of its hash")
        ->required();
  }
}

}  // namespace hilum
