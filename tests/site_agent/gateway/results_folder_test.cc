// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/results_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::HasSubstr;

TEST(ResultsFolderTest, NameAndHashTellStudiesApart) {
  v1::Study study;
  study.set_name("lungs");
  const std::string one = Sha256Of("one"), two = Sha256Of("two");
  EXPECT_EQ(ResultsFolder("/state", study, one),
            absl::StrCat("/state/results/lungs-", ToHex(one).substr(0, 12)));
  EXPECT_NE(ResultsFolder("/state", study, one),
            ResultsFolder("/state", study, two));
  EXPECT_EQ(PredictionsPath("/f", SiteId("a")), "/f/predictions-site-a.csv");
}

// The results of a study are still there after the next study has ended, even
// if both studies have the same name.
TEST(ResultsFolderTest, NextStudyOverwritesNothingOfTheLast) {
  const std::string state = testing::TempDir() + "/results-folder";
  std::filesystem::remove_all(state);
  std::vector<std::string> folders;
  for (uint64_t seed : {1, 2}) {
    v1::Study study = SmallStudy();
    study.set_seed(seed);
    SiteAtWork site(state, study);
    std::string log;
    site.on_log = [&](absl::string_view line) {
      absl::StrAppend(&log, line, "\n");
    };
    site.coordinator.tasks = {site.MakeTask(v1::Task::PREPARE, 0),
                              site.MakeTask(v1::Task::EVALUATE, 11)};
    ASSERT_TRUE(site.Run().ok());
    folders.push_back(ResultsFolder(state, study, site.hash));
    EXPECT_THAT(log, HasSubstr(folders.back()));
    // Marks each file with the seed of the study that wrote it.
    for (const std::string& file :
         {absl::StrCat(folders.back(), "/rejected.csv"),
          PredictionsPath(folders.back(), SiteId("a"))}) {
      ASSERT_EQ(ReadFile(file).value_or(""), study.name()) << file;
      ASSERT_TRUE(WriteFileAtomically(file, absl::StrCat(seed)).ok());
    }
  }
  for (size_t i = 0; i < folders.size(); ++i) {
    EXPECT_EQ(*ReadFile(folders[i] + "/rejected.csv"), absl::StrCat(i + 1));
    EXPECT_EQ(*ReadFile(PredictionsPath(folders[i], SiteId("a"))),
              absl::StrCat(i + 1));
  }
}

}  // namespace
}  // namespace hilum
