// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predictions_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

class PredictionsFileTest : public testing::Test {
 protected:
  PredictionsFileTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
  }
  ~PredictionsFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Written(const std::string& name, const PredictionsFormat& format,
                      const std::vector<Prediction>& predictions) const {
    const std::string path = absl::StrCat(folder_, "/", name);
    const auto file = PredictionsFile::Create(path, format).value();
    for (const Prediction& prediction : predictions) {
      EXPECT_TRUE(file->Add(prediction).ok());
    }
    EXPECT_FALSE(FileExists(path));
    EXPECT_TRUE(file->Finish().ok());
    EXPECT_FALSE(FileExists(path + ".part"));
    return ReadFile(path).value();
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/predictions-", getpid());
  const Prediction answered_ = {.id = "0123456789abcdef",
                                .file = "a, b.dcm",
                                .sop_instance = "1.2.3",
                                .probabilities = {0.25, 0.75},
                                .of_models = {{0.25, 0.75}},
                                .abstained = ""};
  const Prediction abstained_ = {.id = "x",
                                 .file = "x",
                                 .sop_instance = "",
                                 .probabilities = {},
                                 .of_models = {},
                                 .abstained = "turned: it looks mirrored"};
};

TEST_F(PredictionsFileTest, CsvHasARowForEachCase) {
  EXPECT_EQ(Written("p.csv", {.classes = {"n", "s"}, .models = {"m"}},
                    {answered_, abstained_}),
            "case,file,sop_instance,predicted,score_n,score_s,score_n_m,"
            "score_s_m,abstained\n"
            "0123456789abcdef,\"a, b.dcm\",1.2.3,s,0.25,0.75,0.25,0.75,\n"
            "x,x,,,,,,,turned: it looks mirrored\n");
}

TEST_F(PredictionsFileTest, JsonHasAnObjectForEachCase) {
  const std::string text =
      Written("p.jsonl", {.classes = {"n", "s"}, .models = {}},
              {abstained_, answered_});
  const auto json = nlohmann::json::parse(text.substr(text.find('\n')));
  EXPECT_EQ(json["file"], "a, b.dcm");
  EXPECT_EQ(json["scores"]["s"], 0.75);
  EXPECT_TRUE(nlohmann::json::parse(text.substr(0, text.find('\n')))["scores"]
                  .is_null());
}

TEST_F(PredictionsFileTest, AnUnfinishedFileIsRemoved) {
  const std::string path = folder_ + "/p.csv";
  {
    const auto file = PredictionsFile::Create(path, {.classes = {"n", "s"}});
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->Add(answered_).ok());
  }
  EXPECT_FALSE(FileExists(path));
  EXPECT_FALSE(FileExists(path + ".part"));
}

}  // namespace
}  // namespace hilum
