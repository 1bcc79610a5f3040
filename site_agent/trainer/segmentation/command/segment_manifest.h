// SPDX-License-Identifier: Apache-2.0
// What `segment run` and `segment judge` make of a case manifest.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_MANIFEST_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_MANIFEST_H_

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {

// How many masks of each label were accepted, or rejected for what.
class VerdictCounts {
 public:
  explicit VerdictCounts(std::vector<std::string> labels);
  // `label`: index into the labels.
  void Add(int label, LungMaskFault fault);
  // Not a mask at all.
  void AddUnreadable(int label);
  // A table: a row a label and one for all; a column a fault that occurred.
  void Print(std::ostream& out) const;

 private:
  const std::vector<std::string> labels_;
  std::map<std::string, std::vector<int>> counts_;  // by fault; [labels]
};

struct SegmentRun {
  std::string data;           // case manifest
  std::string folder;         // for the masks; made where it is not there
  std::string weights;        // of `segment train`
  bool only_missing = false;  // rows with a mask are left
  bool dicom = false;         // STEM.dcm beside: a DICOM segmentation
  LungMaskOptions cleaning;
  int threads = 2;
};

// Writes FOLDER/STEM.png for every case, at its image's size, 0 and 255; the
// verdicts to FOLDER/masks.csv (row,file,mask,verdict,reason) and their counts
// to `out`. Rejected masks are written too. A case that cannot be read or
// written is a row of masks.csv with the reason, and no more. INVALID_ARGUMENT:
// two files of one stem. FAILED_PRECONDITION: no mask could be written.
absl::Status RunSegmenter(const SegmentRun& options, std::ostream& out);

// Judges the masks that the manifest lists: what was rejected, and the counts.
absl::Status JudgeManifest(const std::string& data, std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_MANIFEST_H_
