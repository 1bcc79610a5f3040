// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/weights/trained_on_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "common/crypto/sha256.h"
#include "common/model/safetensors.h"
#include "common/model/trained_on.h"
#include "common/model/weights_file.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/labelled_manifest.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/data/manifest_files.h"

namespace hilum {
namespace {

absl::Status OfRow(int row, const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat("manifest row ", row, ": ", status.message(),
                   "; the list must have every image that the weights ",
                   "learned from"));
}

absl::StatusOr<std::string> DigestsOf(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(const LabelledManifest read, ReadAnyManifest(path));
  for (const RejectedRow& row : read.manifest.rejected) {
    return OfRow(row.row, absl::InvalidArgumentError(row.reason));
  }
  const CaseLoader loader(read.manifest);
  std::vector<std::string> digests;
  for (const CaseRow& row : read.manifest.cases) {
    LoadedCase loaded;
    const absl::Status status = loader.Load(row, {.size = 32}, loaded);
    if (!status.ok()) return OfRow(row.row, status);
    if (loaded.image_digest.empty()) {
      return OfRow(row.row,
                   absl::InvalidArgumentError(
                       "an earlier release has stored the case without the "
                       "digest of its image; give the files themselves"));
    }
    digests.push_back(std::move(loaded.image_digest));
  }
  return JoinDigests(std::move(digests));
}

}  // namespace

absl::Status RecordTrainedOn(const TrainedOnOptions& options,
                             std::ostream& out) {
  if (!absl::EndsWith(options.out, ".safetensors")) {
    return UsageError(absl::StrCat(
        options.out, ": name it .safetensors; other files have no place for ",
        "a list of images"));
  }
  HILUM_ASSIGN_OR_RETURN(WeightsFile file, WeightsFile::Open(options.in));
  if (!IsSafetensors(file.bytes())) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.in, ": not safetensors; `hilum-trainer weights convert` ",
        "makes it one"));
  }
  TrainedOnList data;
  if (options.append) {
    HILUM_ASSIGN_OR_RETURN(data, TrainedOnOf(file.metadata()));
  }
  v1::TrainedOn& set = *data.Add();
  set.set_name(options.name);
  set.set_licence(options.licence);
  HILUM_ASSIGN_OR_RETURN(*set.mutable_digests(), DigestsOf(options.manifest));
  set.set_images(set.digests().size() / kDigestPrefix);
  HILUM_RETURN_IF_ERROR(CheckTrainedOn(data));
  std::map<std::string, std::string> metadata = file.metadata();
  metadata[kTrainedOnKey] = TrainedOnText(data);
  HILUM_ASSIGN_OR_RETURN(const std::string bytes,
                         WithMetadata(file.bytes(), metadata));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(options.out, bytes));
  out << options.out << "\ntrained on " << DescribeTrainedOn(data)
      << "\nsha256 " << ToHex(Sha256Of(bytes)) << "\n";
  return absl::OkStatus();
}

void AddTrainedOnCommand(CLI::App& weights,
                         std::function<absl::Status()>& action) {
  auto options = std::make_shared<TrainedOnOptions>();
  CLI::App* command = weights.add_subcommand(
      "trained-on",
      "Record in a file of weights which public images they learned from");
  command->add_option("IN", options->in, "safetensors")->required();
  command->add_option("OUT", options->out, "safetensors; may be IN")
      ->required();
  command
      ->add_option("--data", options->manifest,
                   "Case manifest (CSV) of the images; OUT gets 8 bytes of a "
                   "hash of each image's pixels. Only for public images: "
                   "whoever has an image can find it in the list")
      ->required();
  command->add_option("--name", options->name, "Name of the set of images")
      ->required();
  command->add_option("--licence", options->licence, "Licence of the images");
  command->add_flag("--append", options->append, "Keep the sets that IN names");
  command->footer(
      "Example:\n  hilum-trainer weights trained-on best.safetensors "
      "best.safetensors --data train.csv --name nih14 --licence CC0");
  command->callback([options, &action] {
    action = [options]() -> absl::Status {
      Confinement confinement{.read = FilesOfManifest(options->manifest, {}),
                              .write = {ParentFolder(options->out)}};
      confinement.read.push_back(options->in);
      HILUM_RETURN_IF_ERROR(Confine(confinement));
      return RecordTrainedOn(*options, std::cout);
    };
  });
}

}  // namespace hilum
