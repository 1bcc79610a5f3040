// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/ledger_lines.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "common/base/file.h"

namespace hilum {

std::vector<v1::LedgerEntry> LedgerLines(const std::string& path) {
  std::vector<v1::LedgerEntry> lines;
  const std::string text = ReadFile(path).value();
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(
                    std::string(line), &lines.emplace_back())
                    .ok());
  }
  return lines;
}

std::vector<std::string> LedgerDetails(const std::string& path,
                                       v1::LedgerEntry::Kind kind) {
  std::vector<std::string> details;
  for (const v1::LedgerEntry& line : LedgerLines(path)) {
    if (line.kind() == kind) details.push_back(line.detail());
  }
  return details;
}

}  // namespace hilum
