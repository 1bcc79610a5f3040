// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_CASE_STORE_TURN_RECORD_H_
#define HILUM_SITE_AGENT_IMAGING_CASE_STORE_TURN_RECORD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/upright/turn.h"

namespace hilum {

// The same case with its planes and its mask turned, as EncodeCaseRecord gives
// it: what the turned image would have been kept as, but for rounding.
std::string TurnRecord(const CaseRecord& record, const Turn& turn);

// Of a record as EncodeCaseRecord gives it. DATA_LOSS: it is not one.
absl::StatusOr<std::string> TurnEncodedRecord(absl::string_view encoded,
                                              const Turn& turn);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_CASE_STORE_TURN_RECORD_H_
