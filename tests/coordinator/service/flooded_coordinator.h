// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SERVICE_FLOODED_COORDINATOR_H_
#define HILUM_TESTS_COORDINATOR_SERVICE_FLOODED_COORDINATOR_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "certs/authority.h"
#include "common/base/file.h"
#include "common/crypto/certificate.h"
#include "coordinator/service/server.h"
#include "hilum/v1/federation.grpc.pb.h"
#include "sim/child_process.h"
#include "tests/e2e/e2e.h"

namespace hilum {

// The real hilum-coordinator with few file descriptors, and sites of its
// consortium: real ones, and channels with a site's certificate.
class FloodedCoordinatorTest : public EndToEndTest {
 protected:
  static constexpr int kOpenFiles = 256;

  FloodedCoordinatorTest();
  ~FloodedCoordinatorTest() override;

  // `limits`: YAML of CoordinatorConfig.limits.
  void StartCoordinator(const std::string& limits);
  // Offers a study of the sites, two rounds of a head, and returns its hash.
  std::string Submit(const std::vector<std::string>& sites);
  // hilum-site with a trainer that learns nothing; it approves the study.
  void StartSite(const std::string& name, const std::string& hash);

  // A channel of its own connection; `address`: another than the
  // coordinator's.
  std::unique_ptr<v1::Federation::Stub> Channel(
      const std::string& site, const std::string& address = "");
  // Whether a poll of this site is answered, with a fresh connection.
  grpc::Status Poll(const std::string& site);
  // A TCP connection to it, non-blocking; `from`: the IPv4 address of this
  // machine that it comes from, 0: any.
  ScopedFd Connect(uint32_t from = 0) const;

  // What a site's gateway sends first: a ClientHello that the coordinator
  // answers.
  std::string RealHello();

  // A number of /proc/PID/status: Threads, VmHWM (kB).
  int64_t ProcStatus(const std::string& key) const;
  std::string CoordinatorLog() const { return Text("coordinator.log"); }
  AdminClient& admin() { return *admin_; }

 private:
  Identity MakeIdentity(const RequestedName& name);
  void WriteIdentity(const std::string& name, const Identity& identity);

  const Authority authority_;
  std::map<std::string, Identity> sites_;
  std::vector<ChildProcess> children_;
  std::string address_, pid_;
  std::unique_ptr<AdminClient> admin_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SERVICE_FLOODED_COORDINATOR_H_
