// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_text.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "common/config/message_yaml.h"
#include "common/config/pinned_keys.h"
#include "common/config/starting_weights.h"
#include "common/config/step_plan.h"
#include "common/config/step_rules.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/crypto/short_hash.h"
#include "common/model/architecture.h"
#include "site_agent/gateway/trusted_peers.h"

namespace hilum {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kIndent = 2;

// Appends the heading and the text below it, in lines of at most kColumns.
void AddPart(const std::string& heading, const std::string& text,
             std::string& out) {
  absl::StrAppend(&out, heading, "\n");
  for (absl::string_view paragraph : absl::StrSplit(text, '\n')) {
    std::string line(kIndent, ' ');
    for (absl::string_view word :
         absl::StrSplit(paragraph, ' ', absl::SkipEmpty())) {
      if (line.size() + 1 + word.size() > kColumns && line.size() > kIndent) {
        absl::StrAppend(&out, line, "\n");
        line.assign(kIndent, ' ');
      }
      absl::StrAppend(&line, line.size() > kIndent ? " " : "", word);
    }
    absl::StrAppend(&out, line, "\n");
  }
}

std::string Bytes(double bytes) {
  const char* const kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(kUnits)) {
    bytes /= 1000;
    ++unit;
  }
  const int digits = bytes < 10 && unit > 0 ? 1 : 0;
  return absl::StrFormat("%.*f %s", digits, bytes, kUnits[unit]);
}

