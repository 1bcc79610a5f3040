// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_options.h"

#include "common/base/printable.h"

namespace hilum {
namespace {

constexpr size_t kMaxLogLine = 2000;

}  // namespace

void SiteLog::operator()(absl::string_view line) const {
  options_.log(PrintableLine(line, kMaxLogLine));
}

}  // namespace hilum
