// SPDX-License-Identifier: Apache-2.0
// Finds what is right and wrong with a case manifest, before any study is
// trained on it.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_CHECK_MANIFEST_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_CHECK_MANIFEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

struct ManifestCheck {
  std::string manifest;     // path, CSV
  std::string site_column;  // empty: every row is this site's
  std::string site;
  std::vector<v1::Study> studies;  // that the site may take part in
  int images = 64;                 // so many are opened; 0: all
};

// One finding, a sentence that stands alone. It has numbers of rows and the
// site's labels, no file and no patient_id.
struct CheckLine {
  enum class Level {
    kOk,
    kNote,  // for people to weigh
    kFail,  // a study would stop here; the text says what to do
  };
  Level level;
  std::string text;
};

// Reads a manifest as a study would: the table, every row, whether each file is
// there, `images` of the images with their lung masks, spread over the rows;
// and, for each study, the labels against its classes, the patients of each
// fold and the cases of each arm. Never fails: what is wrong is a line.
std::vector<CheckLine> CheckCaseManifest(const ManifestCheck& check);

// Returns "ok    TEXT", "note  TEXT" or "FAIL  TEXT", in ASCII.
std::string CheckLineText(const CheckLine& line);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_CHECK_MANIFEST_H_
