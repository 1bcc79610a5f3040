// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer heatmap`: shows which pixels a trained model's answer rests
// on.
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
  // Cases in ListCases' forms; those in quarantine are drawn, too.
  std::vector<std::string> cases;
  std::string model;  // a file of weights
  std::string out;    // folder, made if missing
  std::string label;  // empty: each case's most probable class
  CamMethod method = CamMethod::kGradCam;
  // The only case's mask; or a folder with STEM.png for some of the cases.
  std::string mask;
  std::string arm;  // "whole", "segmented"; empty: the arm of the model's track
  bool dicom = false;  // writes a DICOM secondary capture too
  ModelNotes notes;
};

// Writes OUT/STEM-CLASS.png (for a store's case OUT/CASE-CLASS.png; with dicom
// also .dcm) for each case, readable by the owner alone. The picture has the
// case's size and orientation, with class, probability and model on it where
// there is room. Prints a line for each case to `out`: its probabilities and,
// with a mask, the share of the heat in the lungs. A case that fails gets a
// line on `errors`, and the others go on. INVALID_ARGUMENT: a class that the
// model does not have, two cases with one stem, an unknown arm, one mask for
// many cases. UNKNOWN: some cases failed; the message has their number.
// Otherwise errors as HeatmapModel::Open and MakeDirectories.
absl::Status MakeHeatmaps(const HeatmapOptions& options, std::ostream& out,
                          std::ostream& errors);

// Adds the subcommand; parsing it sets `action`.
void AddHeatmapCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_COMMAND_H_
