// SPDX-License-Identifier: Apache-2.0
// Tests of the hilum-certs program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kProgram[] = HILUM_BIN_DIR "/hilum-certs ";

class CertsProgramTest : public testing::Test {
 protected:
  CertsProgramTest()
      : folder_(absl::StrCat(testing::TempDir(), "/certs-program-", getpid())) {
    std::filesystem::create_directories(folder_);
    EXPECT_EQ(Run("init --consortium lungs --out authority"), 0);
    EXPECT_EQ(Run("site --name st-mary --out ."), 0);
    EXPECT_EQ(Run("site --name x --coordinator --host a.org --out ."), 0);
  }
  ~CertsProgramTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  std::string Text(const std::string& name) const {
    return ReadFile(Path(name)).value_or("");
  }

  // Runs it without a terminal. Its output is in output_.
  int Run(const std::string& arguments) {
    const int status =
        std::system(absl::StrCat("cd ", folder_, " && ", kProgram, arguments,
                                 " >output 2>&1 </dev/null")
                        .c_str());
    output_ = Text("output");
    return WEXITSTATUS(status);
  }

  int Sign(const std::string& csr, const std::string& options) {
    return Run(absl::StrCat("sign --force --authority authority --csr ", csr,
                            ".csr --out ", csr, ".crt ", options));
  }

  // Runs it on a terminal, where a person types `answer`.
  int SignOnTerminal(const std::string& answer,
                     const std::string& csr = "st-mary",
                     const std::string& options = "") {
    int terminal = -1;
    const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid == 0) {
      const std::string command =
          absl::StrCat("cd ", folder_, " && exec ", kProgram,
                       "sign --authority authority --csr ", csr, ".csr --out ",
                       csr, ".crt ", options);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    const std::string line = answer + "\n";
    EXPECT_EQ(write(terminal, line.data(), line.size()),
              static_cast<ssize_t>(line.size()));
    output_.clear();
    char block[1024];
    for (ssize_t got; (got = read(terminal, block, sizeof block)) > 0;) {
      output_.append(block, static_cast<size_t>(got));
    }
    close(terminal);
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
  }

  int NumIssued() const {
    const std::vector<std::string> lines =
        absl::StrSplit(Text("authority/issued.csv"), '\n');
    return static_cast<int>(lines.size()) - 2;  // header, end
  }

  const std::string folder_;
  std::string output_;
};

