// SPDX-License-Identifier: Apache-2.0
// What is given on the command line of listen and query.
#include <arpa/inet.h>
#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmnet/dcmlayer.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "site_agent/ingest/incoming_file.h"
#include "site_agent/ingest/network/association_scp.h"
#include "site_agent/ingest/network/dicom_peer.h"
#include "site_agent/ingest/network/storage_contexts.h"
#include "site_agent/ingest/network/tls_layer.h"

namespace hilum {
namespace {

TEST(NetworkTest, APeerIsTitleHostAndPort) {
  auto peer = ParsePeerAddress("PACS 1@pacs.example:104");
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->ae_title, "PACS 1");
  EXPECT_EQ(peer->host, "pacs.example");
  EXPECT_EQ(peer->port, 104);
  for (const char* wrong : {"", "PACS", "PACS@host", "@host:104", "PACS@:104",
                            "PACS@host:", "PACS@host:0", "PACS@host:65536",
                            "PACS@host:x", "SEVENTEEN-LETTERS@host:104"}) {
    EXPECT_FALSE(ParsePeerAddress(wrong).ok()) << wrong;
  }
}

TEST(NetworkTest, WhoMaySendIsATitleAndPerhapsAHost) {
  EXPECT_TRUE(ParseAllowedPeer("PACS")->addresses.empty());
  auto peer = ParseAllowedPeer("PACS@127.0.0.1");
  ASSERT_TRUE(peer.ok());
  ASSERT_EQ(peer->addresses.size(), 1u);
  EXPECT_EQ(peer->addresses[0], htonl(INADDR_LOOPBACK));
  for (const char* wrong : {"", "@127.0.0.1", "A\\B", " PACS", "PACS@"}) {
    EXPECT_FALSE(ParseAllowedPeer(wrong).ok()) << wrong;
  }
}

TEST(NetworkTest, OnlyDigitsAndDotsComeIntoAFilesName) {
  EXPECT_TRUE(IsUid("1.2.840.10008"));
  for (const std::string& wrong :
       {std::string(), std::string("1/2"), std::string("1.2\0", 4),
        std::string(65, '1'), std::string("1.2 ")}) {
    EXPECT_FALSE(IsUid(wrong)) << wrong;
  }
}

// PS3.8 section 9.3.2.2: odd numbers up to 255.
TEST(NetworkTest, AllContextsFitIntoOneProposal) {
  EXPECT_LE(2 + StorageClasses().size() * TransferSyntaxes().size(), 128u);
}

TEST(NetworkTest, HalfOfTlsIsNone) {
  EXPECT_EQ(MakeTlsLayer({}, true).value(), nullptr);
  for (const TlsFiles& half :
       {TlsFiles{.certificate = "c"}, TlsFiles{.key = "k", .authority = "a"},
        TlsFiles{"no", "such", "files"}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(MakeTlsLayer(half, true).status()));
  }
}

int ExitOf(const std::string& arguments) {
  const int status =
      std::system(absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest ", arguments,
                               " >/dev/null 2>&1 </dev/null")
                      .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(NetworkTest, WrongUsageIsToldBeforeAnythingIsOpened) {
  EXPECT_EQ(ExitOf("listen --store x"), 2);
  EXPECT_EQ(ExitOf("listen --store x --port 65536"), 2);
  const std::string query = "query --store /dev/null/x --peer P@h:1 ";
  EXPECT_EQ(ExitOf(query + "--from 2020-03-01"), 2);
  EXPECT_EQ(ExitOf(query + "--from 2020-03-01 --to 20200302"), 2);
  EXPECT_EQ(ExitOf(query + "--from 2020-03-01 --to 2020-03-01 --move"), 2);
  EXPECT_EQ(ExitOf(query + "--from 2020-03-02 --to 2020-03-01"), 2);
  for (const char* command : {"listen", "query"}) {
    EXPECT_EQ(ExitOf(absl::StrCat(command, " --help")), 0);
  }
}

}  // namespace
}  // namespace hilum
