// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_SERVER_H_
#define HILUM_COORDINATOR_SERVICE_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/certificate.h"
#include "coordinator/federation_core.h"
#include "hilum/v1/config.pb.h"

namespace hilum {

// The coordinator on the network: Federation over mutual TLS 1.3 for the sites,
// Admin on a Unix socket, each behind a ConnectionGuard. Limits the resources
// that sites and strangers can use. Serves from Start until destroyed.
class CoordinatorServer {
 public:
  struct Options {
    v1::ConnectionLimits limits;
    // Answers sites instead of the core, and outlives the server; null: the
    // core answers.
    FederationHandler* sites = nullptr;
    // The operator's log of cut connections, with reasons.
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
  };
  // `listen`: host:port, port 0 picks a free one. `admin_socket`: a path in a
  // folder that only this user may enter; an abandoned socket is replaced.
  // UNAVAILABLE: the port is taken. INVALID_ARGUMENT: not host:port.
  static absl::StatusOr<std::unique_ptr<CoordinatorServer>> Start(
      FederationCore& core, const Identity& identity, const std::string& listen,
      const std::string& admin_socket, const Options& options);
  ~CoordinatorServer();

  // Returns the bound host:port.
  const std::string& address() const { return address_; }
  // Returns the limit of connections from sites and strangers.
  size_t connections() const { return connections_; }

 private:
  struct Parts;
  explicit CoordinatorServer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::string address_;
  size_t connections_ = 0;
};

// A client for the Admin service of a running coordinator.
class AdminClient {
 public:
  explicit AdminClient(const std::string& admin_socket);
  ~AdminClient();

  // UNAVAILABLE: no coordinator is running there. The coordinator reads the
  // file. `warnings`, where given, is set to SubmissionNotes'.
  absl::StatusOr<std::string> SubmitStudy(
      const v1::Study& study, const std::string& weights_path,
      const SubmissionOptions& options = {},
      std::vector<std::string>* warnings = nullptr);
  absl::StatusOr<std::vector<v1::StudyStatus>> ListStudies();
  // Calls `on_status` at once and after each change; returns the last status.
  absl::StatusOr<v1::StudyStatus> WatchStudy(
      const std::string& hash_prefix,
      const std::function<void(const v1::StudyStatus&)>& on_status);
  absl::StatusOr<v1::StudyStatus> StopStudy(const std::string& hash_prefix);
  absl::StatusOr<v1::ExportStudyResponse> ExportStudy(
      const std::string& hash_prefix, const std::string& directory,
      bool partial = false);

 private:
  struct Stub;
  absl::Status Explain(const absl::Status& status) const;

  const std::string socket_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_SERVER_H_
