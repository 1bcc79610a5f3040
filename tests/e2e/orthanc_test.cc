// SPDX-License-Identifier: Apache-2.0
// Runs hilum-ingest listen and query with Orthanc.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/pacs_fixture.h"

namespace hilum {
namespace {

class OrthancTest : public PacsTest {
 protected:
  // Starts Orthanc and sends it two chest films and a knee, of one day.
  void Fill(int hilum_port, const std::string& sends_as = "") {
    if (!StartOrthanc(hilum_port, /*tls=*/false, sends_as)) {
      GTEST_SKIP() << "no orthanc or dcmtk tools here: ./dev deps";
    }
    const Outcome sent = Send({Film(3), Film(5), Film(7, 40, "KNEE")},
                              {"-aec", "ORTHANC"}, orthanc_port_);
    ASSERT_EQ(sent.exit_status, 0) << sent.output;
  }
  // Queries by days, or by the options in `more`.
  Outcome Ask(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        Program("hilum-ingest"),
        "query",
        "--store",
        store_,
        "--peer",
        absl::StrCat("ORTHANC@127.0.0.1:", orthanc_port_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
  Outcome Query(std::vector<std::string> more) {
    more.insert(more.end(), {"--from", "2020-02-28", "--to", "2020-03-02"});
    return Ask(more);
  }
};

TEST_F(OrthancTest, ForwardsToTheListener) {
  Listen({"--allow", "ORTHANC@127.0.0.1"});
  Fill(port_);
  if (IsSkipped()) return;
  const Outcome moved =
      Run({Tool("movescu"), "-v", "-S", "-aec", "ORTHANC", "-aem", "HILUM",
           "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.9.3",
           "127.0.0.1", absl::StrCat(orthanc_port_)});
  EXPECT_EQ(moved.exit_status, 0) << moved.output;
  EXPECT_FALSE(WaitForLine("1 taken").empty());
  EXPECT_EQ(StopListening(), 0);
  EXPECT_TRUE(absl::StrContains(
      Run({Program("hilum-ingest"), "list", "--store", store_}).output,
      "unlabelled"));
}

TEST_F(OrthancTest, IsQueriedByGetAndAgainFetchesNothing) {
  Fill(FreePort());
  if (IsSkipped()) return;
  const std::string labels =
      Put("labels.csv", "PatientID,label\nP3,covid\nP5,normal\n");
  const Outcome first = Query({"--labels", labels});
  EXPECT_EQ(first.exit_status, 0) << first.output;
  EXPECT_TRUE(absl::StrContains(
      first.output, "3 images, 0 known already, 3 fetched, 0 failed"))
      << first.output;
  EXPECT_EQ(NumCases(), 2);
  const Outcome again = Query({"--pace", "60"});
  EXPECT_TRUE(absl::StrContains(
      again.output, "3 images, 3 known already, 0 fetched, 0 failed"))
      << again.output;
  EXPECT_TRUE(absl::StrContains(Query({"--modality", "DX"}).output,
                                "in all: 0 images"));
}

TEST_F(OrthancTest, IsQueriedByMove) {
  const int port = FreePort();
  Fill(port);
  if (IsSkipped()) return;
  const Outcome moved = Query({"--move", "--port", absl::StrCat(port)});
  EXPECT_EQ(moved.exit_status, 0) << moved.output;
  EXPECT_TRUE(absl::StrContains(moved.output, "3 fetched, 0 failed"))
      << moved.output;
}

// A PACS whose sender has a title of its own.
TEST_F(OrthancTest, SendsWhatIsMovedUnderAnotherTitle) {
  const int port = FreePort();
  Fill(port, "STORENODE");
  if (IsSkipped()) return;
  const std::vector<std::string> move = {"--move", "--port",
                                         absl::StrCat(port)};
  const Outcome rejected = Query(move);
  EXPECT_EQ(rejected.exit_status, 1);
  EXPECT_TRUE(absl::StrContains(rejected.output, "--allow STORENODE@127.0.0.1"))
      << rejected.output;
  std::vector<std::string> allowed = move;
  allowed.insert(allowed.end(), {"--allow", "STORENODE@127.0.0.1"});
  const Outcome moved = Query(allowed);
  EXPECT_EQ(moved.exit_status, 0) << moved.output;
  EXPECT_TRUE(absl::StrContains(moved.output, "3 fetched, 0 failed"))
      << moved.output;
}

TEST_F(OrthancTest, IsQueriedByAccessionByListAndForWhatHasNoDate) {
  Fill(FreePort());
  if (IsSkipped()) return;
  const std::string undated = Film(9, 40, "CHEST", "");
  ASSERT_EQ(Send({undated}, {"-aec", "ORTHANC"}, orthanc_port_).exit_status, 0);
  const Outcome days = Query({});
  EXPECT_TRUE(absl::StrContains(
      days.output, "without a date: 1 images of 1 studies, not fetched"))
      << days.output;
  EXPECT_TRUE(absl::StrContains(days.output, "in all: 3 images"))
      << days.output;
  const Outcome accession = Ask({"--accession", "A9,A404"});
  EXPECT_TRUE(absl::StrContains(accession.output,
                                "--accession 1: 1 images, 0 known already, "
                                "1 fetched"))
      << accession.output;
  EXPECT_TRUE(absl::StrContains(accession.output, "in all: 1 images"))
      << accession.output;
  const Outcome list =
      Ask({"--list", Put("labels.csv", "PatientID,label\nP3,covid\nP9,a\n")});
  EXPECT_TRUE(absl::StrContains(list.output, "labels.csv:3: 1 images, 1 known"))
      << list.output;
  EXPECT_TRUE(absl::StrContains(list.output, "in all: 2 images"))
      << list.output;
}

TEST_F(OrthancTest, AMoveToWhereNobodyListensIsNamedWithItsStatus) {
  Fill(FreePort());  // not the port that is listened on
  if (IsSkipped()) return;
  const Outcome moved = Query({"--move", "--port", absl::StrCat(FreePort())});
  EXPECT_EQ(moved.exit_status, 1);
  EXPECT_TRUE(absl::StrContains(moved.output, "3 images could not be fetched"))
      << moved.output;
  EXPECT_TRUE(absl::StrContains(moved.output, "C-MOVE: status "))
      << moved.output;
}

TEST_F(OrthancTest, IsQueriedOverTls) {
  if (Tool("openssl").empty()) GTEST_SKIP() << "no openssl";
  for (const char* name : {"ca", "other"}) MakeCertificate(name, "");
  for (const char* name : {"hilum", "orthanc", "modality"}) {
    MakeCertificate(name, "ca");
  }
  if (!StartOrthanc(FreePort(), /*tls=*/true)) GTEST_SKIP() << "no orthanc";
  std::vector<std::string> options = TlsArguments("modality");
  options.insert(options.end(), {"-aec", "ORTHANC"});
  ASSERT_EQ(Send({Film(3)}, options, orthanc_port_).exit_status, 0);
  const std::vector<std::string> own = {"--tls-cert", Path("hilum.pem"),
                                        "--tls-key", Path("hilum.key"),
                                        "--tls-ca"};
  auto with = [&](const std::string& authority) {
    std::vector<std::string> arguments = own;
    arguments.push_back(Path(authority));
    return Query(arguments);
  };
  EXPECT_EQ(with("other.pem").exit_status, 1);  // it trusts another authority
  const Outcome fetched = with("ca.pem");
  EXPECT_EQ(fetched.exit_status, 0) << fetched.output;
  EXPECT_TRUE(absl::StrContains(fetched.output, "1 fetched, 0 failed"));
}

}  // namespace
}  // namespace hilum