std::string Count(uint64_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

std::string TrainedPart(const v1::Model& model) {
  switch (model.trainable()) {
    case v1::Model::TRAINABLE_HEAD:
      return "only its last layer is trained";
    case v1::Model::TRAINABLE_LAST_BLOCKS:
      return absl::StrCat("only its last ", Count(model.last_blocks(), "block"),
                          " and its last layer are trained");
    default:
      return "all layers are trained";
  }
}

std::string RoundText(const v1::Study& study) {
  const v1::Training& training = study.training();
  return HasLocalSteps(study) ? Count(training.local_steps(), "training step")
                              : Count(training.local_epochs(), "epoch");
}

std::string WhatText(const v1::Study& study) {
  std::vector<std::string> arms;
  for (int arm : study.arms()) {
    arms.push_back(arm == v1::ARM_SEGMENTED ? "cut to the lungs by their masks"
                                            : "whole");
  }
  return absl::StrCat(
      "The network ", study.model().architecture(), " learns to ",
      IsSegmentation(study)
          ? "find the lungs"
          : absl::StrCat("distinguish ", absl::StrJoin(study.classes(), ", ")),
      ". It learns from the radiographs in this site's case manifest (",
      absl::StrJoin(arms, " and "), ", ", study.model().input_size(),
      " pixels a side). Of the network, ", TrainedPart(study.model()), ". ",
      Count(study.training().rounds(), "round"), " of ", RoundText(study),
      " each.");
}

// Returns the site's name, its whole key as a policy takes it, and whether this
// site knows the key.
std::string SiteLine(const StudyView& view, const std::string& name) {
  const SiteId site(name);
  const std::optional<std::string> key = PinnedKey(view.study, site);
  const bool own = site == view.asked.site;
  const bool known =
      !own && CountTrusted(view.asked.policy, view.study, {site}) > 0;
  return absl::StrCat(name, "  ",
                      key.has_value() ? ToHex(*key) : "no key is pinned",
                      own     ? "  this site"
                      : known ? "  known to you"
                              : "");
}

std::string WhomText(const StudyView& view) {
  const std::set<SiteId> others = OtherSites(view.study, view.asked.site);
  std::vector<std::string> lines;
  for (const std::string& site : view.study.sites()) {
    lines.push_back(SiteLine(view, site));
  }
  lines.push_back(absl::StrCat(
      CountTrusted(view.asked.policy, view.study, others), " of ",
      others.size(), " other sites are known to you (policy.trusted_peers)."));
  if (view.asked.policy.trusted_peers().empty()) {
    lines.back() +=
        " A certificate has a hospital's name. It does not prove that this "
        "hospital has the key: ask the hospitals by telephone for their keys "
        "(`hilum-certs show` prints them), and list them there.";
  }
  return absl::StrJoin(lines, "\n");
}

std::string OpenText(const v1::Study& study) {
  std::string text =
      "The study has no secure aggregation. The coordinator sees this site's "
      "own updates, case counts and evaluation, and can compute images of "
      "patients from updates.";
  if (study.sites_size() == 2) {
    text +=
        " With two hospitals the other hospital can do this, too: each new "
        "model is the mean of two updates, and each hospital knows its own.";
  }
  return text;
}

// Says what the sums themselves reveal.
std::string SeenInSumsText(const v1::Study& study) {
  const int fewest = LeastSites(study);
  return absl::StrCat(
      "All of these sites and the coordinator can see: which sites take part "
      "and when; the case counts of the whole cohort; what one site has alone, "
      "such as a class that no other site has. If only two sites have a class, "
      "each of the two sees the counts of the other. ",
      fewest < study.sites_size()
          ? "If a site leaves between the first sum and the evaluation, its "
            "case counts can be seen. "
          : "",
      "Somebody who has an image of a patient can test whether the model "
      "learned from it. ");
}

std::string HiddenText(const StudyView& view) {
  const v1::Study& study = view.study;
  if (!IsSecure(study)) return OpenText(study);
  const int threshold = SumThreshold(study.sites_size());
  // Helpers are fewer than 2 t - n (docs/secure-aggregation.md), and leave at
  // least two honest sites in each sum.
  const int helpers =
      std::min(2 * threshold - study.sites_size() - 1, threshold - 2);
  return absl::StrCat(
      "Secure aggregation is on. The coordinator can read only sums over at "
      "least ",
      LeastSites(study), " of the ", study.sites_size(),
      " sites. This holds if the coordinator has the help of at most ", helpers,
      " of the sites. Every site reads the same sums, and can subtract its own "
      "part. ",
      SeenInSumsText(study),
      view.asked.policy.publish_site_figures()
          ? "This site's policy (publish_site_figures: true) also shows this "
            "site's own case counts and evaluation."
          : "This site sends its own case counts and evaluation only as a part "
            "of these sums.");
}

std::string LeavesText(const v1::Study& study, const ParameterLayout& layout) {
  const VectorLayout vector{
      .track_size = layout.travelling_size,
      .num_tracks = static_cast<int>(StudyTracks(study).size()),
      .validates = IsValidated(study)};
  constexpr double kWord = 4;
  const double round = static_cast<double>(vector.num_bytes());
  const double rounds = study.training().rounds();
  const double figures =
      kWord * static_cast<double>(CensusVectorSize(study) +
                                  EvaluationVectorSize(study));
  return absl::StrCat(
      "Once: counts of cases and patients by fold and class; sums over the ",
      "images' gray values, sizes and lung areas. Each round: the change of ",
      "the trained weights in ", Count(StudyTracks(study).size(), "model"),
      ", with case counts and losses, about ", Bytes(round),
      ". At the end: counts of right and wrong answers and histograms of ",
      "scores. In all about ", Bytes(round * rounds + figures),
      ". No image and no name leaves. `hilum-site serve` writes each message ",
      "to ledger.jsonl in the state folder; calls that repeat share a line.");
}

std::string PatientsText(const StudyView& view) {
  const PolicyLimits limits = LimitsOf(view.asked.policy);
  std::string text = absl::StrCat(
      "Patients are dealt into ", view.study.cross_validation().folds(),
      " folds by this site's secret key; each patient is in one. ");
  if (IsSecure(view.study)) {
    absl::StrAppend(&text,
                    "Nothing is trained unless each class in each fold has no "
                    "patient or at least ",
                    limits.minimum_cell_patients, " patients, whichever ",
                    LeastSites(view.study), " of the ", view.study.sites_size(),
                    " sites are in a sum. If this site has most of the cases, "
                    "a sum is almost this site's own update: only the log says "
                    "so, after the first sum (policy.largest_share forbids "
                    "it). ");
  }
  if (limits.minimum_own_cell_patients > 0) {
    absl::StrAppend(&text, "This site alone must have no patient or at least ",
                    limits.minimum_own_cell_patients, " of them. ");
  }
  if (HasFewSteps(view.study, limits.minimum_steps)) {
    return absl::StrCat(
        text, "Each round has only ", RoundText(view.study), " of a batch of ",
        view.study.training().batch_size(),
        " cases of all sites together: a sum is nearly the gradient of that "
        "batch.");
  }
  return absl::StrCat(text, "Each round has at least ", limits.minimum_steps,
                      " training steps, so that an update is not the gradient "
                      "of a single step.");
}

// Says what the starting weights learned from, by the coordinator's word, and
// what this site tells with that list.
std::string SeenText(const v1::Study& study) {
  std::string text = absl::StrCat(
      "The coordinator says: ", DescribeStartingWeights(study), ".");
  if (!ListsImages(study)) return text;
  absl::StrAppend(
      &text, " This site compares its images with the list of these images. ",
      ExcludesSeen(study)
          ? "Patients who are in it are left out of the evaluation. "
          : "Patients who are in it stay in the evaluation. ",
      "How many of the cohort's cases are theirs, by class and fold, is a sum ",
      "that all sites read. Whoever made the list can learn from the sum ",
      "whether certain images are here; a site with fewer than ", kSeenPatients,
      " patients in the list tells nothing.");
  return text;
}

// Returns the path quoted as one word of a shell.
std::string ShellWord(const std::string& path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("/._-", std::string(1, c));
  });
  if (plain && !path.empty()) return path;
  return absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
}

