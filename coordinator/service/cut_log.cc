// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/cut_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr absl::Duration kBetweenLines = absl::Seconds(10);
constexpr size_t kAddresses = 1000;  // most addresses to count separately

}  // namespace

void CutLog::Note(const std::string& reason, const std::string& address,
                  absl::Time now) {
  Noted& noted = reasons_[reason];
  ++noted.connections;
  if (noted.addresses.size() < kAddresses ||
      noted.addresses.contains(address)) {
    ++noted.addresses[address];
  }
  if (noted.next_line <= now) Say(reason, noted, now);
}

void CutLog::Flush(absl::Time now) {
  for (auto& [reason, noted] : reasons_) {
    if (noted.connections > 0 && noted.next_line <= now) {
      Say(reason, noted, now);
    }
  }
}

absl::Time CutLog::NextFlush() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [reason, noted] : reasons_) {
    if (noted.connections > 0) next = std::min(next, noted.next_line);
  }
  return next;
}

void CutLog::Say(const std::string& reason, Noted& noted, absl::Time now) {
  auto most = std::max_element(
      noted.addresses.begin(), noted.addresses.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string line =
      absl::StrCat("cut ", most->second, " connection",
                   most->second == 1 ? "" : "s", " of ", most->first);
  if (noted.connections > most->second) {
    absl::StrAppend(&line, " and ", noted.connections - most->second,
                    " of others");
  }
  log_(absl::StrCat(line, ": ", reason));
  noted.connections = 0;
  noted.addresses.clear();
  noted.next_line = now + kBetweenLines;
}

}  // namespace hilum
