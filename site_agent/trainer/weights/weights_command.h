// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer weights`: inspects and converts files of weights, without a
// tensor library.
#ifndef HILUM_SITE_AGENT_TRAINER_WEIGHTS_WEIGHTS_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_WEIGHTS_WEIGHTS_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Prints the format, each tensor's name, shape and type, their number and
// elements, the file's SHA-256, the registry's architectures that the tensors
// fit, and the preprocessing if the file gives it. Does not read values. Errors
// as WeightsFile::Open.
absl::Status InspectWeights(const std::string& path, std::ostream& out);

struct ConvertOptions {
  std::string in, out;       // `out` ends in .safetensors or .pth
  std::string architecture;  // empty: all tensors, under their own names
  bool sum_input_channels = false;
  std::string preprocessing;  // to write in `out`; empty: that in `in`
  // Further facts to write in `out`; empty or 0: those in `in`.
  std::vector<std::string> classes;
  int input_size = 0;
  std::string arm;  // whole, segmented
};

// Writes the weights of `in` to `out`, in float32. If an architecture is given,
// writes exactly its tensors in the registry's order, with the classes of the
// file's head; without one, all floating-point tensors, and a line about the
// skipped ones. A safetensors file keeps what `in` says of its model.
// INVALID_ARGUMENT: another suffix, tensors unlike the architecture's, a NaN or
// infinity, an unknown preprocessing, another number of classes than the
// head's, or facts for a .pth, which cannot store them. RESOURCE_EXHAUSTED:
// many views of one storage that would make a file more than eight times
// larger.
absl::Status ConvertWeights(const ConvertOptions& options, std::ostream& out);

// Adds the subcommands; parsing one sets `action`.
void AddWeightsCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_WEIGHTS_WEIGHTS_COMMAND_H_
