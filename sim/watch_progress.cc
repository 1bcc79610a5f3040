// SPDX-License-Identifier: Apache-2.0
#include "sim/watch_progress.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"

namespace hilum {

WatchProgress::WatchProgress(const v1::Study& study)
    : progress_("Rounds", static_cast<int>(study.training().rounds()),
                RealClock()) {}

void WatchProgress::Add(absl::string_view output) {
  absl::StrAppend(&partial_, output);
  size_t end;
  while ((end = partial_.find('\n')) != std::string::npos) {
    AddLine(absl::string_view(partial_).substr(0, end));
    partial_.erase(0, end + 1);
  }
}

void WatchProgress::AddLine(absl::string_view line) {
  last_line_ = std::string(line);
  const int round = RoundOfLine(line);
  // A round is done when the next has begun.
  if (round > 1) progress_.Report(round - 1);
}

bool SaysCompleted(absl::string_view line) {
  // A line has hash, name, phase and more; a name has no blanks.
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, ' ', absl::SkipEmpty());
  return words.size() >= 3 && words[2] == "completed";
}

int RoundOfLine(absl::string_view line) {
  constexpr absl::string_view kWord = "round ";
  const size_t at = line.find(kWord);
  if (at == absl::string_view::npos) return -1;
  const absl::string_view rest = line.substr(at + kWord.size());
  const size_t of = rest.find(" of ");
  int round = -1;
  if (of == absl::string_view::npos ||
      !absl::SimpleAtoi(rest.substr(0, of), &round)) {
    return -1;
  }
  return round;
}

}  // namespace hilum