TEST_F(CertsProgramTest, KeysArePrivateAndNothingIsOverwrittenUnasked) {
  const std::string init = "init --consortium lungs --out authority";
  for (const char* file : {"ca.key", "issued.csv"}) {
    struct stat info;
    ASSERT_EQ(stat(Path(absl::StrCat("authority/", file)).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
  const std::string before = Text("authority/ca.key");
  EXPECT_EQ(Run(init), 1);
  EXPECT_EQ(Text("authority/ca.key"), before);
  EXPECT_EQ(Run(init + " --force"), 0);
  EXPECT_NE(Text("authority/ca.key"), before);
}

TEST_F(CertsProgramTest, WrongUsageEndsWithTwo) {
  EXPECT_EQ(Run(""), 2);
  EXPECT_EQ(Run("init"), 2);
  EXPECT_EQ(Sign("st-mary", "--name st-mary --role site --days 0"), 2);
  EXPECT_EQ(Sign("st-mary", "--name st-mary --role king"), 2);
  EXPECT_EQ(Run("--help"), 0);
  EXPECT_EQ(Run("--version"), 0);
}

TEST_F(CertsProgramTest, WhatIsSignedIsSaidBefore) {
  EXPECT_EQ(Sign("st-mary", ""), 2);
  EXPECT_THAT(output_, HasSubstr("--name NAME --role site|coordinator"));
  EXPECT_EQ(Sign("st-mary", "--name st-mary"), 2);
  EXPECT_EQ(Sign("st-mary", "--role site"), 2);
  EXPECT_EQ(Sign("st-mary", "--name st-john --role site"), 1);
  EXPECT_THAT(output_, HasSubstr("'st-mary', not 'st-john'"));
  EXPECT_FALSE(FileExists(Path("st-mary.crt")));
  EXPECT_EQ(NumIssued(), 0);
  EXPECT_EQ(Sign("st-mary", "--name st-mary --role site"), 0);
  EXPECT_EQ(NumIssued(), 1);
}

TEST_F(CertsProgramTest, ACoordinatorInASitesPlaceIsRefused) {
  std::filesystem::copy(Path("coordinator.csr"), Path("st-mary.csr"),
                        std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(Sign("st-mary", "--name st-mary --role site"), 1);
  EXPECT_THAT(output_, HasSubstr("role 'coordinator', not 'site'"));
  EXPECT_EQ(Sign("st-mary", "--name coordinator --role site"), 1);
  EXPECT_FALSE(FileExists(Path("st-mary.crt")));
}

TEST_F(CertsProgramTest, ACoordinatorsHostsAreShownAndCompared) {
  const std::string named = "--name coordinator --role coordinator ";
  EXPECT_EQ(Sign("coordinator", named + "--host b.org"), 1);
  EXPECT_EQ(Sign("coordinator", named + "--host a.org --host b.org"), 1);
  EXPECT_EQ(NumIssued(), 0);
  EXPECT_EQ(Sign("coordinator", named + "--host a.org"), 0);
  EXPECT_THAT(output_, HasSubstr("hosts        a.org"));
}

TEST_F(CertsProgramTest, ACoordinatorsHostsMustBeSaidOrConfirmed) {
  const std::string named = "--name coordinator --role coordinator ";
  EXPECT_EQ(Sign("coordinator", named), 2);
  EXPECT_THAT(output_, HasSubstr("for a coordinator each --host HOST"));
  EXPECT_FALSE(FileExists(Path("coordinator.crt")));
  EXPECT_EQ(NumIssued(), 0);
  EXPECT_EQ(SignOnTerminal("coordinator coordinator", "coordinator", named), 1);
  EXPECT_THAT(output_, HasSubstr("not confirmed"));
  EXPECT_EQ(SignOnTerminal("coordinator coordinator a.org", "coordinator"), 0)
      << output_;
  EXPECT_EQ(NumIssued(), 1);
}

TEST_F(CertsProgramTest, ANameThatHasAKeyGetsNoOtherUnlessToldTo) {
  const std::string named = "--name st-mary --role site ";
  EXPECT_EQ(Sign("st-mary", named), 0);
  EXPECT_EQ(Sign("st-mary", named), 0);  // renewed
  const std::string before = Text("st-mary.crt");
  ASSERT_EQ(Run("site --name st-mary --out . --force"), 0);
  EXPECT_EQ(Sign("st-mary", named), 1);
  EXPECT_THAT(output_, HasSubstr("--replace"));
  EXPECT_EQ(Text("st-mary.crt"), before);
  EXPECT_EQ(NumIssued(), 2);
  EXPECT_EQ(Sign("st-mary", named + "--replace"), 0);
  EXPECT_NE(Text("st-mary.crt"), before);
  EXPECT_THAT(Text("authority/issued.csv"),
              AllOf(HasSubstr(",new\n"), HasSubstr(",renewed\n"),
                    HasSubstr(",replaced\n")));
}

TEST_F(CertsProgramTest, APersonIsAsked) {
  EXPECT_EQ(SignOnTerminal("yes"), 1);
  EXPECT_THAT(output_, AllOf(HasSubstr("name         st-mary"),
                             HasSubstr("not confirmed")));
  EXPECT_FALSE(FileExists(Path("st-mary.crt")));
  EXPECT_EQ(NumIssued(), 0);
  EXPECT_EQ(SignOnTerminal("site st-mary"), 0) << output_;
  EXPECT_TRUE(FileExists(Path("st-mary.crt")));
  EXPECT_EQ(NumIssued(), 1);
}

TEST_F(CertsProgramTest, ShowSaysWhatARequestAndACertificateSay) {
  EXPECT_EQ(Run("show coordinator.csr"), 0);
  EXPECT_THAT(output_, AllOf(HasSubstr("role         coordinator\n"),
                             HasSubstr("hosts        a.org\n"),
                             HasSubstr("signature    its own key's, ok")));
  ASSERT_EQ(Run("show st-mary.csr"), 0);
  const size_t at = output_.find("key          ");
  const std::string key = output_.substr(at, 13 + 64 + 1);
  ASSERT_EQ(Sign("st-mary", "--name st-mary --role site"), 0);
  EXPECT_EQ(Run("show st-mary.crt"), 0);
  EXPECT_THAT(output_, AllOf(HasSubstr("role         site\n"),
                             HasSubstr("name         st-mary\n"),
                             HasSubstr("valid        20"), HasSubstr(key),
                             HasSubstr("its issuer's, not checked here")));
  EXPECT_EQ(Run("show authority/ca.crt"), 0);
  EXPECT_THAT(output_, HasSubstr("its own key's, ok"));
  EXPECT_EQ(Run("show authority/issued.csv"), 1);
  EXPECT_THAT(output_, HasSubstr("issued.csv: no PEM"));
}

TEST_F(CertsProgramTest, ABrokenRequestIsShownAsBrokenAndNotSigned) {
  std::string pem = Text("st-mary.csr");
  const size_t at = pem.size() - 80;  // in the signature
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  ASSERT_TRUE(WriteFileAtomically(Path("st-mary.csr"), pem).ok());
  EXPECT_EQ(Run("show st-mary.csr"), 0);
  EXPECT_THAT(output_, HasSubstr("BROKEN"));
  EXPECT_EQ(Sign("st-mary", "--name st-mary --role site"), 1);
  EXPECT_THAT(output_, HasSubstr("st-mary.csr: the request is not signed"));
  EXPECT_EQ(NumIssued(), 0);
}

TEST_F(CertsProgramTest, AnAuthoritysKeyThatOthersReadSignsNothing) {
  ASSERT_EQ(chmod(Path("authority/ca.key").c_str(), 0640), 0);
  EXPECT_EQ(Sign("st-mary", "--name st-mary --role site"), 1);
  EXPECT_THAT(output_, HasSubstr("chmod 600 authority/ca.key"));
  EXPECT_THAT(output_, Not(HasSubstr("Signed")));
}

}  // namespace
}  // namespace hilum
