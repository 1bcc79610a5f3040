// SPDX-License-Identifier: Apache-2.0
// Checks a case manifest before a study is trained on it.
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
  int images = 64;                 // images to open; 0: all
};

// One finding, a sentence that stands alone. It names rows by number and quotes
// the site's labels, but no file and no patient_id.
struct CheckLine {
  enum class Level {
    kOk,
    kNote,  // for people to weigh
    kFail,  // a study would stop here; the text says what to do
  };
  Level level;
  std::string text;
};

// Reads a manifest like a study does: the table, every row, whether each file
// exists, and `images` of the images with their lung masks, spread over the
// rows. For each study, also compares the labels with its classes, and counts
// the patients of each fold and the cases of each arm. Never fails: each
// problem is a line.
std::vector<CheckLine> CheckCaseManifest(const ManifestCheck& check);

// Returns "ok    TEXT", "note  TEXT" or "FAIL  TEXT", in ASCII.
std::string CheckLineText(const CheckLine& line);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_CHECK_MANIFEST_H_
