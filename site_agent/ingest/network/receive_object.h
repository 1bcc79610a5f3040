// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_RECEIVE_OBJECT_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_RECEIVE_OBJECT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/ingest/intake_channel.h"

struct T_ASC_Association;
struct T_DIMSE_C_StoreRQ;

namespace hilum {

// C-STORE statuses (PS3.4 table B.2-1, PS3.7 annex C).
inline constexpr uint16_t kStoreSuccess = 0x0000;
inline constexpr uint16_t kStoreInvalidInstance = 0x0117;
inline constexpr uint16_t kStoreClassNotSupported = 0x0122;
inline constexpr uint16_t kStoreOutOfResources = 0xa700;  // try again
inline constexpr uint16_t kStoreCannotUnderstand = 0xc000;

// Limit of a peer's silence within a message, seconds.
inline constexpr int kMessageSeconds = 60;

struct ReceivedObject {
  uint16_t status = kStoreOutOfResources;  // the answer
  bool refused = false;                    // answered with success, but no case
  std::string comment;  // the reason, for the log: names no patient
};

// Receives one C-STORE whose request has been read. Writes the data set to a
// file as it arrives, without parsing it, then passes the file to `intake`, and
// answers when that has put it on disk. Reads an object to its end even if it
// cannot be stored, so that the association goes on. Holds at most one PDU in
// memory. UNAVAILABLE: the association is broken; no file is left.
absl::StatusOr<ReceivedObject> ReceiveObject(T_ASC_Association* association,
                                             uint8_t context_id,
                                             const T_DIMSE_C_StoreRQ& request,
                                             const std::string& incoming,
                                             IntakeChannel& intake);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_RECEIVE_OBJECT_H_
