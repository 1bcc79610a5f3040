// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/heatmap/heatmap_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom_write/write_secondary_capture.h"
#include "site_agent/imaging/pictures/heat_overlay.h"
#include "site_agent/imaging/pictures/stamp_text.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/localization.h"
#include "site_agent/trainer/heatmap/heatmap_case.h"

namespace hilum {
namespace {

constexpr char kNotForDiagnosis[] = "Research use only, not for diagnosis";
constexpr uint32_t kOwnerOnly = 0600;  // they show patients

std::string MethodName(CamMethod method) {
  return method == CamMethod::kGradCam ? "Grad-CAM" : "Grad-CAM++";
}

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// Returns a class as a part of a file's name.
std::string FileWord(const std::string& label) {
  std::string word = label;
  for (char& c : word) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' &&
        c != '.' && c != '_') {
      c = '_';
    }
  }
  return word;
}

// The arguments that all cases share.
struct Task {
  const HeatmapOptions& options;
  const HeatmapCases& cases;
  HeatmapModel& model;
  bool segmented;
  std::optional<int> label;
};

std::string Line(const Task& task, const HeatmapCase& one,
                 const HeatmapView& view, const HeatmapModel::Answer& answer) {
  const std::vector<std::string>& classes = task.model.facts().classes;
  std::vector<std::string> parts;
  for (size_t c = 0; c < classes.size(); ++c) {
    parts.push_back(
        absl::StrFormat("%s %.3f", classes[c], answer.probabilities[c]));
  }
  std::string line = absl::StrCat(one.path, ": ", absl::StrJoin(parts, ", "),
                                  "; heat of ", classes[answer.label]);
  if (view.lungs.empty()) return line;
  auto score = LocalizationOf(answer.heat, view.lungs);
  if (!score.has_value()) return absl::StrCat(line, ": none");
  absl::StrAppendFormat(&line, ": %.3f in the lungs, which are %.3f of the %s",
                        score->heat_in_lungs, score->lung_share,
                        task.segmented ? "part shown" : "image");
  return line;
}

absl::Status WriteCapture(const Task& task, const HeatmapCase& one,
                          const HeatmapModel::Answer& answer,
                          const RgbImage& picture, const std::string& path) {
  const ModelFacts& facts = task.model.facts();
  const std::string method = MethodName(task.options.method);
  CaptureNotes notes;
  notes.series_description =
      absl::StrCat(method, " heat map. ", kNotForDiagnosis);
  notes.derivation = absl::StrFormat(
      "%s. %s heat map of class %s (probability %.3f) over the radiograph; "
      "seen by the model: %s; model of SHA-256 %s",
      kNotForDiagnosis, method, facts.classes[answer.label],
      answer.probabilities[answer.label],
      task.segmented ? "the lungs alone" : "the whole image",
      task.model.sha256());
  notes.series_key = absl::StrCat(task.model.sha256(), " ", method, " ",
                                  task.segmented ? "segmented" : "whole");
  notes.source_key = Sha256Of(one.bytes.empty() ? one.path : one.bytes);
  notes.instance_number = answer.label + 1;
  notes.lossy_source = absl::StartsWith(one.bytes, "\xff\xd8\xff");  // JPEG
  std::optional<DicomFile> source;
  if (IsDicom(one.bytes)) {
    HILUM_ASSIGN_OR_RETURN(source, ReadDicomFile(one.bytes));
  }
  HILUM_ASSIGN_OR_RETURN(
      std::string bytes,
      EncodeSecondaryCapture(picture, notes, source ? &*source : nullptr));
  return WriteFileAtomically(path, bytes, Durability::kSync, kOwnerOnly);
}

