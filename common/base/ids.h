// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_IDS_H_
#define HILUM_COMMON_BASE_IDS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace hilum {

// The protocol this build speaks.
inline constexpr uint32_t kProtocolVersion = 7;

// The version that `--version`, reports and NextTask give.
absl::string_view SoftwareVersion();

// A site's name, as in its certificate.
class SiteId {
 public:
  SiteId() = default;
  explicit SiteId(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  auto operator<=>(const SiteId&) const = default;

 private:
  std::string name_;
};

// Returns whether `name` matches [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?, the form
// of names of sites and studies.
bool IsValidName(absl::string_view name);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_IDS_H_
