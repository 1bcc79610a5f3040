// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

class DemoTest : public EndToEndTest {};

TEST_F(DemoTest, RealProcessesFinishAStudyAndLeaveEveryPromisedFile) {
  MakeDataAndStudy();
  const Outcome demo =
      Run({"/bin/sh", "-c", "umask 022 && exec \"$@\"", "sh", "/usr/bin/env",
           "HILUM_BIN=" HILUM_BIN_DIR, HILUM_SOURCE_DIR "/sim/demo.sh",
           "--data", Path("data/manifest.csv"), "--study", Path("study.yaml"),
           "--out", Path("demo")});
  ASSERT_EQ(demo.exit_status, 0) << demo.output;
  EXPECT_THAT(demo.output, HasSubstr("segmented"));
  EXPECT_THAT(demo.output, HasSubstr("report.html"));
  const auto report =
      nlohmann::json::parse(Text("demo/report.json"), nullptr, false);
  ASSERT_EQ(MissingKeys(report, /*sites=*/false), "");
  // No hospital publishes figures of its own unless its policy says so.
  for (const char* arm : {"segmented", "whole"}) {
    EXPECT_EQ(report["arms"][arm]["federated"]["sites"],
              nlohmann::json::object());
  }
  EXPECT_THAT(Text("demo/report.html"), HasSubstr("<html"));
  for (const char* arm : {"segmented", "whole"}) {
    for (const char* track : {"fold-1", "fold-2", "final"}) {
      const std::string model =
          absl::StrCat("demo/model/", arm, "-", track, ".safetensors");
      EXPECT_TRUE(FileExists(Path(model))) << model;
    }
  }
  for (const char* site : {"site-a", "site-b", "site-c"}) {
    EXPECT_THAT(Text(absl::StrCat(ResultsOf("demo", site), "/predictions-site-",
                                  site, ".csv")),
                HasSubstr("case,arm,model,track,label,score_"));
    EXPECT_THAT(Text(absl::StrCat("demo/sites/", site, "/ledger.jsonl")),
                HasSubstr(R"("detail":"masked")"));
    // Except the script's own files, which it makes before hilum-site starts.
    EXPECT_EQ(OpenToOthers(absl::StrCat("demo/sites/", site),
                           {"manifest.csv", "site.yaml", "tls"}),
              "");
  }
  EXPECT_EQ(OpenToOthers("demo/coordinator/state", {}), "");
}

TEST_F(DemoTest, AFolderThatHoldsSomethingElseIsNotTouched) {
  Write("mine.txt", "mine");
  const Outcome demo =
      Run({"/usr/bin/env", "HILUM_BIN=" HILUM_BIN_DIR,
           HILUM_SOURCE_DIR "/sim/demo.sh", "--out", Path("")});
  EXPECT_EQ(demo.exit_status, 1);
  EXPECT_THAT(demo.output, HasSubstr("holds something else"));
  EXPECT_EQ(Text("mine.txt"), "mine");
}

}  // namespace
}  // namespace hilum
