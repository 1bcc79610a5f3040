// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/grpc_transport.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/rpc/tls.h"
#include "hilum/v1/federation.grpc.pb.h"
#include "tests/common/crypto/tls/fake_servers.h"

namespace hilum {
namespace {

// Sets an environment variable for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

class Coordinator : public v1::Federation::Service {
 public:
  grpc::Status NextTask(grpc::ServerContext*, const v1::NextTaskRequest*,
                        v1::NextTaskResponse*) override {
    return grpc::Status::OK;
  }
};

class GrpcTransportTest : public testing::Test {
 protected:
  GrpcTransportTest() {
    std::signal(SIGPIPE, SIG_IGN);
    for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy",
                             "no_proxy", "no_grpc_proxy"}) {
      unsetenv(name);
    }
  }

  static absl::Status Ask(GrpcTransport& transport, absl::Duration timeout) {
    v1::NextTaskResponse response;
    return transport.Call("NextTask", v1::NextTaskRequest(), &response,
                          timeout);
  }
  absl::Status Ask(const std::string& target) const {
    GrpcTransport transport(target, site_);
    return Ask(transport, absl::Seconds(10));
  }
  std::string SayOf(int port) const {
    const absl::Status status = Ask(absl::StrCat("127.0.0.1:", port));
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_TRUE(absl::StrContains(
        status.message(), absl::StrCat("cannot reach 127.0.0.1:", port)))
        << status;
    return std::string(status.message());
  }
  Identity CoordinatorIdentity() const {
    return MakeIdentity({.hosts = {"127.0.0.1", "localhost", "::1"}},
                        authority_, now_);
  }

  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("lungs", now_).value();
  const Identity site_ = MakeIdentity({.site = "st-mary"}, authority_, now_);
};

// A hospital's proxy cannot reach this machine's loopback.
TEST_F(GrpcTransportTest, LoopbackIsReachedPastEveryProxyVariable) {
  Coordinator service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0",
                           TlsServerCredentials(CoordinatorIdentity()), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  const std::string dead = absl::StrCat("http://127.0.0.1:", ClosedPort());
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    const Variable proxy(name, dead);
    for (const char* host : {"127.0.0.1:", "localhost:"}) {
      const absl::Status status = Ask(absl::StrCat(host, port));
      EXPECT_TRUE(status.ok()) << name << ": " << status;
    }
  }
  server->Shutdown();
}

TEST_F(GrpcTransportTest, AProxyThatBitesIsNamedByItsVariable) {
  const Variable proxy("https_proxy",
                       absl::StrCat("http://127.0.0.1:", ClosedPort()));
  const absl::Status status = Ask("lungs.invalid:8443");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "https_proxy")) << status;
  // Past the proxy, by a pattern or a star, the error is about the name itself.
  for (const char* list : {"*", "lungs.invalid", ".invalid"}) {
    const Variable exempt("no_proxy", list);
    const absl::Status own = Ask("lungs.invalid:8443");
    EXPECT_FALSE(absl::StrContains(own.message(), "https_proxy")) << own;
    EXPECT_TRUE(absl::StrContains(own.message(), "no address")) << own;
  }
}

TEST_F(GrpcTransportTest, EachKindOfPeerHasItsOwnWords) {
  LoopbackServer http(Answering("HTTP/1.0 400 Bad request\r\n\r\n"));
  LoopbackServer old(ShakingHands(CoordinatorIdentity(), true));
  LoopbackServer inspector(ShakingHands(
      MakeIdentity({.hosts = {"127.0.0.1"}},
                   MakeAuthority("inspector", now_).value(), now_)));
  LoopbackServer name(
      ShakingHands(MakeIdentity({.hosts = {"a.example"}}, authority_, now_)));
  LoopbackServer expired(ShakingHands(MakeIdentity(
      {.hosts = {"127.0.0.1"}}, authority_, now_ - absl::Hours(24 * 60))));
  EXPECT_TRUE(absl::StrContains(SayOf(http.port()), "does not speak TLS"));
  EXPECT_TRUE(absl::StrContains(SayOf(old.port()), "TLS 1.2"));
  EXPECT_TRUE(absl::StrContains(SayOf(inspector.port()), "inspects TLS"));
  EXPECT_TRUE(absl::StrContains(SayOf(name.port()), "a.example"));
  EXPECT_TRUE(absl::StrContains(SayOf(expired.port()), "has expired"));
  EXPECT_TRUE(absl::StrContains(SayOf(ClosedPort()), "nothing listens"));
}

TEST_F(GrpcTransportTest, DroppedPacketsAreNoMereDeadline) {
  const DroppingPort dropping;
  GrpcTransport transport(absl::StrCat("127.0.0.1:", dropping.port()), site_);
  const absl::Status status = Ask(transport, absl::Milliseconds(200));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "firewall")) << status;
}

// Stopping does not wait for the probe.
TEST_F(GrpcTransportTest, AStopEndsACallWhoseReasonIsBeingLookedFor) {
  LoopbackServer silent(Silent());
  GrpcTransport transport(absl::StrCat("127.0.0.1:", silent.port()), site_);
  std::thread call([&] {
    const absl::Status status = Ask(transport, absl::Milliseconds(50));
    EXPECT_TRUE(absl::IsDeadlineExceeded(status) || absl::IsCancelled(status))
        << status;
  });
  transport.Shutdown();
  call.join();
  EXPECT_TRUE(absl::IsCancelled(Ask(transport, absl::Seconds(1))));
}

}  // namespace
}  // namespace hilum
