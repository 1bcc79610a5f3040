// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/dicom_peer.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/site_agent/ingest/network/dicom_fakes.h"

namespace hilum {
namespace {

// Study, date, patient, accession, series, modality, instance.
std::vector<PacsImage> Archive() {
  return {{"1.1", "20200301", "P1", "A1", "1.1.1", "CR", "1.1.1.1"},
          {"1.1", "20200301", "P1", "A1", "1.1.1", "CR", "1.1.1.2"},
          {"1.1", "20200301", "P1", "A1", "1.1.2", "CT", "1.1.2.1"},
          {"1.2", "20200302", "P2", "A2", "1.2.1", "DX", "1.2.1.1b"},
          {"1.3", "", "P3", "A3", "1.3.1", "CR", "1.3.1.1"}};
}

class DicomPeerTest : public testing::Test {
 protected:
  static DicomPeer Open(const FakePacs& pacs,
                        DicomPeer::Fetch fetch = DicomPeer::Fetch::kGet) {
    return DicomPeer::Open({.peer = {"PACS", "127.0.0.1", pacs.port()},
                            .ae_title = "HILUM",
                            .fetch = fetch})
        .value();
  }
  static std::vector<std::string> Instances(const FakePacs& pacs,
                                            ImageQuery query) {
    if (query.modalities.empty()) query.modalities = {"CR", "DX"};
    const auto found = Open(pacs).FindImages(query);
    EXPECT_TRUE(found.ok()) << found.status();
    std::vector<std::string> instances;
    if (!found.ok()) return instances;
    for (const ImageKeys& image : found->images) {
      instances.push_back(image.instance);
    }
    return instances;
  }
  using List = std::vector<std::string>;
};

TEST_F(DicomPeerTest, APeerIsTitleHostAndPort) {
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

TEST_F(DicomPeerTest, FindsByDayAndModality) {
  const FakePacs pacs({.images = Archive()});
  EXPECT_EQ(Instances(pacs, {.study_date = "20200301"}),
            (List{"1.1.1.1", "1.1.1.2"}));
  EXPECT_EQ(Instances(pacs, {.study_date = "20200301", .modalities = {"CT"}}),
            (List{"1.1.2.1"}));
}

TEST_F(DicomPeerTest, FindsByAccessionPatientAndStudy) {
  const FakePacs pacs({.images = Archive()});
  EXPECT_EQ(Instances(pacs, {.accession = "A2"}), (List{"1.2.1.1b"}));
  EXPECT_EQ(Instances(pacs, {.patient = "P3"}), (List{"1.3.1.1"}));
  EXPECT_EQ(Instances(pacs, {.study = "1.1"}), (List{"1.1.1.1", "1.1.1.2"}));
  EXPECT_EQ(Instances(pacs, {.patient = "P1", .accession = "A2"}), List());
}

TEST_F(DicomPeerTest, FindsWhatHasNoDate) {
  const FakePacs pacs({.images = Archive()});
  EXPECT_EQ(Instances(pacs, {.undated = true}), (List{"1.3.1.1"}));
}

// Otherwise the whole archive would be fetched, patient by patient.
TEST_F(DicomPeerTest, AnArchiveThatMatchesEverythingIsNotBelieved) {
  const FakePacs pacs({.images = Archive(), .matches_accession = false});
  EXPECT_EQ(Instances(pacs, {.accession = "A2"}), (List{"1.2.1.1b"}));
  const auto none =
      Open(pacs).FindImages({.accession = "A9", .modalities = {"CR"}});
  EXPECT_TRUE(absl::IsFailedPrecondition(none.status())) << none.status();
  EXPECT_FALSE(absl::StrContains(none.status().message(), "A9"));
}

TEST_F(DicomPeerTest, GetsOneImage) {
  const FakePacs pacs({.images = Archive()});
  const std::string incoming =
      absl::StrCat(testing::TempDir(), "/peer_", getpid());
  std::filesystem::create_directories(incoming);
  FakeIntake intake("committed");
  DicomPeer peer = Open(pacs);
  const ImageKeys image{"1.2", "1.2.1", "1.2.1.1b"};
  EXPECT_TRUE(peer.Get(image, incoming, intake.channel()).ok());
  EXPECT_EQ(intake.taken().size(), 1u);
  FakeIntake full("full no space");
  const absl::Status status = peer.Get(image, incoming, full.channel());
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  std::filesystem::remove_all(incoming);
}

TEST_F(DicomPeerTest, AMoveThatFailsHasItsStatus) {
  int port = 0;
  ListenOnLoopback(port).Close();  // nobody there
  const FakePacs pacs({.images = Archive(), .move_port = port});
  DicomPeer peer = Open(pacs, DicomPeer::Fetch::kMove);
  const absl::Status status = peer.Move({"1.2", "1.2.1", "1.2.1.1b"});
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "C-MOVE: status A702H"))
      << status;
}

TEST_F(DicomPeerTest, APeerThatIsNotThereIsNamed) {
  int port = 0;
  ListenOnLoopback(port).Close();
  const absl::Status status =
      DicomPeer::Open({.peer = {"PACS", "127.0.0.1", port}, .ae_title = "H"})
          .status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(),
                                absl::StrCat("PACS@127.0.0.1:", port)));
}

}  // namespace
}  // namespace hilum
