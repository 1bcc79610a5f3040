// SPDX-License-Identifier: Apache-2.0
// Records in a file of weights which images they learned from.
#ifndef HILUM_SITE_AGENT_TRAINER_WEIGHTS_TRAINED_ON_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_WEIGHTS_TRAINED_ON_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

struct TrainedOnOptions {
  std::string in;
  std::string out;       // may be `in`
  std::string manifest;  // case manifest of the images; labels may be anything
  std::string name;
  std::string licence;
  bool append = false;  // keeps the sets that IN names
};

// Writes OUT: IN with one more set in its metadata (TrainedOnText), all its
// tensors byte by byte. Says on `out` what it wrote. INVALID_ARGUMENT: IN is no
// safetensors file, an image of the manifest cannot be read (a list must be
// complete), or the sets fail CheckTrainedOn. Otherwise the errors of
// ReadAnyManifest and of the files.
absl::Status RecordTrainedOn(const TrainedOnOptions& options,
                             std::ostream& out);

// Adds `trained-on` to `weights`.
void AddTrainedOnCommand(CLI::App& weights,
                         std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_WEIGHTS_TRAINED_ON_COMMAND_H_
