// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/provenance.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "common/model/trained_on.h"
#include "common/model/weights_file.h"
#include "site_agent/gateway/released_weights.h"

namespace hilum {
namespace {

std::string DigestOf(const std::vector<float>& weights) {
  return Sha256Of(BlobBytes(weights));
}

// Opens the file as installed, or else in the source tree of a build.
std::optional<WeightsFile> OpenReleased(const ReleasedFile& released,
                                        const std::string& programs) {
  for (const char* place :
       {"/../share/hilum/", "/../../site_agent/trainer/weights/"}) {
    const std::string path = absl::StrCat(programs, place, released.name);
    if (!FileExists(path)) continue;
    absl::StatusOr<WeightsFile> file = WeightsFile::Open(path);
    if (file.ok() && ToHex(Sha256Of(file->bytes())) == released.sha256) {
      return *std::move(file);
    }
  }
  return std::nullopt;
}

// Says how a file gives the study's weights; nothing if it does not.
std::optional<std::string> FitOf(const WeightsFile& file,
                                 const Architecture& architecture,
                                 const v1::Study& study) {
  for (bool fresh_head : {false, true}) {
    const auto weights = ReadWeights(file, architecture,
                                     {.sum_input_channels = fresh_head,
                                      .fresh_head = fresh_head,
                                      .seed = study.seed()});
    if (!weights.ok() || DigestOf(*weights) != study.initial_weights_sha256()) {
      continue;
    }
    return fresh_head ? ", its last layer drawn from the study's seed" : "";
  }
  return std::nullopt;
}

// Returns whether the study lists the images that the file lists. Whoever makes
// another list can ask with it for certain images (docs/patients.md).
bool HasListOf(const WeightsFile& file, const v1::Study& study) {
  const auto data = TrainedOnOf(file.metadata());
  const TrainedOnList& listed = study.starting_weights().trained_on();
  return data.ok() && data->size() == listed.size() &&
         std::equal(data->begin(), data->end(), listed.begin(),
                    [](const v1::TrainedOn& a, const v1::TrainedOn& b) {
                      return a.name() == b.name() && a.images() == b.images() &&
                             a.digests() == b.digests();
                    });
}

}  // namespace

absl::StatusOr<Provenance> FindProvenance(const v1::Study& study,
                                          const std::string& programs) {
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study));
  const Architecture& architecture = layout.architecture;
  std::string absent;
  for (const ReleasedFile& released : ReleasedFiles()) {
    const std::optional<WeightsFile> file = OpenReleased(released, programs);
    if (!file.has_value()) {
      absl::StrAppend(&absent, "; the release's file ", released.name,
                      " is missing or changed, so it was not compared");
      continue;
    }
    const std::optional<std::string> fit = FitOf(*file, architecture, study);
    if (!fit.has_value()) continue;
    if (ListsImages(study) && !HasListOf(*file, study)) {
      return Provenance{
          false, absl::StrCat("of this release (", released.name, *fit,
                              "), but the study's list of the images that they "
                              "learned from is not the release's list")};
    }
    return Provenance{true, absl::StrCat("of this release (", released.name,
                                         *fit, "), compared here")};
  }
  if (DigestOf(InitialWeights(architecture, study.seed())) ==
          study.initial_weights_sha256() &&
      !ListsImages(study)) {
    return Provenance{true, absl::StrCat("random, drawn from the study's seed ",
                                         study.seed(), ", recomputed here")};
  }
  return Provenance{
      false, absl::StrCat("unknown: neither this release nor the study's seed "
                          "gives these weights",
                          absent)};
}

}  // namespace hilum
