// SPDX-License-Identifier: Apache-2.0
#include "tests/adversary/stuck_report.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"

namespace hilum {

std::string LastLedgerLines(const std::string& ledger_path) {
  constexpr size_t kLines = 5;
  const std::vector<std::string> lines = absl::StrSplit(
      ReadFile(ledger_path).value_or(""), '\n', absl::SkipEmpty());
  std::string last;
  for (size_t i = lines.size() - std::min(lines.size(), kLines);
       i < lines.size(); ++i) {
    absl::StrAppend(&last, "  ", lines[i], "\n");
  }
  return last;
}

std::string ThreadsOfProcess() {
  std::string threads;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/task", error), end;
       !error && at != end; at.increment(error)) {
    const std::string path = at->path().string();
    const std::string comm = ReadFile(path + "/comm").value_or("");
    const std::string wchan = ReadFile(path + "/wchan").value_or("");
    absl::StrAppend(&threads, "  ", at->path().filename().string(), " ",
                    absl::StripAsciiWhitespace(comm), " ",
                    absl::StripAsciiWhitespace(wchan), "\n");
  }
  return threads;
}

}  // namespace hilum