// Writes class, probability and model on the picture where there is room.
void Stamp(const Task& task, const HeatmapModel::Answer& answer,
           RgbImage& picture) {
  const std::string what = absl::StrFormat(
      "%s %.3f, %s", task.model.facts().classes[answer.label],
      answer.probabilities[answer.label], MethodName(task.options.method));
  const std::string model =
      absl::StrCat("model ", NameOfCase(task.options.model), " ",
                   absl::string_view(task.model.sha256()).substr(0, 8),
                   task.segmented ? ", lungs alone" : "");
  if (StampLines({what, model, kNotForDiagnosis}, picture)) return;
  StampText(kNotForDiagnosis, picture);
}

absl::StatusOr<std::string> Explain(const Task& task, const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(HeatmapCase one, task.cases.Read(path));
  HILUM_ASSIGN_OR_RETURN(
      HeatmapView view,
      task.cases.ViewOf(one, task.segmented, task.model.facts().input_size));
  HILUM_ASSIGN_OR_RETURN(
      HeatmapModel::Answer answer,
      task.model.Explain(view.plane, task.label, task.options.method));
  const ModelFacts& facts = task.model.facts();
  const GrayImage heat =
      SpreadHeat(answer.heat, facts.input_size, one.image.rows,
                 one.image.columns, view.box);
  HILUM_ASSIGN_OR_RETURN(RgbImage picture, OverlayHeat(one.image, heat, {}));
  // The printed line may be lost; the picture keeps class and model.
  Stamp(task, answer, picture);
  HILUM_ASSIGN_OR_RETURN(
      std::string png,
      EncodePngRgb8(picture.rows, picture.columns, picture.pixels));
  const std::string to =
      absl::StrCat(task.options.out, "/", NameOfCase(path), "-",
                   FileWord(facts.classes[answer.label]));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(to, ".png"), png,
                                            Durability::kSync, kOwnerOnly));
  if (task.options.dicom) {
    HILUM_RETURN_IF_ERROR(
        WriteCapture(task, one, answer, picture, absl::StrCat(to, ".dcm")));
  }
  return Line(task, one, view, answer);
}

absl::Status CheckCases(const HeatmapOptions& options,
                        const std::vector<std::string>& cases) {
  std::map<std::string, std::string> stems;
  for (const std::string& path : cases) {
    auto [first, is_new] = stems.emplace(NameOfCase(path), path);
    if (is_new) continue;
    return UsageError(absl::StrCat(
        first->second, " and ", path,
        " would have pictures of the same name; take them one by one"));
  }
  if (cases.size() > 1 && !options.mask.empty() && !IsFolder(options.mask)) {
    return UsageError(absl::StrCat(
        options.mask, ": one mask and ", cases.size(),
        " cases; give --mask a folder with a mask for each, STEM.png"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> IsSegmented(const HeatmapOptions& options,
                                 const std::string& models) {
  if (options.arm.empty()) return models == "segmented";
  if (options.arm == "segmented") return true;
  if (options.arm == "whole") return false;
  return UsageError("--arm: whole or segmented");
}

absl::StatusOr<std::optional<int>> LabelOf(
    const std::string& label, const std::vector<std::string>& classes) {
  if (label.empty()) return std::nullopt;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (classes[c] == label) return static_cast<int>(c);
  }
  return UsageError(absl::StrCat("--class ", label, ": the model knows ",
                                 absl::StrJoin(classes, ", ")));
}

// Adds the options for facts that a model's file may lack.
void AddNotes(CLI::App& heatmap, ModelNotes& notes) {
  heatmap
      .add_option("--classes", notes.classes,
                  "The model's classes, a,b,c; overrides its file")
      ->delimiter(',');
  heatmap.add_option("--architecture", notes.architecture,
                     "The model's architecture; overrides its file");
  heatmap.add_option("--preprocessing", notes.preprocessing,
                     "hilum, imagenet or torchxrayvision; overrides the file");
  heatmap.add_option("--input-size", notes.input_size,
                     "Side of the input in pixels; overrides the file");
}

}  // namespace

absl::Status MakeHeatmaps(const HeatmapOptions& options, std::ostream& out,
                          std::ostream& errors) {
  HILUM_ASSIGN_OR_RETURN(const std::vector<ListedCase> listed,
                         ListCases(options.cases));
  std::vector<std::string> paths;
  for (const ListedCase& one : listed) {
    if (!one.bad_row) paths.push_back(one.row.path);
  }
  HILUM_RETURN_IF_ERROR(CheckCases(options, paths));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<HeatmapModel> model,
                         HeatmapModel::Open(options.model, options.notes));
  HILUM_ASSIGN_OR_RETURN(bool segmented,
                         IsSegmented(options, model->facts().arm));
  HILUM_ASSIGN_OR_RETURN(std::optional<int> label,
                         LabelOf(options.label, model->facts().classes));
  HILUM_RETURN_IF_ERROR(MakeDirectories(options.out));
  const HeatmapCases cases(listed, options.mask);
  const Task task{options, cases, *model, segmented, label};
  size_t failed = 0;
  for (const std::string& path : paths) {
    absl::StatusOr<std::string> line = Explain(task, path);
    if (line.ok()) {
      out << *line << std::endl;
      continue;
    }
    ++failed;
    // Errors of files begin with the path already.
    const std::string message(line.status().message());
    errors << (absl::StartsWith(message, path) ? "" : path + ": ") << message
           << std::endl;
  }
  if (failed == 0) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat(failed, " of ", paths.size(), " cases have no heat map"));
}

