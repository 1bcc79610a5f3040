// SPDX-License-Identifier: Apache-2.0
// The officer's commands, typed to the program itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "sim/child_process.h"
#include "site_agent/gateway/approvals.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class StudyCommandTest : public testing::Test {
 protected:
  StudyCommandTest() {
    const absl::Time now = RealClock().Now();
    const Authority authority = MakeAuthority("test", now).value();
    const Request request = MakeRequest({.site = "a"}).value();
    certificate_ = SignRequest(authority, request.request_pem, 30, now).value();
    Write("a.crt", certificate_);
    Write("site.yaml", Config(""));
  }
  ~StudyCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(Path(name), text).ok());
  }
  static std::string Config(const std::string& policy) {
    return absl::StrCat(
        "coordinator: 127.0.0.1:1\nstate_dir: .\nmanifest: m.csv\n"
        "tls: {authority: ca.crt, certificate: a.crt, private_key: a.key}\n",
        policy);
  }

  // Returns a study with random weights and pinned keys.
  v1::Study StudyNamed(const std::string& name,
                       const std::vector<std::string>& sites) const {
    v1::Study study;
    study.set_name(name);
    for (const char* label : {"sick", "well"}) study.add_classes(label);
    for (const std::string& site : sites) study.add_sites(site);
    study.mutable_cross_validation()->set_folds(2);
    FillStudyDefaults(study);
    study.set_initial_weights_sha256(Sha256Of(BlobBytes(
        InitialWeights(StudyLayout(study)->architecture, study.seed()))));
    for (const std::string& site : study.sites()) {
      study.add_site_keys(site == "a" ? KeyDigest(certificate_)
                                      : Sha256Of(site));
    }
    return study;
  }
  // Offers the study. Returns its hash, raw.
  std::string Offer(const v1::Study& study) const {
    const std::string bytes = SerializeStudy(study), hash = Sha256Of(bytes);
    EXPECT_TRUE(approvals_.PutOffer(hash, bytes).ok());
    return hash;
  }

  struct Said {
    int exit_status = -1;
    std::string text;  // both streams
  };
  Said Run(const std::string& program,
           const std::vector<std::string>& words) const {
    const std::string log = Path("said");
    std::filesystem::remove(log);
    std::vector<std::string> command = {
        absl::StrCat(HILUM_BIN_DIR "/", program), "study"};
    command.insert(command.end(), words.begin(), words.end());
    auto child = ChildProcess::Start(command, log);
    if (!child.ok()) return {-1, std::string(child.status().message())};
    return {child->Wait(absl::Minutes(1)).value_or(-1),
            ReadFile(log).value_or("")};
  }
  Said Site(const std::string& verb,
            std::vector<std::string> words = {}) const {
    words.insert(words.begin(), {verb, "--config", Path("site.yaml")});
    return Run("hilum-site", words);
  }

  // Returns what the program says on a terminal on which `answer` is typed.
  Said AtTerminal(const std::string& verb, const std::string& answer) const {
    int terminal = -1;
    const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid == 0) {
      execl(HILUM_BIN_DIR "/hilum-site", "hilum-site", "study", verb.c_str(),
            "--config", Path("site.yaml").c_str(), nullptr);
      _exit(127);
    }
    const ScopedFd owned(terminal);
    Said said;
    EXPECT_EQ(write(terminal, answer.data(), answer.size()),
              static_cast<ssize_t>(answer.size()));
    char buffer[4096];
    for (;;) {  // until the program has closed its end
      const ssize_t got = read(terminal, buffer, sizeof buffer);
      if (got <= 0) break;
      said.text.append(buffer, static_cast<size_t>(got));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    said.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return said;
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/officer-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  const Approvals approvals_ = Approvals::Open(folder_).value();
  std::string certificate_;
};

TEST_F(StudyCommandTest, AStudyWithoutRisksIsApprovedByItsHashAlone) {
  const v1::Study study = StudyNamed("lungs", {"a", "b", "c"});
  const std::string hash = Offer(study);
  const Said said = Site("approve", {ToHex(hash).substr(0, 12)});
  EXPECT_EQ(said.exit_status, 0) << said.text;
  EXPECT_TRUE(approvals_.Approved().contains(hash));
  EXPECT_EQ(approvals_.Accepted(hash)->weights_sha256,
            study.initial_weights_sha256());
}

