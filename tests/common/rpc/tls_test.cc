// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/tls.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "hilum/v1/admin.grpc.pb.h"

namespace hilum {
namespace {

// A server with a coordinator's certificate, and files for a client.
class TlsTest : public testing::Test {
 protected:
  TlsTest()
      : now_(RealClock().Now()),
        authority_(MakeAuthority("lungs", now_).value()) {
    folder_ = absl::StrCat(testing::TempDir(), "/tls");
    std::filesystem::create_directories(folder_);
    Identity identity = Make({.hosts = {"127.0.0.1"}}, authority_);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", TlsServerCredentials(identity),
                             &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~TlsTest() override { server_->Shutdown(); }

  Identity Make(const RequestedName& name, const Authority& authority) {
    Request request = MakeRequest(name).value();
    Identity identity;
    identity.authority_pem = authority.certificate_pem;
    identity.private_key_pem = request.private_key_pem;
    identity.certificate_pem =
        SignRequest(authority, request.request_pem, 30, now_).value();
    return identity;
  }

  // Returns whether `openssl s_client` with these options completes its
  // handshake and is not rejected right after it.
  bool Connects(const Identity& client, absl::string_view options) {
    auto put = [&](const char* name, const std::string& pem) {
      std::string path = absl::StrCat(folder_, "/", name);
      EXPECT_TRUE(WriteFileAtomically(path, pem, Durability::kNone, 0600).ok());
      return path;
    };
    std::string command = absl::StrCat(
        "(sleep 0.3) | timeout 10 openssl s_client -alpn h2 -connect ",
        "127.0.0.1:", port_, " -CAfile ", put("ca", client.authority_pem), " ",
        client.private_key_pem.empty()
            ? ""
            : absl::StrCat(" -cert ", put("crt", client.certificate_pem),
                           " -key ", put("key", client.private_key_pem)),
        " -verify_return_error ", options, " > ", folder_, "/out 2>&1");
    int status = std::system(command.c_str());
    std::string out = *ReadFile(folder_ + "/out");
    return status == 0 && out.find("alert") == std::string::npos;
  }

  absl::Time now_;
  Authority authority_;
  std::string folder_;
  int port_ = 0;
  v1::Admin::Service service_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(TlsTest, SiteOfTheConsortiumConnectsWithTls13) {
  EXPECT_TRUE(Connects(Make({.site = "st-mary"}, authority_), "-tls1_3"));
}

TEST_F(TlsTest, Tls12IsRefused) {
  EXPECT_FALSE(Connects(Make({.site = "st-mary"}, authority_), "-tls1_2"));
}

TEST_F(TlsTest, ClientWithoutCertificateIsRefused) {
  Identity nobody;
  nobody.authority_pem = authority_.certificate_pem;
  EXPECT_FALSE(Connects(nobody, "-tls1_3"));
}

// A ticket stores its bearer's identity.
TEST_F(TlsTest, ATicketResumesNothingWithoutACertificate) {
  const std::string ticket = absl::StrCat(folder_, "/ticket");
  std::filesystem::remove(ticket);
  const Identity site = Make({.site = "st-mary"}, authority_);
  ASSERT_TRUE(Connects(site, absl::StrCat("-tls1_3 -sess_out ", ticket)));
  Identity nobody;
  nobody.authority_pem = authority_.certificate_pem;
  const std::string resume =
      FileExists(ticket) ? absl::StrCat(" -sess_in ", ticket) : "";
  EXPECT_FALSE(Connects(nobody, absl::StrCat("-tls1_3", resume)));
  EXPECT_FALSE(absl::StrContains(*ReadFile(folder_ + "/out"), "Reused"));
}

TEST_F(TlsTest, ClientOfAnotherConsortiumIsRefused) {
  Authority other = MakeAuthority("lungs", now_).value();
  Identity stranger = Make({.site = "st-mary"}, other);
  stranger.authority_pem = authority_.certificate_pem;
  EXPECT_FALSE(Connects(stranger, "-tls1_3"));
}

}  // namespace
}  // namespace hilum
