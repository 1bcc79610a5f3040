// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/tls_layer.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmnet/dcmlayer.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/match.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/common/crypto/tls/fake_servers.h"

namespace hilum {
namespace {

// Writes one application's files; only the owner may read the key.
TlsFiles Put(const std::string& name, const Identity& identity) {
  const std::string base = testing::TempDir() + "/tls_layer_" + name;
  const auto put = [&](const char* ending, const std::string& text) {
    EXPECT_TRUE(
        WriteFileAtomically(base + ending, text, Durability::kNone, 0600).ok());
    return base + ending;
  };
  return {put(".crt", identity.certificate_pem),
          put(".key", identity.private_key_pem),
          put(".ca", identity.authority_pem)};
}

class TlsLayerTest : public testing::Test {
 protected:
  Identity Make() const {
    return MakeIdentity({.hosts = {"127.0.0.1"}}, authority_, now_);
  }
  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("lungs", now_).value();
};

TEST_F(TlsLayerTest, NoFilesAreNoTls) {
  EXPECT_EQ(MakeTlsLayer({}, true).value(), nullptr);
}

TEST_F(TlsLayerTest, FilesThatBelongTogetherMakeOne) {
  const TlsFiles files = Put("good", Make());
  for (bool server : {false, true}) {
    auto layer = MakeTlsLayer(files, server);
    ASSERT_TRUE(layer.ok()) << layer.status();
    EXPECT_NE(*layer, nullptr);
  }
}

TEST_F(TlsLayerTest, HalfOfTlsIsNone) {
  const TlsFiles all = Put("half", Make());
  for (const TlsFiles& half :
       {TlsFiles{.certificate = all.certificate}, TlsFiles{.key = all.key},
        TlsFiles{.certificate = all.certificate, .key = all.key},
        TlsFiles{.key = all.key, .authority = all.authority}}) {
    const absl::Status status = MakeTlsLayer(half, true).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "--tls-ca")) << status;
  }
}

TEST_F(TlsLayerTest, AKeyThatOthersMayReadIsRefused) {
  const TlsFiles files = Put("open", Make());
  ASSERT_EQ(chmod(files.key.c_str(), 0644), 0);
  const absl::Status status = MakeTlsLayer(files, true).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
}

TEST_F(TlsLayerTest, TheFileThatIsWrongIsNamed) {
  TlsFiles other_key = Put("mixed", Make());
  other_key.key = Put("mixed_other", Make()).key;
  const absl::Status mixed = MakeTlsLayer(other_key, true).status();
  EXPECT_TRUE(absl::StrContains(mixed.message(), "not the key of")) << mixed;
  TlsFiles gone = Put("gone", Make());
  gone.authority = "/no/such/ca.pem";
  const absl::Status status = MakeTlsLayer(gone, true).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "/no/such/ca.pem")) << status;
}

}  // namespace
}  // namespace hilum
