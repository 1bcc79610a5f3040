// SPDX-License-Identifier: Apache-2.0
#include "common/model/model_facts.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/model/fit.h"
#include "common/model/lungs_unet.h"
#include "common/model/preprocessing.h"

namespace hilum {
namespace {

absl::Status Silent(absl::string_view key, absl::string_view option) {
  return absl::InvalidArgumentError(
      absl::StrCat("it does not say its ", key, "; give ", option));
}

absl::Status CheckClassifies(const WeightsMetadata& metadata) {
  const std::string task = Said(metadata, kTaskKey);
  if ((task.empty() || task == "classification") &&
      Said(metadata, std::string(kSegmenterSizeKey)).empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "it finds lungs and has no classes; `hilum-trainer segment run "
      "--weights` uses it");
}

absl::StatusOr<Architecture> ArchitectureOf(
    const std::vector<NamedTensor>& tensors, const std::string& name) {
  std::vector<Architecture> fitting = FittingArchitectures(tensors);
  std::vector<std::string> names;
  for (const Architecture& known : fitting) {
    if (known.name == name || (name.empty() && fitting.size() == 1)) {
      return known;
    }
    names.push_back(known.name);
  }
  if (fitting.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its tensors are none of ", absl::StrJoin(KnownArchitectures(), ", "),
        "; hilum-trainer weights inspect lists them"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("its tensors are those of ", absl::StrJoin(names, ", "),
                   name.empty() ? "; give --architecture"
                                : absl::StrCat(", not of ", Shown(name))));
}

absl::StatusOr<std::vector<std::string>> ClassesOf(
    const WeightsMetadata& metadata, const ModelNotes& notes,
    const Architecture& architecture) {
  std::vector<std::string> classes =
      notes.classes.empty() ? ClassesSaid(metadata) : notes.classes;
  if (classes.empty()) return Silent("classes", "--classes a,b,c");
  if (static_cast<int>(classes.size()) != architecture.classes) {
    return absl::InvalidArgumentError(
        absl::StrCat("its head has ", architecture.classes, " classes, and ",
                     classes.size(), " are named"));
  }
  for (std::string& label : classes) label = Shown(label);
  return classes;
}

absl::StatusOr<v1::Model::Preprocessing> PresetOf(
    const WeightsMetadata& metadata, const ModelNotes& notes) {
  const std::string preset = notes.preprocessing.empty()
                                 ? Said(metadata, kPreprocessingKey)
                                 : notes.preprocessing;
  if (preset.empty()) {
    return Silent("preprocessing",
                  "--preprocessing hilum, imagenet or torchxrayvision");
  }
  return ParsePreprocessing(preset);
}

absl::StatusOr<int> SizeOf(const WeightsMetadata& metadata,
                           const ModelNotes& notes) {
  int size = notes.input_size;
  if (size == 0) {
    if (Said(metadata, kInputSizeKey).empty()) {
      return Silent("input size", "--input-size");
    }
    size = InputSizeSaid(metadata).value_or(-1);
  }
  if (size >= 32 && size <= 1024) return size;
  return absl::InvalidArgumentError("its input size is not from 32 to 1024");
}

// A list that is no list of numbers counts as none: it only warns of cases.
std::vector<double> QuantilesOf(const WeightsMetadata& metadata) {
  std::vector<double> quantiles;
  for (absl::string_view word : absl::StrSplit(
           Said(metadata, kGrayQuantilesKey), ',', absl::SkipEmpty())) {
    if (!absl::SimpleAtod(word, &quantiles.emplace_back())) return {};
  }
  return quantiles;
}

std::string Text(const Architecture& architecture) {
  return absl::StrCat(architecture.name, " with ", architecture.input_channels,
                      " input channels and ", architecture.head_units,
                      " head units");
}

absl::Status Compare(absl::string_view what, const std::string& own,
                     const std::string& wanted) {
  if (own == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("its ", what, " ", own, ", not ", wanted));
}

}  // namespace

std::string Said(const WeightsMetadata& metadata, const std::string& key) {
  auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

std::vector<std::string> ClassesSaid(const WeightsMetadata& metadata) {
  return absl::StrSplit(Said(metadata, kClassesKey), ',', absl::SkipEmpty());
}

std::string ArmSaid(const WeightsMetadata& metadata) {
  const std::string arm = Said(metadata, kArmKey);
  const std::string track = Said(metadata, kTrackKey);
  for (const char* known : {"whole", "segmented"}) {
    if (arm == known) return arm;
    if (arm.empty() && absl::StartsWith(track, absl::StrCat(known, "-"))) {
      return known;
    }
  }
  return "";
}

std::optional<int> InputSizeSaid(const WeightsMetadata& metadata) {
  int size = 0;
  if (!absl::SimpleAtoi(Said(metadata, kInputSizeKey), &size)) {
    return std::nullopt;
  }
  return size;
}

absl::StatusOr<ModelFacts> FactsOf(const std::vector<NamedTensor>& tensors,
                                   const WeightsMetadata& metadata,
                                   const ModelNotes& notes) {
  HILUM_RETURN_IF_ERROR(CheckClassifies(metadata));
  ModelFacts facts;
  HILUM_ASSIGN_OR_RETURN(
      facts.architecture,
      ArchitectureOf(tensors, notes.architecture.empty()
                                  ? Said(metadata, kArchitectureKey)
                                  : notes.architecture));
  HILUM_ASSIGN_OR_RETURN(facts.classes,
                         ClassesOf(metadata, notes, facts.architecture));
  HILUM_ASSIGN_OR_RETURN(facts.preprocessing, PresetOf(metadata, notes));
  HILUM_ASSIGN_OR_RETURN(facts.input_size, SizeOf(metadata, notes));
  facts.track = Said(metadata, kTrackKey);
  facts.arm = ArmSaid(metadata);
  facts.judge_masks = Said(metadata, kJudgeMasksKey) != "false";
  facts.gray_quantiles = QuantilesOf(metadata);
  return facts;
}

absl::Status CheckAlike(const ModelFacts& facts, const ModelFacts& wanted) {
  HILUM_RETURN_IF_ERROR(Compare("architecture is", Text(facts.architecture),
                                Text(wanted.architecture)));
  HILUM_RETURN_IF_ERROR(Compare("classes are",
                                absl::StrJoin(facts.classes, ", "),
                                absl::StrJoin(wanted.classes, ", ")));
  HILUM_RETURN_IF_ERROR(Compare("input size is", absl::StrCat(facts.input_size),
                                absl::StrCat(wanted.input_size)));
  HILUM_RETURN_IF_ERROR(Compare("preprocessing is",
                                PreprocessingName(facts.preprocessing),
                                PreprocessingName(wanted.preprocessing)));
  const auto arm = [](const std::string& said) {
    return said.empty() ? std::string("not said") : said;
  };
  return Compare("arm is", arm(facts.arm), arm(wanted.arm));
}

}  // namespace hilum
