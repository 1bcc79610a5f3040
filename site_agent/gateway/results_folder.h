// SPDX-License-Identifier: Apache-2.0
// The folder in which a site keeps its own results of one study.
#ifndef HILUM_SITE_AGENT_GATEWAY_RESULTS_FOLDER_H_
#define HILUM_SITE_AGENT_GATEWAY_RESULTS_FOLDER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns STATE/results/NAME-HASH, with the study's name and the first twelve
// digits of its hash: rejected.csv, rejected_masks.csv, fingerprint.json and
// the predictions. Two studies never share it, whatever their names.
// `study` is valid (common/config/study.h), so its name is safe in a path;
// `study_hash` has 32 raw bytes. Makes nothing.
std::string ResultsFolder(absl::string_view state_dir, const v1::Study& study,
                          absl::string_view study_hash);

// Returns the path of the site's predictions below a results folder.
std::string PredictionsPath(absl::string_view results_folder,
                            const SiteId& site);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_RESULTS_FOLDER_H_