// A decision cannot be taken back.
TEST_F(StudyCommandTest, WithoutAHashATerminalIsAskedAndNobodyElseDecides) {
  const std::string hash = Offer(StudyNamed("lungs", {"a", "b", "c"}));
  const std::string candidate = absl::StrCat(ToHex(hash), "  lungs");
  for (const char* verb : {"approve", "refuse"}) {
    const Said script = Site(verb);
    EXPECT_EQ(script.exit_status, 2);
    EXPECT_THAT(script.text,
                AllOf(HasSubstr("give its hash"), HasSubstr(candidate)));
    for (const char* no : {"n\n", "\n", "maybe\n"}) {
      const Said said = AtTerminal(verb, no);
      EXPECT_EQ(said.exit_status, 1) << no;
      EXPECT_THAT(said.text,
                  AllOf(HasSubstr(candidate), HasSubstr("this study? [y/N]"),
                        HasSubstr("nothing was decided")));
    }
  }
  EXPECT_TRUE(approvals_.EverApproved().empty());
  EXPECT_TRUE(approvals_.Refused().empty());
  const Said yes = AtTerminal("approve", "y\n");
  EXPECT_EQ(yes.exit_status, 0) << yes.text;
  EXPECT_TRUE(approvals_.Approved().contains(hash));
  EXPECT_THAT(approvals_.DecidedBy(hash, false), HasSubstr("user "));
  // No study is undecided any more; the program says how they were decided.
  EXPECT_THAT(AtTerminal("refuse", "y\n").text,
              AllOf(HasSubstr("no study is undecided"),
                    HasSubstr(absl::StrCat(candidate, "  approved"))));
}

TEST_F(StudyCommandTest, WithoutTheNeededYesNothingIsApproved) {
  const std::string hash = Offer(StudyNamed("two", {"a", "b"}));
  const std::string command =
      absl::StrCat("hilum-site study approve --config ", Path("site.yaml"), " ",
                   ToHex(hash).substr(0, 12), " --accept visible_updates");
  const Said refused = Site("approve");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.text,
              AllOf(HasSubstr("visible_updates: the study has no "
                              "secure aggregation"),
                    HasSubstr("with two sites b can too"), HasSubstr(command)));
  EXPECT_TRUE(approvals_.EverApproved().empty());
  EXPECT_THAT(Site("show").text, HasSubstr(command));
  EXPECT_EQ(Site("approve", {"--accept", "weak_policy"}).exit_status, 1);
  EXPECT_THAT(Site("approve", {"--accept", "visible"}).text,
              HasSubstr("'visible' names no risk; there are"));
  const Said yes =
      Site("approve", {"--accept", "weak_policy,visible_updates", ToHex(hash)});
  EXPECT_EQ(yes.exit_status, 0) << yes.text;
  EXPECT_THAT(approvals_.Accepted(hash)->risks,
              ElementsAre("visible_updates", "weak_policy"));
}

TEST_F(StudyCommandTest, UnknownWeightsAreAcceptedByTheirDigestOnly) {
  v1::Study study = StudyNamed("lungs", {"a", "b", "c"});
  study.set_initial_weights_sha256(std::string(32, '\x77'));
  const std::string digest = ToHex(study.initial_weights_sha256());
  const std::string hash = Offer(study);
  const Said refused = Site("approve");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.text, HasSubstr(absl::StrCat("--weights ", digest)));
  EXPECT_EQ(
      Site("approve", {"--weights", std::string(64, '7').replace(0, 1, "8")})
          .exit_status,
      1);
  EXPECT_TRUE(approvals_.EverApproved().empty());
  EXPECT_EQ(Site("approve", {"--weights", digest, ToHex(hash)}).exit_status, 0);
  EXPECT_EQ(approvals_.Accepted(hash)->weights_sha256,
            study.initial_weights_sha256());
}

TEST_F(StudyCommandTest, OfSeveralUndecidedStudiesTheHashIsWanted) {
  const std::string one = Offer(StudyNamed("one", {"a", "b", "c"}));
  const std::string two = Offer(StudyNamed("two", {"a", "b", "c"}));
  for (const char* verb : {"approve", "refuse"}) {
    const Said said = Site(verb);
    EXPECT_EQ(said.exit_status, 1);
    EXPECT_THAT(said.text, AllOf(HasSubstr(absl::StrCat(ToHex(one), "  one")),
                                 HasSubstr(absl::StrCat(ToHex(two), "  two"))));
  }
  EXPECT_TRUE(approvals_.EverApproved().empty());
  EXPECT_TRUE(approvals_.Refused().empty());
  EXPECT_EQ(Site("refuse", {ToHex(one).substr(0, 16)}).exit_status, 0);
  EXPECT_EQ(Site("approve", {ToHex(two)}).exit_status, 0);
  EXPECT_THAT(approvals_.Approved(), ElementsAre(two));
}

