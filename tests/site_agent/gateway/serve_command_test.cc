// SPDX-License-Identifier: Apache-2.0
// `hilum-site serve` beside a coordinator, as a process that others end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "sim/child_process.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ServeCommandTest : public testing::Test {
 protected:
  ServeCommandTest() {
    fs::create_directories(folder_);
    const absl::Time now = RealClock().Now();
    const Authority authority = MakeAuthority("test", now).value();
    Write("ca.crt", authority.certificate_pem);
    MakeIdentity(authority, "coordinator", {.hosts = {"127.0.0.1"}});
    MakeIdentity(authority, "a", {.site = "a"});
    Write("manifest.csv", "file,label,patient_id\n");
    Write("study.yaml",
          "name: alone\nclasses: [x, y]\nsites: [a]\narms: [whole]\n"
          "cross_validation: {folds: 2}\n");
    Write("coordinator.yaml",
          absl::StrCat("listen: 127.0.0.1:0\nstate_dir: c\n",
                       "address_file: address\n", Tls("coordinator")));
  }
  ~ServeCommandTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  std::string Text(const std::string& name) const {
    return ReadFile(Path(name)).value_or("");
  }
  void Write(const std::string& name, const std::string& text,
             mode_t mode = 0600) const {
    ASSERT_TRUE(
        WriteFileAtomically(Path(name), text, Durability::kNone, mode).ok());
  }
  void MakeIdentity(const Authority& authority, const std::string& name,
                    const RequestedName& requested) const {
    const Request request = MakeRequest(requested).value();
    Write(name + ".crt",
          SignRequest(authority, request.request_pem, 9, RealClock().Now())
              .value());
    Write(name + ".key", request.private_key_pem);
  }
  static std::string Tls(const std::string& name) {
    return absl::StrCat("tls: {authority: ca.crt, certificate: ", name,
                        ".crt, private_key: ", name, ".key}\n");
  }
  static std::string Program(const char* name) {
    return absl::StrCat(HILUM_BIN_DIR "/", name);
  }
  // Returns the standard output of a command that exits with 0.
  std::string Do(const std::vector<std::string>& words) const {
    const auto said = RunCommand(words, Path("commands.log"));
    EXPECT_TRUE(said.ok()) << said.status();
    return std::string(absl::StripAsciiWhitespace(said.value_or("")));
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/serve-", getpid());
};

// A trainer that runs but never answers.
constexpr char kBusyTrainer[] = "#!/bin/sh\nexec sleep 600\n";

TEST_F(ServeCommandTest, SigtermWhileTheTrainerWorksIsAStopAndNoFault) {
  Write("trainer.sh", kBusyTrainer, 0700);
  auto coordinator = ChildProcess::Start({Program("hilum-coordinator"), "serve",
                                          "--config", Path("coordinator.yaml")},
                                         Path("coordinator.log"));
  ASSERT_TRUE(coordinator.ok()) << coordinator.status();
  ASSERT_TRUE(WaitForFile(Path("address"), *coordinator, absl::Minutes(1)).ok())
      << Text("coordinator.log");
  const std::string hash =
      Do({Program("hilum-coordinator"), "study", "submit", "--config",
          Path("coordinator.yaml"), Path("study.yaml")});
  Write("site.yaml", absl::StrCat("coordinator: ", Text("address"),
                                  "\nstate_dir: s\nmanifest: manifest.csv\n",
                                  "trainer: {binary: trainer.sh}\n", Tls("a")));
  fs::create_directories(Path("s/studies"));
  auto site = ChildProcess::Start(
      {Program("hilum-site"), "serve", "--config", Path("site.yaml")},
      Path("site.log"));
  ASSERT_TRUE(site.ok()) << site.status();
  ASSERT_TRUE(WaitForFile(Path(absl::StrCat("s/studies/", hash, ".study")),
                          *site, absl::Minutes(1))
                  .ok())
      << Text("site.log");
  Do({Program("hilum-site"), "study", "approve", "--config", Path("site.yaml"),
      hash, "--accept", "visible_updates"});
  // The folder is made right before the trainer is asked to load the cases.
  ASSERT_TRUE(WaitForFile(Path("s/results"), *site, absl::Minutes(1)).ok())
      << Text("site.log");
  site->Stop(absl::Minutes(1));
  EXPECT_EQ(site->Wait(absl::ZeroDuration()).value_or(-1), 0);
  EXPECT_THAT(
      Text("site.log"),
      AllOf(HasSubstr("stopping"), HasSubstr("approved by user"),
            Not(HasSubstr("cannot be worked on")), Not(HasSubstr("signal"))));
  EXPECT_THAT(Text("coordinator.log"), Not(HasSubstr("cannot work on it")));
}

}  // namespace
}  // namespace hilum
