// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_YAML_H_
#define HILUM_COMMON_CONFIG_YAML_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace hilum {

// The places of the fields in a file, for errors that are found later. A
// field's path is its names with dots, e.g. "training.rounds"; in a list of
// messages each has its index, e.g. "policy.trusted_peers[0].key".
class FieldPlaces {
 public:
  explicit FieldPlaces(absl::string_view file) : file_(file) {}

  void Add(const std::string& path, int line, int column);
  // Returns "FILE:LINE:COLUMN" of a field, or of the innermost field given
  // around it; "FILE" where there is none.
  std::string Of(absl::string_view path) const;

 private:
  std::string file_;
  std::map<std::string, std::string> places_;  // "LINE:COLUMN"
};

// Fills `message` from YAML checked against its schema: keys are field names,
// enum values are lower case without their shared prefix, strings are UTF-8,
// bytes are hexadecimal. INVALID_ARGUMENT "FILE:LINE:COLUMN: ..." for an
// unknown, repeated or ill-typed field (names the nearest known one). Adds each
// field of the file to `places`, where given.
absl::Status ParseYaml(absl::string_view text, absl::string_view file_name,
                       google::protobuf::Message* message,
                       FieldPlaces* places = nullptr);

// Reads the YAML from a file; NOT_FOUND, PERMISSION_DENIED.
absl::Status LoadYamlFile(const std::string& path,
                          google::protobuf::Message* message,
                          FieldPlaces* places = nullptr);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_YAML_H_
