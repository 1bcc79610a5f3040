// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_WATCH_PROGRESS_H_
#define HILUM_SIM_WATCH_PROGRESS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/cli/progress.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Shows a study's progress from the output of `hilum-coordinator study watch`:
// any line with "round R of N" moves it to R. Add the output in pieces of any
// length. Not thread-safe.
class WatchProgress {
 public:
  explicit WatchProgress(const v1::Study& study);

  void Add(absl::string_view output);

  // Returns the last whole line seen.
  const std::string& last_line() const { return last_line_; }

 private:
  void AddLine(absl::string_view line);

  Progress progress_;
  std::string partial_;
  std::string last_line_;
};

// Returns whether the line says that the study has completed, also with a
// warning.
bool SaysCompleted(absl::string_view line);

// Returns R of "round R of N" in the line; -1 where there is none.
int RoundOfLine(absl::string_view line);

}  // namespace hilum

#endif  // HILUM_SIM_WATCH_PROGRESS_H_
