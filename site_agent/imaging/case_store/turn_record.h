// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_CASE_STORE_TURN_RECORD_H_
#define HILUM_SITE_AGENT_IMAGING_CASE_STORE_TURN_RECORD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/upright/turn.h"

namespace hilum {

// Returns the encoded case with its planes and its mask turned. Up to rounding
// it equals the record of the turned image.
std::string TurnRecord(const CaseRecord& record, const Turn& turn);

// Turns the output of EncodeCaseRecord. DATA_LOSS: not such a record.
absl::StatusOr<std::string> TurnEncodedRecord(absl::string_view encoded,
                                              const Turn& turn);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_CASE_STORE_TURN_RECORD_H_
