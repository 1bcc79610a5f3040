// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/weights/weights_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "common/crypto/sha256.h"
#include "common/model/model_facts.h"
#include "common/model/preprocessing.h"
#include "common/model/safetensors.h"
#include "common/model/torch_writer.h"
#include "common/model/trained_on.h"
#include "common/model/weights_file.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/manifest_files.h"
#include "site_agent/trainer/weights/trained_on_command.h"

namespace hilum {
namespace {

constexpr uint64_t kMostTimesTheFile = 8;

std::string FittingText(const std::vector<Architecture>& fitting) {
  if (fitting.empty()) {
    return absl::StrCat("none of ", absl::StrJoin(KnownArchitectures(), ", "));
  }
  auto say = [](std::string* text, const Architecture& fits) {
    absl::StrAppend(text, fits.name, " with ", fits.classes, " classes, ",
                    fits.input_channels, " input channel",
                    fits.input_channels > 1 ? "s" : "");
    if (fits.head_units == 0) return;
    absl::StrAppend(text, " and a head of ", fits.head_units, " units");
  };
  return absl::StrJoin(fitting, "; ", say);
}

// Returns the file's floating-point tensors, in its order, as an architecture.
// Lists the skipped ones on `out`.
absl::StatusOr<Architecture> OwnTensors(const WeightsFile& file,
                                        std::ostream& out) {
  Architecture own{.name = "the file", .num_blocks = 1, .tensors = {}};
  uint64_t elements = 0;
  std::vector<std::string> left;
  for (const NamedTensor& tensor : file.tensors()) {
    if (!IsFloating(tensor.view.type)) {
      left.push_back(Shown(tensor.name));
      continue;
    }
    own.tensors.push_back({tensor.name, tensor.view.shape, Init::kZero, 0});
    elements += static_cast<uint64_t>(tensor.view.size());
  }
  if (elements * 4 > kMostTimesTheFile * file.bytes().size()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "its tensors are views of the same bytes: they would make ",
        elements * 4, " bytes out of ", file.bytes().size()));
  }
  if (left.size() > 8) {
    left.back() = absl::StrCat("and ", left.size() - 7, " more");
    left.erase(left.begin() + 7, left.end() - 1);
  }
  if (!left.empty()) {
    out << "left, as it is not of floating point: " << absl::StrJoin(left, ", ")
        << "\n";
  }
  return own;
}

// Returns the architecture with the classes, head and channels of the file (one
// channel if they are summed). If the file's tensors do not fit, returns it
// with its own head and two classes, so that the differences can be listed.
absl::StatusOr<Architecture> Asked(const WeightsFile& file,
                                   const ConvertOptions& options) {
  ModelShape shape{.name = options.architecture, .classes = 2};
  for (const Architecture& fits : FittingArchitectures(file.tensors())) {
    if (fits.name != options.architecture) continue;
    shape.classes = fits.classes;
    shape.head_units = fits.head_units;
    shape.input_channels = fits.input_channels;
  }
  if (options.sum_input_channels) shape.input_channels = 1;
  return LookUpArchitecture(shape);
}

absl::Status CheckClasses(const ConvertOptions& options,
                          const std::vector<Architecture>& fitting) {
  if (options.classes.empty()) return absl::OkStatus();
  for (const Architecture& fits : fitting) {
    if (fits.classes == static_cast<int>(options.classes.size())) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(options.in, ": --classes names ", options.classes.size(),
                   " classes, and its head has ",
                   fitting.empty() ? std::string("none that is known")
                                   : absl::StrCat(fitting.front().classes)));
}

