// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_DIRECT_TRANSPORT_H_
#define HILUM_SIM_DIRECT_TRANSPORT_H_

#include <atomic>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "coordinator/federation_handler.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// Connects a site to a coordinator in the same process: function calls replace
// the network. The simulator vouches for the site's name, as a certificate
// would. Thread-safe.
class DirectTransport : public Transport {
 public:
  // `handler` and `clock` outlive this object.
  DirectTransport(FederationHandler& handler, SiteId site, Clock& clock);

  // UNIMPLEMENTED: no such method. INVALID_ARGUMENT: messages of other types.
  // Other errors: those of the handler.
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override;
  void Interrupt() override { interrupted_ = true; }
  void Shutdown() override { shut_down_ = true; }

 private:
  absl::Status NextTask(const v1::NextTaskRequest& request,
                        v1::NextTaskResponse& response);

  FederationHandler& handler_;
  const SiteId site_;
  Clock& clock_;
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> shut_down_{false};
};

}  // namespace hilum

#endif  // HILUM_SIM_DIRECT_TRANSPORT_H_