void AddHeatmapCommand(CLI::App& app, std::function<absl::Status()>& action) {
  // The action names the options; they live as long as it does.
  auto options = std::make_shared<HeatmapOptions>();
  CLI::App* heatmap = app.add_subcommand(
      "heatmap", "Show where a trained model looks, over the radiograph");
  heatmap
      ->add_option("CASE", options->cases,
                   "PNG, JPEG or DICOM files; a case manifest (.csv); "
                   "STORE#CASE, or STORE for all cases of a case store")
      ->required();
  heatmap->add_option("--model", options->model, "Weights, safetensors or .pth")
      ->required();
  heatmap->add_option("--out", options->out, "Folder for CASE-CLASS.png")
      ->required();
  heatmap->add_option("--class", options->label,
                      "Class to explain (default: each case's most probable)");
  // Names each method: a map in the option would show its enum in the help.
  heatmap
      ->add_option_function<std::string>(
          "--method",
          [options](const std::string& name) {
            options->method = name == "grad-cam" ? CamMethod::kGradCam
                                                 : CamMethod::kGradCamPlusPlus;
          },
          "How the map is computed")
      ->check(CLI::IsMember({"grad-cam", "grad-cam++"}))
      ->default_str("grad-cam");
  heatmap->add_option(
      "--mask", options->mask,
      "The case's lung mask; for several cases a folder of STEM.png");
  heatmap
      ->add_option("--arm", options->arm,
                   "Images the model was trained on (default: its file's)")
      ->check(CLI::IsMember({"whole", "segmented"}));
  heatmap->add_flag("--dicom", options->dicom,
                    "Write a DICOM secondary capture too, for the PACS");
  AddNotes(*heatmap, options->notes);
  heatmap->footer(
      "Example:\n  hilum-trainer heatmap chest.dcm --model "
      "whole-final.safetensors --mask chest-lungs.png --out heat --dicom\n"
      "  hilum-trainer heatmap cases.csv --model whole-final.safetensors --out "
      "heat\n"
      "  hilum-trainer heatmap /data/cases#6b1f0c2d4e5a6978 --model "
      "whole-final.safetensors --out heat");
  heatmap->callback([options, &action] {
    action = [options]() -> absl::Status {
      // Makes the folder before any image or weights are opened.
      HILUM_RETURN_IF_ERROR(MakeDirectories(options->out));
      Confinement confinement{.read = FilesOfData(options->cases),
                              .write = {options->out}};
      confinement.read.push_back(options->model);
      if (!options->mask.empty()) confinement.read.push_back(options->mask);
      HILUM_RETURN_IF_ERROR(Confine(confinement));
      return MakeHeatmaps(*options, std::cout, std::cerr);
    };
  });
}

}  // namespace hilum