TEST_F(StudyCommandTest, NamesAndAnyNumberOfDigitsNameAStudy) {
  const std::string one = Offer(StudyNamed("one", {"a", "b", "c"}));
  const std::string two = Offer(StudyNamed("two", {"a", "b", "c"}));
  EXPECT_EQ(Site("approve", {"one"}).exit_status, 0);
  EXPECT_THAT(approvals_.Approved(), ElementsAre(one));
  // An odd number of digits, in capitals.
  EXPECT_EQ(Site("refuse", {absl::AsciiStrToUpper(ToHex(two).substr(0, 9))})
                .exit_status,
            0);
  EXPECT_TRUE(approvals_.Refused().contains(two));
  EXPECT_THAT(Site("show", {"one"}).text,
              AllOf(HasSubstr("Study one"), Not(HasSubstr("Study two"))));
  const Said unknown = Site("show", {"three"});
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_THAT(unknown.text, HasSubstr("no study here is called 'three'"));
}

TEST_F(StudyCommandTest, AnAmbiguousNameListsTheCandidates) {
  const std::string first = Offer(StudyNamed("lungs", {"a", "b", "c"}));
  const std::string second = Offer(StudyNamed("lungs", {"a", "b", "d"}));
  const Said said = Site("approve", {"lungs"});
  EXPECT_EQ(said.exit_status, 1);
  EXPECT_THAT(said.text,
              AllOf(HasSubstr(ToHex(first)), HasSubstr(ToHex(second))));
  EXPECT_TRUE(approvals_.EverApproved().empty());
}

TEST_F(StudyCommandTest, WrongValuesAreWrongUsage) {
  Offer(StudyNamed("lungs", {"a", "b", "c"}));
  EXPECT_EQ(Site("show", {"No hash!"}).exit_status, 2);
  EXPECT_EQ(Site("approve", {"--accept", "visible"}).exit_status, 2);
  EXPECT_EQ(Site("approve", {"--weights", "12"}).exit_status, 2);
  EXPECT_TRUE(approvals_.EverApproved().empty());
}

TEST_F(StudyCommandTest, ShowWritesOneJsonObjectALine) {
  const std::string hash = Offer(StudyNamed("two", {"a", "b"}));
  const std::string garbage = "\x1b[2J no study";
  ASSERT_TRUE(approvals_.PutOffer(Sha256Of(garbage), garbage).ok());
  const Said said = Site("show", {"--json"});
  ASSERT_EQ(said.exit_status, 0) << said.text;
  std::map<std::string, nlohmann::json> shown;
  for (absl::string_view line :
       absl::StrSplit(said.text, '\n', absl::SkipEmpty())) {
    const auto json = nlohmann::json::parse(line);
    shown[json["hash"]] = json;
  }
  ASSERT_EQ(shown.size(), 2u);
  const nlohmann::json& two = shown[ToHex(hash)];
  EXPECT_EQ(two["name"], "two");
  EXPECT_EQ(two["state"], "waiting for you");
  EXPECT_EQ(two["sites"], nlohmann::json({"a", "b"}));
  EXPECT_EQ(two["risks"][0]["accepted"], false);
  EXPECT_EQ(two["conflicts"], nlohmann::json::array());
  EXPECT_TRUE(shown[ToHex(Sha256Of(garbage))].contains("error"));
}

TEST_F(StudyCommandTest, ARefusalHoldsAndSaysWhatToDo) {
  const std::string hash = Offer(StudyNamed("lungs", {"a", "b", "c"}));
  ASSERT_EQ(Site("refuse", {ToHex(hash)}).exit_status, 0);
  const Said said = Site("approve", {ToHex(hash)});
  EXPECT_EQ(said.exit_status, 1);
  EXPECT_THAT(said.text, AllOf(HasSubstr("the refusal holds"),
                               HasSubstr("submit it again")));
  EXPECT_THAT(Site("approve").text,
              HasSubstr(absl::StrCat(ToHex(hash), "  lungs  refused")));
  EXPECT_TRUE(approvals_.Refused().contains(hash));
  EXPECT_THAT(approvals_.DecidedBy(hash, true), HasSubstr("user "));
}

TEST_F(StudyCommandTest, AStudyAgainstThePolicyIsSaidToBeSoAndNotApproved) {
  Offer(StudyNamed("lungs", {"a", "b", "c"}));
  Write("site.yaml", Config("policy: {architectures: [vgg16]}\n"));
  EXPECT_THAT(Site("show").text,
              HasSubstr("- policy.architectures does not list hilum_small"));
  const Said said = Site("approve");
  EXPECT_EQ(said.exit_status, 1);
  EXPECT_THAT(said.text, HasSubstr("policy.architectures does not list"));
  EXPECT_TRUE(approvals_.EverApproved().empty());
}

TEST_F(StudyCommandTest, AnotherKeyForThisSiteIsSaidToBeSoAndNotApproved) {
  v1::Study study = StudyNamed("lungs", {"a", "b", "c"});
  study.set_site_keys(0, std::string(32, 'z'));
  Offer(study);
  const Said said = Site("approve");
  EXPECT_EQ(said.exit_status, 1);
  EXPECT_THAT(said.text, HasSubstr("site a shows the key"));
}

