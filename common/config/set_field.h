// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_SET_FIELD_H_
#define HILUM_COMMON_CONFIG_SET_FIELD_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace hilum {

// Sets one field from "training.rounds=3": its path, and its value in YAML as
// ParseYaml takes it, which replaces the field's old value. `option` is the
// typed option for errors, as "--set". INVALID_ARGUMENT: no such field (names
// the nearest one), or a value of another type.
absl::Status SetYamlField(absl::string_view assignment,
                          absl::string_view option,
                          google::protobuf::Message* message);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_SET_FIELD_H_
