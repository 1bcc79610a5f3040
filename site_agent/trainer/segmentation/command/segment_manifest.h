// SPDX-License-Identifier: Apache-2.0
// Runs `segment run` and `segment judge` on a case manifest.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_MANIFEST_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_MANIFEST_H_

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {

// Counts the masks of each label that were accepted, or rejected by fault.
class VerdictCounts {
 public:
  explicit VerdictCounts(std::vector<std::string> labels);
  // `label`: index into the labels.
  void Add(int label, LungMaskFault fault);
  // Counts a mask that could not be read.
  void AddUnreadable(int label);
  // Prints a table: a row for each label and one for all; a column for each
  // fault that occurred.
  void Print(std::ostream& out) const;

 private:
  const std::vector<std::string> labels_;
  std::map<std::string, std::vector<int>> counts_;  // by fault; [labels]
};

struct SegmentRun {
  std::string data;           // case manifest
  std::string folder;         // for the masks; made if missing
  std::string weights;        // from `segment train`
  bool only_missing = false;  // skips rows with a mask
  bool dicom = false;         // writes STEM.dcm too: a DICOM segmentation
  LungMaskOptions cleaning;
  int threads = 2;
};

// Writes FOLDER/STEM.png for every case, at its image's size, 0 and 255; the
// verdicts to FOLDER/masks.csv (row,file,mask,verdict,reason) and their counts
// to `out`. Writes rejected masks too. A case that cannot be read or written
// only gets a row of masks.csv with the reason. INVALID_ARGUMENT: two files of
// one stem. FAILED_PRECONDITION: no mask could be written.
absl::Status RunSegmenter(const SegmentRun& options, std::ostream& out);

// Judges the masks that the manifest lists; prints the rejected ones and the
// counts.
absl::Status JudgeManifest(const std::string& data, std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_MANIFEST_H_
