// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer weights`: files of weights, looked at and converted. No
// tensor library is needed.
#ifndef HILUM_SITE_AGENT_TRAINER_WEIGHTS_WEIGHTS_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_WEIGHTS_WEIGHTS_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Prints format, each tensor's name, shape and type, their number and
// elements, the file's SHA-256, the architectures of the registry that they
// are, and the preprocessing where the file says it. Values are not looked at.
// Errors as WeightsFile::Open.
absl::Status InspectWeights(const std::string& path, std::ostream& out);

struct ConvertOptions {
  std::string in, out;       // `out` ends in .safetensors or .pth
  std::string architecture;  // empty: all tensors as they are named
  bool sum_input_channels = false;
  std::string preprocessing;  // to be said in `out`; empty: as `in` says
};

// Writes the weights of `in` to `out`, in float32. With an architecture
// exactly its tensors in the registry's order, with as many classes as the
// file's head has; without one all of floating point, with a line about what
// was left. INVALID_ARGUMENT: another suffix, tensors unlike the
// architecture's, a NaN or infinity, a preprocessing that is none, or one for a
// .pth, which has no place for it. RESOURCE_EXHAUSTED: many views of one
// storage that would make a file of over eight times the size.
absl::Status ConvertWeights(const ConvertOptions& options, std::ostream& out);

// Adds the subcommands; what to do is in `action` once one was parsed.
void AddWeightsCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_WEIGHTS_WEIGHTS_COMMAND_H_
