// SPDX-License-Identifier: Apache-2.0
#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "common/cli/program.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/trainer/check_command.h"
#include "site_agent/trainer/heatmap/heatmap_command.h"
#include "site_agent/trainer/orientation/orientation_command.h"
#include "site_agent/trainer/predict/predict_command.h"
#include "site_agent/trainer/segmentation/command/segment_command.h"
#include "site_agent/trainer/serve_command.h"
#include "site_agent/trainer/weights/weights_command.h"

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  hilum::MakeFilesPrivate();  // what it writes shows patients
  hilum::Program program(
      "hilum-trainer", "Trains and evaluates at one site; has no network.",
      {"hilum-trainer weights inspect densenet.pth",
       "hilum-trainer serve --socket-fd 3    (hilum-site starts it)"});
  hilum::AddServeCommand(program.app(), program.action());
  hilum::AddCheckCommand(program.app(), program.action());
  hilum::AddWeightsCommand(program.app(), program.action());
  hilum::AddHeatmapCommand(program.app(), program.action());
  hilum::AddPredictCommand(program.app(), program.action());
  hilum::AddSegmentCommand(program.app(), program.action());
  hilum::AddOrientationCommand(program.app(), program.action());
  return program.Run(argc, argv, hilum::HideMemory);
}