// Returns OUT's metadata: that in IN, changed by the options.
absl::StatusOr<std::map<std::string, std::string>> MetadataFor(
    const WeightsFile& file, const ConvertOptions& options) {
  std::map<std::string, std::string> metadata = file.metadata();
  if (options.sum_input_channels) metadata.erase("input_channels");
  HILUM_RETURN_IF_ERROR(
      CheckClasses(options, FittingArchitectures(file.tensors())));
  if (!options.preprocessing.empty()) {
    HILUM_RETURN_IF_ERROR(ParsePreprocessing(options.preprocessing).status());
    metadata[kPreprocessingKey] = options.preprocessing;
  }
  if (!options.classes.empty()) {
    metadata[kClassesKey] = absl::StrJoin(options.classes, ",");
    metadata[kTaskKey] = "classification";
  }
  if (!options.architecture.empty()) {
    metadata[kArchitectureKey] = options.architecture;
  }
  if (options.input_size > 0) {
    metadata[kInputSizeKey] = absl::StrCat(options.input_size);
  }
  if (!options.arm.empty()) metadata[kArmKey] = options.arm;
  return metadata;
}

bool SaysFacts(const ConvertOptions& options) {
  return !options.preprocessing.empty() || !options.classes.empty() ||
         options.input_size > 0 || !options.arm.empty();
}

// Prints what the file says of its model and has no line of its own.
void SayFacts(const WeightsFile& file, std::ostream& out) {
  for (const auto& [key, value] : file.metadata()) {
    if (key == kPreprocessingKey || key == kArchitectureKey ||
        key == kTrainedOnKey) {
      continue;
    }
    out << absl::StrFormat("%-13s %s\n", Shown(key), Shown(value));
  }
}

std::string PreprocessingText(const WeightsFile& file) {
  auto found = file.metadata().find(kPreprocessingKey);
  return found == file.metadata().end() ? "not said" : Shown(found->second);
}

std::string TrainedOnLine(const WeightsFile& file) {
  const auto data = TrainedOnOf(file.metadata());
  if (!data.ok()) return std::string(data.status().message());
  return data->empty() ? "not said" : DescribeTrainedOn(*data);
}

void SayLeftOff(const WeightsFile& file, const Architecture& architecture,
                const WeightsOptions& options, std::ostream& out) {
  const std::string prefix =
      LeftOffPrefix(file.tensors(), architecture, options);
  if (prefix.empty()) return;
  out << "left off, as all names begin with it: " << Shown(prefix) << "\n";
}

bool IsTorchName(const std::string& path) {
  return absl::EndsWith(path, ".pth") || absl::EndsWith(path, ".pt");
}

}  // namespace

absl::Status InspectWeights(const std::string& path, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(WeightsFile file, WeightsFile::Open(path));
  size_t names = 4, shapes = 5;
  for (const NamedTensor& tensor : file.tensors()) {
    names = std::max(names, Shown(tensor.name).size());
    shapes = std::max(shapes, ShapeText(tensor.view.shape).size());
  }
  uint64_t elements = 0;
  auto row = [&](const std::string& name, const std::string& shape,
                 absl::string_view type) {
    out << absl::StrFormat("%-*s  %-*s  %s\n", static_cast<int>(names), name,
                           static_cast<int>(shapes), shape, type);
  };
  row("name", "shape", "type");
  for (const NamedTensor& tensor : file.tensors()) {
    row(Shown(tensor.name), ShapeText(tensor.view.shape),
        InfoOf(tensor.view.type).name);
    elements += static_cast<uint64_t>(tensor.view.size());
  }
  const std::vector<Architecture> fitting =
      FittingArchitectures(file.tensors());
  out << "\nformat        " << file.format()  //
      << "\ntensors       " << file.tensors().size() << "\nelements      "
      << elements << "\nbytes         " << file.bytes().size()
      << "\nsha256        " << ToHex(Sha256Of(file.bytes()))
      << "\narchitecture  " << FittingText(fitting) << "\npreprocessing "
      << PreprocessingText(file) << "\ntrained on    " << TrainedOnLine(file)
      << "\n";
  SayFacts(file, out);
  if (!fitting.empty()) SayLeftOff(file, fitting[0], {}, out);
  return absl::OkStatus();
}

