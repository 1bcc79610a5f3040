// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

class TransportsTest : public EndToEndTest {
 protected:
  void Simulate(const std::string& out, const std::string& transport,
                const std::string& order,
                const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = absl::StrSplit(
        absl::StrCat(Program("hilum-sim"), " run ", Path("study.yaml"),
                     " --data ", Path("data/manifest.csv"),
                     " --sites 3 --seed 7 --transport ", transport,
                     " --start-order ", order, " --out ", Path(out)),
        ' ');
    command.insert(command.end(), more.begin(), more.end());
    const Outcome run = Run(command);
    ASSERT_EQ(run.exit_status, 0) << run.output;
  }
};

TEST_F(TransportsTest, TransportAndStartOrderDoNotChangeABit) {
  MakeDataAndStudy();
  Simulate("here", "inprocess", "site-a,site-b,site-c");
  Simulate("wire", "grpc", "site-a,site-b,site-c");
  Simulate("late", "grpc", "site-c,site-a,site-b");
  std::vector<std::string> files = {"report.json", "report.html"};
  for (const char* arm : {"segmented", "whole"}) {
    for (const char* track : {"fold-1", "fold-2", "final"}) {
      files.push_back(absl::StrCat("model/", arm, "-", track, ".safetensors"));
    }
  }
  for (const char* site : {"site-a", "site-b", "site-c"}) {
    files.push_back(absl::StrCat(ResultsOf("here", site).substr(5),
                                 "/predictions-site-", site, ".csv"));
  }
  for (const std::string& file : files) {
    const std::string here = Text(absl::StrCat("here/", file));
    ASSERT_FALSE(here.empty()) << file;
    EXPECT_TRUE(here == Text(absl::StrCat("wire/", file))) << file;
    EXPECT_TRUE(here == Text(absl::StrCat("late/", file))) << file;
  }
  EXPECT_EQ(MissingKeys(nlohmann::json::parse(Text("here/report.json"), nullptr,
                                              false)),
            "");
}

TEST_F(TransportsTest, BaselinesFollowEitherTransportWithTheSameBits) {
  MakeDataAndStudy();
  Simulate("here", "inprocess", "site-a,site-b,site-c",
           {"--baselines", "--arm", "whole"});
  Simulate("wire", "grpc", "site-b,site-a,site-c",
           {"--baselines", "--arm", "whole"});
  const std::string predictions = absl::StrCat(
      ResultsOf("here", "site-a").substr(5), "/predictions-site-site-a.csv");
  for (const std::string& file :
       {std::string("report.json"), std::string("report.html"), predictions}) {
    const std::string here = Text(absl::StrCat("here/", file));
    ASSERT_NE(here.find("entralized"), std::string::npos) << file;
    EXPECT_TRUE(here == Text(absl::StrCat("wire/", file))) << file;
  }
}

}  // namespace
}  // namespace hilum
