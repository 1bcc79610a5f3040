// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "sim/child_process.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class BadInputTest : public EndToEndTest {
 protected:
  // Writes NAME.crt and NAME.key beside ca.crt, signed `days_ago`, for nine
  // days.
  void MakeIdentity(const Authority& authority, const std::string& name,
                    const RequestedName& requested, int days_ago) {
    const Request request = MakeRequest(requested).value();
    const absl::Time then = RealClock().Now() - absl::Hours(24) * days_ago;
    Write(name + ".crt",
          SignRequest(authority, request.request_pem, 9, then).value());
    ASSERT_TRUE(WriteFileAtomically(Path(name + ".key"),
                                    request.private_key_pem, Durability::kNone,
                                    0600)
                    .ok());
  }

  std::string TlsYaml(const std::string& name) {
    return absl::StrCat("tls: {authority: ca.crt, certificate: ", name,
                        ".crt, private_key: ", name, ".key}\n");
  }

  std::string CoordinatorYaml(const std::string& listen) {
    return absl::StrCat("listen: ", listen,
                        "\nstate_dir: state\naddress_file: address\n",
                        TlsYaml("coordinator"));
  }

  std::string SiteYaml(const std::string& name) {
    return absl::StrCat("coordinator: 127.0.0.1:1\nstate_dir: site-state\n",
                        "manifest: manifest.csv\n", TlsYaml(name));
  }

  Outcome ServeSite() {
    return Run({Program("hilum-site"), "serve", "--config", Path("site.yaml")});
  }
  Outcome ServeCoordinator() {
    return Run({Program("hilum-coordinator"), "serve", "--config",
                Path("coordinator.yaml")});
  }

  void AwaitFile(const std::string& name,
                 absl::StatusOr<ChildProcess>& process) {
    ASSERT_TRUE(process.ok()) << process.status();
    const absl::Status there =
        WaitForFile(Path(name), *process, absl::Seconds(60));
    ASSERT_TRUE(there.ok()) << there;
  }

  const Authority authority_ =
      MakeAuthority("tests", RealClock().Now() - absl::Hours(24 * 99)).value();
  const RequestedName coordinator_ = {.hosts = {"127.0.0.1"}};
};

TEST_F(BadInputTest, AnExpiredCertificateIsNamedWithItsDate) {
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(authority_, "site", {.site = "site-a"}, 30);
  Write("site.yaml", SiteYaml("site"));
  const Outcome served = ServeSite();
  EXPECT_EQ(served.exit_status, 1) << served.output;
  EXPECT_THAT(served.output, HasSubstr("site.crt: the certificate expired"));
}

TEST_F(BadInputTest, AForeignCertificateIsNamedWithItsAuthority) {
  const Authority other = MakeAuthority("others", RealClock().Now()).value();
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(other, "site", {.site = "site-a"}, 0);
  Write("site.yaml", SiteYaml("site"));
  const Outcome served = ServeSite();
  EXPECT_EQ(served.exit_status, 1) << served.output;
  EXPECT_THAT(served.output, HasSubstr("not by the authority"));
}

TEST_F(BadInputTest, AnotherRolesCertificateIsRefusedAtBothEnds) {
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(authority_, "site", coordinator_, 0);
  Write("site.yaml", SiteYaml("site"));
  EXPECT_THAT(ServeSite().output, HasSubstr("but this is a site"));
  MakeIdentity(authority_, "coordinator", {.site = "site-a"}, 0);
  Write("coordinator.yaml", CoordinatorYaml("127.0.0.1:0"));
  EXPECT_THAT(ServeCoordinator().output,
              HasSubstr("but this is the coordinator"));
}

TEST_F(BadInputTest, AKeyOpenToOthersIsRefusedAtBothEnds) {
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(authority_, "site", {.site = "site-a"}, 0);
  MakeIdentity(authority_, "coordinator", coordinator_, 0);
  Write("site.yaml", SiteYaml("site"));
  Write("coordinator.yaml", CoordinatorYaml("127.0.0.1:0"));
  for (const char* key : {"site.key", "coordinator.key"}) {
    std::filesystem::permissions(Path(key), std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
  }
  EXPECT_THAT(ServeSite().output, HasSubstr("run: chmod 600"));
  EXPECT_THAT(ServeCoordinator().output, HasSubstr("run: chmod 600"));
}

TEST_F(BadInputTest, AnUnknownKeyIsNamedWithLineAndColumn) {
  Write("coordinator.yaml", "listen: 127.0.0.1:0\nstate_dri: state\n");
  const Outcome served = ServeCoordinator();
  EXPECT_EQ(served.exit_status, 1);
  EXPECT_THAT(served.output, HasSubstr("coordinator.yaml:2:1"));
  EXPECT_THAT(served.output, HasSubstr("state_dir"));
}

TEST_F(BadInputTest, ABrokenRuleOfAStudyIsShownInItsFile) {
  Write("coordinator.yaml", CoordinatorYaml("127.0.0.1:0"));
  Write("study.yaml",
        "name: tiny\nclasses: [a, b]\nsites: [site-a]\n"
        "training: {rounds: 0}\n");
  const Outcome submitted =
      Run({Program("hilum-coordinator"), "study", "submit", "--config",
           Path("coordinator.yaml"), Path("study.yaml")});
  EXPECT_EQ(submitted.exit_status, 1);
  EXPECT_THAT(submitted.output,
              HasSubstr("study.yaml:4:12: 'training.rounds' must be from 1 to "
                        "100000, not 0"));
}

TEST_F(BadInputTest, APortInUseIsNamed) {
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(authority_, "coordinator", coordinator_, 0);
  Write("coordinator.yaml", CoordinatorYaml("127.0.0.1:0"));
  auto first = ChildProcess::Start({Program("hilum-coordinator"), "serve",
                                    "--config", Path("coordinator.yaml")},
                                   Path("first.log"));
  AwaitFile("address", first);
  const std::string address(absl::StripAsciiWhitespace(Text("address")));
  Write("coordinator.yaml",
        absl::StrReplaceAll(CoordinatorYaml(address),
                            {{"state_dir: state", "state_dir: other"}}));
  const Outcome second = ServeCoordinator();
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.output, HasSubstr(address));
  EXPECT_THAT(second.output, AnyOf(HasSubstr("in use"), HasSubstr("taken")));
}