std::string ListText(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", "- ", line);
  }
  return text;
}

std::string RisksText(const StudyView& view) {
  std::vector<std::string> lines;
  for (const Risk& risk : view.risks) {
    lines.push_back(absl::StrCat(
        risk.name, view.accepted.risks.contains(risk.name) ? " (accepted)" : "",
        ": ", risk.sentence, "."));
  }
  if (!view.weights.is_known) {
    lines.push_back(absl::StrCat(
        "unknown_weights", LacksWeights(view) ? "" : " (accepted)",
        ": the program does not know who made the starting weights; weights ",
        "can be made so that updates disclose images of patients."));
  }
  if (view.starts_like_past) {
    lines.push_back(
        absl::StrCat(kPatientsInferable,
                     ": the program may ask for this later, when it has read "
                     "the cases, because an earlier study started from the "
                     "same weights."));
  }
  return lines.empty() ? "None." : ListText(lines);
}

}  // namespace

std::vector<Risk> MissingRisks(const StudyView& view) {
  std::vector<Risk> missing;
  for (const Risk& risk : view.risks) {
    if (!view.accepted.risks.contains(risk.name)) missing.push_back(risk);
  }
  return missing;
}

bool LacksWeights(const StudyView& view) {
  return !view.weights.is_known &&
         view.accepted.weights_sha256 != view.study.initial_weights_sha256();
}

std::string ApproveCommand(const StudyView& view) {
  std::set<std::string> names = view.accepted.risks;
  for (const Risk& risk : view.risks) names.insert(risk.name);
  std::string command =
      absl::StrCat("hilum-site study approve --config ",
                   ShellWord(view.config_path), " ", ShortHash(view.hash));
  if (!names.empty()) {
    absl::StrAppend(&command, " --accept ", absl::StrJoin(names, ","));
  }
  if (!view.weights.is_known) {
    absl::StrAppend(&command, " --weights ",
                    ToHex(view.study.initial_weights_sha256()));
  }
  return command;
}

std::string StudyYaml(v1::Study study) {
  if (!study.has_starting_weights()) return MessageToYaml(study);
  for (v1::TrainedOn& set :
       *study.mutable_starting_weights()->mutable_trained_on()) {
    set.clear_digests();
  }
  return MessageToYaml(study);
}

absl::StatusOr<std::string> StudyText(const StudyView& view) {
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(view.study));
  std::string out = absl::StrCat("Study ", view.study.name(), ", ",
                                 view.decision, "\n  ", ToHex(view.hash), "\n");
  if (!view.study.description().empty()) {
    AddPart("What it is for, in the words of whoever wrote it",
            view.study.description(), out);
  }
  AddPart("What is trained", WhatText(view.study), out);
  AddPart("With whom, and their public keys", WhomText(view), out);
  AddPart("What is hidden from whom", HiddenText(view), out);
  AddPart("What leaves", LeavesText(view.study, layout), out);
  AddPart("Where the starting weights come from",
          absl::StrCat(view.weights.sentence, ".\n",
                       ToHex(view.study.initial_weights_sha256()), "\n",
                       SeenText(view.study)),
          out);
  AddPart("How patients are protected", PatientsText(view), out);
  AddPart("Conflicts with this site's policy",
          view.conflicts.empty() ? "None." : ListText(view.conflicts), out);
  AddPart("Risks that you must accept", RisksText(view), out);
  absl::StrAppend(&out, "To take part\n  ", ApproveCommand(view),
                  "\nTo decline\n  hilum-site study refuse --config ",
                  ShellWord(view.config_path), " ", ShortHash(view.hash),
                  "\nThe study in full\n");
  for (absl::string_view line :
       absl::StrSplit(StudyYaml(view.study), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&out, "  ", line, "\n");
  }
  return out;
}

}  // namespace hilum
