// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_STUDY_JSON_H_
#define HILUM_SITE_AGENT_GATEWAY_STUDY_JSON_H_

#include <string>

#include "absl/strings/string_view.h"
#include "site_agent/gateway/study_text.h"

namespace hilum {

// Returns the content of StudyText as one line of JSON, for programs.
// docs/commands.md lists the fields, which keep their names.
std::string StudyJson(const StudyView& view);

// Returns the line for an offer that cannot be read: hash (hexadecimal), state,
// error.
std::string UnreadableStudyJson(absl::string_view hash, absl::string_view state,
                                absl::string_view error);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_STUDY_JSON_H_