TEST_F(BadInputTest, ASecondCoordinatorOnOneFolderIsRefusedAndTheFirstServes) {
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(authority_, "coordinator", coordinator_, 0);
  Write("coordinator.yaml", CoordinatorYaml("127.0.0.1:0"));
  auto first = ChildProcess::Start({Program("hilum-coordinator"), "serve",
                                    "--config", Path("coordinator.yaml")},
                                   Path("first.log"));
  AwaitFile("address", first);
  const Outcome second = ServeCoordinator();
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.output,
              HasSubstr("/state: another hilum-coordinator serves"));
  const Outcome list = Run({Program("hilum-coordinator"), "study", "list",
                            "--config", Path("coordinator.yaml")});
  EXPECT_EQ(list.exit_status, 0) << list.output;
}

TEST_F(BadInputTest, ASecondSiteOnOneFolderIsRefused) {
  Write("ca.crt", authority_.certificate_pem);
  MakeIdentity(authority_, "site", {.site = "site-a"}, 0);
  Write("manifest.csv", "file,label,patient_id\n");
  Write("site.yaml", SiteYaml("site"));
  std::filesystem::create_directories(Path("site-state"));
  auto first = ChildProcess::Start(
      {Program("hilum-site"), "serve", "--config", Path("site.yaml")},
      Path("first.log"));
  AwaitFile("site-state/ledger.jsonl", first);
  const Outcome second = ServeSite();
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.output,
              HasSubstr("/site-state: another hilum-site serves"));
  const Outcome shown = Run(
      {Program("hilum-site"), "study", "show", "--config", Path("site.yaml")});
  EXPECT_EQ(shown.exit_status, 0) << shown.output;
}

TEST_F(BadInputTest, BadRowsAreListedWithTheirNumberAndTheStudyGoesOn) {
  MakeDataAndStudy();
  Write("study.yaml",
        absl::StrCat(Text("study.yaml"), "data_rules: {max_bad_share: 0.8}\n"));
  Write("data/jane-roe-garbage.png", "this is no image");
  Write("data/jane-roe-mask.png", "this is no mask");
  Write("data/manifest.csv",
        absl::StrCat(Text("data/manifest.csv"),
                     "jane-roe/none.png,normal,p-1,,site-a,AP\n"
                     "jane-roe-garbage.png,normal,p-2,,site-a,AP\n"
                     "images/00001.png,jane-roe,p-3,,site-a,AP\n"
                     "images/00002.png,normal,p-4,jane-roe-mask.png,site-a,AP\n"
                     "images/00003.png,normal,p-5,jane-roe/none.png,site-a,AP"
                     "\n"));
  const Outcome run =
      Run({Program("hilum-sim"), "run", Path("study.yaml"), "--data",
           Path("data/manifest.csv"), "--arm", "whole", "--transport", "grpc",
           "--out", Path("out")});
  ASSERT_EQ(run.exit_status, 0) << run.output;
  const std::string results = ResultsOf("out", "site-a");
  const std::string rejected = Text(results + "/rejected.csv");
  EXPECT_THAT(rejected, HasSubstr("none.png"));
  EXPECT_THAT(rejected, HasSubstr("garbage.png"));
  EXPECT_THAT(rejected, HasSubstr("unknown label"));
  // File names may name patients. They are in the site's manifest and in its
  // list of rejected rows, and in no log, ledger, message, model or report.
  EXPECT_THAT(
      FilesWith("out", "jane-roe"),
      testing::IsSubsetOf({std::string("sites/site-a/manifest.csv"),
                           absl::StrCat(results.substr(4), "/rejected.csv")}));
  EXPECT_THAT(Text("out/logs/site-a.log"), HasSubstr("is not used: "));
  EXPECT_EQ(run.output.find("jane-roe"), std::string::npos);
  EXPECT_EQ(Text(ResultsOf("out", "site-b") + "/rejected.csv").find(".png"),
            std::string::npos);
  // The site's own log says where to look.
  EXPECT_THAT(Text("out/logs/site-a.log"),
              HasSubstr(absl::StrCat("/", results)));
}

}  // namespace
}  // namespace hilum
