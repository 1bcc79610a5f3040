// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_YAML_H_
#define HILUM_COMMON_CONFIG_YAML_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace hilum {

// Fills `message` from YAML checked against its schema: keys are field names,
// enum values are lower case without the prefix that all share, bytes are
// hexadecimal. INVALID_ARGUMENT "FILE:LINE:COLUMN: ..." for an unknown,
// repeated or ill-typed field (an unknown one names the nearest known one).
absl::Status ParseYaml(absl::string_view text, absl::string_view file_name,
                       google::protobuf::Message* message);

// The same from a file; NOT_FOUND, PERMISSION_DENIED.
absl::Status LoadYamlFile(const std::string& path,
                          google::protobuf::Message* message);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_YAML_H_
