// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_YAML_H_
#define HILUM_COMMON_CONFIG_YAML_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace hilum {

// Where a file gives which field: for what turns out to be wrong later.
// A field's path is its names with dots, e.g. "training.rounds"; in a list of
// messages each has its index, e.g. "policy.trusted_peers[0].key".
class FieldPlaces {
 public:
  explicit FieldPlaces(absl::string_view file) : file_(file) {}

  void Add(const std::string& path, int line, int column);
  // "FILE:LINE:COLUMN" of a field, or of the innermost field given around it;
  // "FILE" where there is none.
  std::string Of(absl::string_view path) const;

 private:
  std::string file_;
  std::map<std::string, std::string> places_;  // "LINE:COLUMN"
};

// Fills `message` from YAML checked against its schema: keys are field names,
// enum values are lower case without the prefix that all share, strings are
// UTF-8, bytes are hexadecimal. INVALID_ARGUMENT "FILE:LINE:COLUMN: ..." for
// an unknown, repeated or ill-typed field (an unknown one names the nearest
// known one). Adds to `places`, where given, each field of the file.
absl::Status ParseYaml(absl::string_view text, absl::string_view file_name,
                       google::protobuf::Message* message,
                       FieldPlaces* places = nullptr);

// The same from a file; NOT_FOUND, PERMISSION_DENIED.
absl::Status LoadYamlFile(const std::string& path,
                          google::protobuf::Message* message,
                          FieldPlaces* places = nullptr);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_YAML_H_
