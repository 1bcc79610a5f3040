// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_NEEDED_FIELDS_H_
#define HILUM_COMMON_CONFIG_NEEDED_FIELDS_H_

#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace hilum {

// Checks that a configuration gives these string fields. A field's path is its
// names with dots, e.g. "tls.authority". INVALID_ARGUMENT "FILE: 'PATH' is
// missing; ..." names the first that is absent or empty.
absl::Status CheckNeededFields(const google::protobuf::Message& config,
                               absl::string_view file,
                               std::initializer_list<absl::string_view> paths);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_NEEDED_FIELDS_H_
