// SPDX-License-Identifier: Apache-2.0
// How `hilum-site doctor` treats the trainer's lines. There is no certificate,
// so no coordinator is asked.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/commands.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DoctorCommandTest : public ::testing::Test {
 protected:
  DoctorCommandTest()
      : folder_(absl::StrCat(::testing::TempDir(), "/doctor-", getpid())) {
    std::filesystem::create_directories(folder_);
    folder_ = std::filesystem::canonical(folder_);
    Write("m.csv", "file,label,patient_id\n");
    Write("site.yaml",
          "coordinator: 127.0.0.1:1\nstate_dir: state\nmanifest: m.csv\n"
          "trainer: {binary: trainer.sh}\n"
          "tls: {authority: ca.crt, certificate: a.crt, private_key: a.key}\n");
  }
  ~DoctorCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(Path(name), text).ok());
  }
  // Puts a script in the place of hilum-trainer.
  void Trainer(const std::string& script) const {
    Write("trainer.sh", absl::StrCat("#!/bin/sh\n", script));
    ASSERT_EQ(chmod(Path("trainer.sh").c_str(), 0700), 0);
  }

  // Returns the command's output; the command always fails here, without a
  // certificate.
  std::string Doctor() const {
    ::testing::internal::CaptureStdout();
    const absl::Status status = hilum::Doctor(Path("site.yaml"));
    const std::string said = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return said;
  }

  std::string folder_;
};

TEST_F(DoctorCommandTest, TheTrainersLinesAreShown) {
  Trainer(
      "echo 'ok    case manifest: 3 rows'; echo 'FAIL  rows: none'; exit 1");
  EXPECT_THAT(Doctor(), AllOf(HasSubstr("ok    case manifest: 3 rows\n"),
                              HasSubstr("FAIL  rows: none\n"),
                              Not(HasSubstr("ended with code"))));
}

TEST_F(DoctorCommandTest, TheTrainerIsAskedOfTheManifestAndTheStudiesOffered) {
  v1::Study study;
  study.set_name("s");
  const std::string bytes = SerializeStudy(study);
  std::filesystem::create_directories(Path("state"));
  const Approvals approvals = Approvals::Open(Path("state")).value();
  ASSERT_TRUE(approvals.PutOffer(Sha256Of(bytes), bytes).ok());
  study.set_name("refused");
  const std::string other = SerializeStudy(study);
  ASSERT_TRUE(approvals.PutOffer(Sha256Of(other), other).ok());
  ASSERT_TRUE(approvals.Refuse(Sha256Of(other)).ok());
  Trainer("echo \"ok    $*\"");
  EXPECT_THAT(Doctor(),
              AllOf(HasSubstr(absl::StrCat("check --manifest ", Path("m.csv"))),
                    HasSubstr(absl::StrCat("--study ", Path("state/studies/"),
                                           ToHex(Sha256Of(bytes)), ".study")),
                    HasSubstr(absl::StrCat("--guard ", Path("state"))),
                    Not(HasSubstr(ToHex(Sha256Of(other))))));
}

TEST_F(DoctorCommandTest, ATrainerThatCannotCheckIsAFailure) {
  Trainer("exit 2");
  EXPECT_THAT(Doctor(), AllOf(HasSubstr("FAIL  case manifest: "),
                              HasSubstr("ended with code 2")));
  // The trainer is killed after a good line.
  Trainer("echo 'ok    case manifest: 3 rows'; kill -KILL $$");
  EXPECT_THAT(Doctor(), HasSubstr("ended with code 137"));
}

TEST_F(DoctorCommandTest, NothingThatTurnsATerminalIsRepeated) {
  Trainer("printf 'ok    \\033[2Jx\\n'");
  EXPECT_THAT(Doctor(), HasSubstr("ok    ?[2Jx\n"));
}

TEST_F(DoctorCommandTest, AManifestThatIsNotThereIsAFailure) {
  std::filesystem::remove(Path("m.csv"));
  Trainer("echo asked");
  EXPECT_THAT(Doctor(), AllOf(HasSubstr("FAIL  case manifest: "),
                              Not(HasSubstr("asked"))));
}

}  // namespace
}  // namespace hilum