TEST_F(StudyCommandTest, BrokenOffersDoNotHideTheOthers) {
  const std::string garbage = "\x1b[2J no study";
  ASSERT_TRUE(approvals_.PutOffer(Sha256Of(garbage), garbage).ok());
  v1::Study strange = StudyNamed("strange", {"a", "b", "c"});
  strange.mutable_model()->set_architecture("\x1b[2J");
  Offer(strange);
  const std::string good = Offer(StudyNamed("good", {"a", "b", "c"}));
  const std::string changed = Offer(StudyNamed("changed", {"a", "b", "c"}));
  Write(absl::StrCat("studies/", ToHex(changed), ".study"), "changed");
  const Said said = Site("show");
  EXPECT_EQ(said.exit_status, 0);
  EXPECT_THAT(said.text, AllOf(HasSubstr("Study good, waiting for you"),
                               HasSubstr(ToHex(Sha256Of(garbage))),
                               HasSubstr("changed since it was offered"),
                               Not(HasSubstr("\x1b"))));
  EXPECT_EQ(Site("approve", {ToHex(good)}).exit_status, 0);
  EXPECT_EQ(Site("approve", {ToHex(Sha256Of(garbage))}).exit_status, 1);
  EXPECT_EQ(Site("refuse", {ToHex(Sha256Of(garbage))}).exit_status, 0);
}

TEST_F(StudyCommandTest, AnApprovedStudyTakesAnotherYesLater) {
  const std::string hash = Offer(StudyNamed("lungs", {"a", "b", "c"}));
  ASSERT_EQ(Site("approve", {ToHex(hash)}).exit_status, 0);
  ASSERT_EQ(Site("approve", {ToHex(hash), "--accept", "patients_inferable"})
                .exit_status,
            0);
  EXPECT_THAT(approvals_.Accepted(hash)->risks,
              ElementsAre("patients_inferable"));
}

// How the coordinator submits a study with pinned keys.
TEST_F(StudyCommandTest, ASecureStudyIsNotSubmittedWithoutKeysByOversight) {
  Write("coordinator.yaml",
        "listen: 127.0.0.1:0\nstate_dir: state\n"
        "tls: {authority: ca.crt, certificate: c.crt, private_key: c.key}\n");
  Write("three.yaml", "name: three\nclasses: [x, y]\nsites: [a, b, c]\n");
  Write("two.yaml", "name: two\nclasses: [x, y]\nsites: [a, b]\n");
  auto submit = [&](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"submit", "--config", Path("coordinator.yaml")});
    return Run("hilum-coordinator", words).text;
  };
  EXPECT_THAT(
      submit({Path("three.yaml")}),
      AllOf(HasSubstr("--certificates FOLDER"), HasSubstr("--unpinned")));
  // These commands get as far as the call to a coordinator, but there is none.
  const auto no_coordinator = HasSubstr("no coordinator answers");
  EXPECT_THAT(submit({Path("three.yaml"), "--unpinned"}), no_coordinator);
  EXPECT_THAT(submit({Path("two.yaml")}), no_coordinator);
  EXPECT_THAT(submit({Path("three.yaml"), "--certificates", Path("a.crt"),
                      Path("a.crt")}),
              no_coordinator);
  EXPECT_THAT(submit({"--certificates", folder_, Path("three.yaml")}),
              no_coordinator);
}

TEST_F(StudyCommandTest, AStudyOfFewStepsIsNotSubmittedByOversight) {
  Write("coordinator.yaml",
        "listen: 127.0.0.1:0\nstate_dir: state\n"
        "tls: {authority: ca.crt, certificate: c.crt, private_key: c.key}\n");
  const std::string study = "name: s\nclasses: [x, y]\nsites: [a, b, c]\n";
  Write("few.yaml", study + "training: {local_steps: 1, batch_size: 31}\n");
  Write("enough.yaml", study + "training: {local_steps: 1, batch_size: 32}\n");
  auto submit = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"submit", "--unpinned", "--config",
                                 Path("coordinator.yaml")});
    return Run("hilum-coordinator", words).text;
  };
  EXPECT_THAT(
      submit({Path("few.yaml")}),
      AllOf(HasSubstr("training.batch_size: 32"), HasSubstr("--few-steps")));
  const auto no_coordinator = HasSubstr("no coordinator answers");
  EXPECT_THAT(submit({Path("few.yaml"), "--few-steps"}), no_coordinator);
  EXPECT_THAT(submit({Path("enough.yaml")}), no_coordinator);
}

}  // namespace
}  // namespace hilum