absl::Status ConvertWeights(const ConvertOptions& options, std::ostream& out) {
  const bool torch = IsTorchName(options.out);
  if (torch && SaysFacts(options)) {
    return UsageError(absl::StrCat(
        options.out,
        ": .pth has no place for preprocessing, classes, input size and arm; ",
        "name it .safetensors"));
  }
  if (!torch && !absl::EndsWith(options.out, ".safetensors")) {
    return UsageError(
        absl::StrCat(options.out, ": name it .safetensors or .pth"));
  }
  HILUM_ASSIGN_OR_RETURN(WeightsFile file, WeightsFile::Open(options.in));
  HILUM_ASSIGN_OR_RETURN(Architecture architecture, options.architecture.empty()
                                                        ? OwnTensors(file, out)
                                                        : Asked(file, options));
  HILUM_ASSIGN_OR_RETURN(auto metadata, MetadataFor(file, options));
  const WeightsOptions fit = {.sum_input_channels = options.sum_input_channels};
  absl::StatusOr<std::vector<float>> values =
      FitWeights(file.tensors(), architecture, fit);
  if (!values.ok()) {
    return absl::Status(
        values.status().code(),
        absl::StrCat(options.in, ": ", values.status().message()));
  }
  SayLeftOff(file, architecture, fit, out);
  HILUM_ASSIGN_OR_RETURN(
      std::string digest,
      torch ? WriteTorchFile(options.out, architecture, *values)
            : WriteSafetensors(options.out, architecture, *values, metadata));
  out << options.out << "\nsha256 " << ToHex(digest) << "\n";
  return absl::OkStatus();
}

void AddWeightsCommand(CLI::App& app, std::function<absl::Status()>& action) {
  // The actions name the options; they live as long as the actions do.
  auto options = std::make_shared<ConvertOptions>();
  // Reads foreign bytes confined, like foreign images.
  auto run = [&action, options](auto what) {
    action = [what, options]() -> absl::Status {
      Confinement confinement{.read = {options->in}, .write = {}};
      if (!options->out.empty()) {
        confinement.write = {ParentFolder(options->out)};
      }
      HILUM_RETURN_IF_ERROR(Confine(confinement));
      return what();
    };
  };
  CLI::App* weights =
      app.add_subcommand("weights", "Look at and convert files of weights");
  weights->require_subcommand(1);
  weights->footer(
      "Example:\n  hilum-trainer weights inspect densenet.pth\n"
      "  hilum-trainer weights convert vgg16.pth vgg16.safetensors "
      "--architecture vgg16");
  CLI::App* inspect = weights->add_subcommand(
      "inspect", "List the tensors of a file: safetensors or .pth");
  inspect->add_option("FILE", options->in, "Told by its bytes")->required();
  inspect->footer("Example:\n  hilum-trainer weights inspect densenet.pth");
  inspect->callback([=] {
    run([options] { return InspectWeights(options->in, std::cout); });
  });
  AddTrainedOnCommand(*weights, action);
  CLI::App* convert = weights->add_subcommand(
      "convert", "Write weights as safetensors or .pth, in float32");
  convert->add_option("IN", options->in, "safetensors or .pth")->required();
  convert->add_option("OUT", options->out, "Its suffix says which")->required();
  CLI::Option* architecture = convert->add_option(
      "--architecture", options->architecture,
      "Check the tensors against this architecture; write only its own");
  convert
      ->add_flag("--sum-channels", options->sum_input_channels,
                 "Sum the first convolution's three channels into one")
      ->needs(architecture);
  convert->add_option("--preprocessing", options->preprocessing,
                      "Preprocessing to record in OUT: hilum, imagenet or "
                      "torchxrayvision");
  convert
      ->add_option("--classes", options->classes,
                   "Classes to record in OUT, a,b,c, in the head's order")
      ->delimiter(',');
  convert
      ->add_option("--input-size", options->input_size,
                   "Side of the input in pixels, to record in OUT")
      ->check(CLI::Range(32, 1024));
  convert
      ->add_option("--arm", options->arm,
                   "Images that it was trained on, to record in OUT")
      ->check(CLI::IsMember({"whole", "segmented"}));
  convert->footer(
      "Example:\n  hilum-trainer weights convert best.pth best.safetensors");
  convert->callback(
      [=] { run([options] { return ConvertWeights(*options, std::cout); }); });
}

}  // namespace hilum
