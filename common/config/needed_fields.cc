// SPDX-License-Identifier: Apache-2.0
#include "common/config/needed_fields.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hilum {
namespace {

using google::protobuf::Message;

// Returns the value at a path of the schema.
std::string ValueAt(const Message& config, absl::string_view path) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  const Message* at = &config;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    at = &at->GetReflection()->GetMessage(
        *at, at->GetDescriptor()->FindFieldByName(names[i]));
  }
  return at->GetReflection()->GetString(
      *at, at->GetDescriptor()->FindFieldByName(names.back()));
}

}  // namespace

absl::Status CheckNeededFields(const Message& config, absl::string_view file,
                               std::initializer_list<absl::string_view> paths) {
  for (absl::string_view path : paths) {
    if (!ValueAt(config, path).empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": '", path,
                     "' is missing; docs/configuration.md has all fields"));
  }
  return absl::OkStatus();
}

}  // namespace hilum
