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

// The real hilum-coordinator with few file descriptors, and its consortium's
// sites: real ones, and channels with a site's certificate.
class FloodedCoordinatorTest : public EndToEndTest {
 protected:
  static constexpr int kOpenFiles = 256;

  FloodedCoordinatorTest();
  ~FloodedCoordinatorTest() override;

  // `limits`: YAML of CoordinatorConfig.limits.
  void StartCoordinator(const std::string& limits);
  // Offers a study of the sites, two rounds of a head, and returns its hash.
  std::string Submit(const std::vector<std::string>& sites);
  // Starts hilum-site with a trainer that learns nothing; approves the study.
  void StartSite(const std::string& name, const std::string& hash);

  // Returns a stub on its own connection; `address`: replaces the
  // coordinator's.
  std::unique_ptr<v1::Federation::Stub> Channel(
      const std::string& site, const std::string& address = "");
  // Polls for this site over a fresh connection; returns the status.
  grpc::Status Poll(const std::string& site);
  // Returns a non-blocking TCP connection to the coordinator; `from`: the IPv4
  // address of this machine that it comes from, 0: any.
  ScopedFd Connect(uint32_t from = 0) const;

  // Returns the first bytes of a site's gateway: a ClientHello that the
  // coordinator answers.
  std::string RealHello();

  // Returns a number of /proc/PID/status: Threads, VmHWM (kB).
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
