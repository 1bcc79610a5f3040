// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer heatmap`: where a trained model looks, case by case.
#ifndef HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/trainer/heatmap/heatmap_model.h"
#include "site_agent/trainer/models/cam_method.h"

namespace CLI {
class App;
}

namespace hilum {

struct HeatmapOptions {
  // Files: PNG, JPEG or DICOM; STORE#CASE, or STORE: all its cases.
  std::vector<std::string> cases;
  std::string model;  // a file of weights
  std::string out;    // folder, made where it is not there
  std::string label;  // empty: each case's most probable class
  CamMethod method = CamMethod::kGradCam;
  // Of the only case; or a folder with STEM.png for some of the cases.
  std::string mask;
  std::string arm;     // "whole", "segmented"; empty: the model's track's
  bool dicom = false;  // a DICOM secondary capture too
  ModelNotes notes;
};

// Writes OUT/STEM-CLASS.png (of a store's case OUT/CASE-CLASS.png), as large
// and turned as the case (with dicom also .dcm), with class, probability and
// model on it where there is room, readable to the owner alone, and a line for
// each case to `out`: its probabilities and, with a mask, how much heat is in
// the lungs. A case that cannot be done gets a line on `errors`, and the others
// go on. INVALID_ARGUMENT: a class that the model has not, two cases with one
// stem, an arm that is none, one mask for many cases. UNKNOWN: so many cases
// failed. Else as HeatmapModel::Open and MakeDirectories.
absl::Status MakeHeatmaps(const HeatmapOptions& options, std::ostream& out,
                          std::ostream& errors);

// Adds the subcommand; what to do is in `action` once it was parsed.
void AddHeatmapCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_COMMAND_H_
