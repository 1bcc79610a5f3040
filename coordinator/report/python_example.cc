// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/study.h"
#include "common/model/preprocessing.h"
#include "coordinator/report/python_model.h"

namespace hilum {
namespace {

// Returns the Python call that makes the network, without weights.
std::string Constructor(const v1::Study& study) {
  const v1::Model& model = study.model();
  std::string call = absl::StrCat("HilumSmall(", study.classes_size());
  if (model.input_channels() == 3) absl::StrAppend(&call, ", input_channels=3");
  if (model.head_units() > 0) {
    absl::StrAppend(&call, ", head_units=", model.head_units());
  }
  return absl::StrCat(call, ")");
}

std::string PythonList(const std::vector<float>& numbers) {
  return absl::StrCat("torch.tensor([", absl::StrJoin(numbers, ", "),
                      "]).view(1, -1, 1, 1)");
}

}  // namespace

bool HasPythonModel(const v1::Study& study) {
  return study.model().architecture() == "hilum_small" &&
         !IsSegmentation(study);
}

std::string PythonExample(const v1::Study& study) {
  if (!HasPythonModel(study)) return "";
  const v1::Model& model = study.model();
  const int side = static_cast<int>(model.input_size());
  const ChannelScales scales =
      ScalesOf(model.preprocessing(), static_cast<int>(model.input_channels()));
  const std::string stem = absl::StrCat(
      ArmName(static_cast<v1::Arm>(study.arms(0))), "-",
      study.cross_validation().skip_final_track() ? "fold-1" : "final");
  return absl::StrCat(
      "\n## In Python\n\n`", kPythonModelName,
      "` defines the network in plain PyTorch, for the weights of this study. ",
      "In this folder, with torch, numpy and Pillow:\n\n",
      "```python\n"
      "import numpy, torch\n"
      "from PIL import Image\n"
      "from hilum_small import HilumSmall, prepare\n"
      "model = ",
      Constructor(study), ".eval()\nmodel.load_state_dict(torch.load(\"", stem,
      ".pth\"))\n"
      "gray = numpy.array(Image.open(\"chest.png\").convert(\"L\"))\n"
      "x = prepare(gray, ",
      side, ")[None, None] * ", PythonList(scales.scale), " + ",
      PythonList(scales.shift), "\nprint(dict(zip(\"",
      absl::StrJoin(study.classes(), " "),
      "\".split(), model(x).softmax(1)[0].tolist())))\n```\n\n",
      study.arms(0) == v1::ARM_SEGMENTED
          ? "The models of the arm `segmented` see the lungs alone, cut out as "
            "above; the example leaves that out. "
          : "",
      "`hilum-trainer predict` computes the same, reads DICOM too, and gives "
      "no answer where it should not.\n");
}

}  // namespace hilum
