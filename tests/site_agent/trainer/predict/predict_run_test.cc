// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predict_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_split.h"
#include "common/base/csv.h"
#include "site_agent/trainer/torch_trainer.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"
#include "tests/site_agent/trainer/case_store_maker.h"
#include "tests/site_agent/trainer/predict/saved_model.h"
#include "tests/site_agent/trainer/tiny_site.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

using Row = std::map<std::string, std::string>;  // cells by column

std::vector<Row> RowsOf(const std::string& csv) {
  const std::vector<CsvRecord> records = ParseCsv(csv).value();
  std::vector<Row> rows;
  for (size_t r = 1; r < records.size(); ++r) {
    Row& row = rows.emplace_back();
    for (size_t c = 0; c < records[0].size(); ++c) {
      row[records[0][c]] = records[r][c];
    }
  }
  return rows;
}

// Twelve cases in manifest.csv.
class PredictRunTest : public TinySiteTest {
 protected:
  PredictRunTest() : TinySiteTest(12, 3) {
    SaveModel(Path("a.safetensors"), 1);
    SaveModel(Path("b.safetensors"), 2);
    options_.models = {Path("a.safetensors")};
    options_.data = {Path("manifest.csv")};
    options_.out = Path("out.csv");
  }

  absl::Status Run() {
    out_.str("");
    return Predict(options_, out_, errors_);
  }
  std::string Error() { return std::string(Run().message()); }
  std::string Written() const { return ReadFile(options_.out).value_or(""); }
  // Runs anew, with the options as they are.
  std::vector<Row> Predicted() {
    options_.force = true;
    const absl::Status status = Run();
    EXPECT_TRUE(status.ok()) << status;
    return RowsOf(Written());
  }

  PredictOptions options_;
  std::ostringstream out_, errors_;
};

TEST_F(PredictRunTest, ScoresAreThoseOfTheSitesEvaluation) {
  TakeStudy();
  // Replaces the models of the study by lively ones, another for each track.
  const Architecture small =
      LookUpArchitecture({.name = "hilum_small", .classes = 2}).value();
  std::vector<float> global;
  for (uint64_t track = 0; track < 4; ++track) {
    const std::vector<float> values = LivelyWeights(small, track);
    global.insert(global.end(), values.begin(), values.end());
    SaveModel(Path(absl::StrCat("track-", track, ".safetensors")), track);
  }
  ASSERT_TRUE(WriteFileAtomically(Path("global"), BlobBytes(global)).ok());
  TorchTrainer trainer;
  ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
  v1::EvaluateRequest evaluate;
  evaluate.set_global_path(Path("global"));
  evaluate.set_frozen_path(Path("frozen"));
  evaluate.set_predictions_path(Path("evaluated.csv"));
  ASSERT_TRUE(trainer.Evaluate(evaluate).ok());
  const std::vector<Row> evaluated =
      RowsOf(ReadFile(Path("evaluated.csv")).value());
  ASSERT_THAT(evaluated, SizeIs(12));
  const std::vector<Track> tracks = StudyTracks(study_);
  int compared = 0;
  for (size_t t = 0; t < tracks.size(); ++t) {
    options_.models = {Path(absl::StrCat("track-", t, ".safetensors"))};
    const std::vector<Row> predicted = Predicted();
    ASSERT_THAT(predicted, SizeIs(12));
    for (const Row& one : evaluated) {
      if (one.at("track") != TrackName(tracks[t])) continue;
      for (const Row& row : predicted) {
        if (row.at("file") != one.at("case")) continue;
        EXPECT_EQ(row.at("score_sick"), one.at("score_sick"));
        EXPECT_EQ(row.at("score_well"), one.at("score_well"));
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 12);
}

TEST_F(PredictRunTest, SeveralModelsGiveTheMeanOfTheirProbabilities) {
  options_.models = {Path("a.safetensors"), Path("b.safetensors")};
  options_.each_model = true;
  for (const Row& row : Predicted()) {
    const double a = std::atof(row.at("score_sick_a").c_str());
    const double b = std::atof(row.at("score_sick_b").c_str());
    const double mean = std::atof(row.at("score_sick").c_str());
    EXPECT_NEAR(mean, (a + b) / 2, 1e-8);
    EXPECT_NE(a, b);
    EXPECT_EQ(row.at("predicted"), mean > 0.5 ? "sick" : "well");
  }
  options_.models = {Path("b.safetensors")};
  options_.each_model = false;
  EXPECT_FALSE(Predicted()[0].contains("score_sick_b"));
}

TEST_F(PredictRunTest, ModelsThatDifferAreRefusedByName) {
  options_.models.push_back(Path("other.safetensors"));
  const auto with = [&](const std::string& key, const std::string& value) {
    WeightsMetadata said = SaidOfWhole();
    said[key] = value;
    SaveModel(Path("other.safetensors"), 3, said);
    return Error();
  };
  EXPECT_THAT(with("classes", "well,sick"),
              AllOf(HasSubstr(Path("other.safetensors")),
                    HasSubstr("its classes are well, sick, not sick, well"),
                    HasSubstr(Path("a.safetensors"))));
  EXPECT_THAT(with("input_size", "64"), HasSubstr("input size is 64, not 32"));
  EXPECT_THAT(with("arm", "segmented"), HasSubstr("segmented, not whole"));
  options_.models = {Path("a.safetensors"), Path("a.safetensors")};
  EXPECT_THAT(Error(), HasSubstr("the same file as"));
}

TEST_F(PredictRunTest, MissingFactsAreNamedWithTheirOption) {
  WeightsMetadata said = SaidOfWhole();
  said.erase("arm");
  SaveModel(Path("a.safetensors"), 1, said);
  EXPECT_THAT(Error(), HasSubstr("give --arm"));
  options_.arm = "whole";
  EXPECT_TRUE(Run().ok());
  SaveModel(Path("a.safetensors"), 1, {});
  EXPECT_THAT(Error(), HasSubstr("exists"));
  options_.force = true;
  EXPECT_THAT(Error(), HasSubstr("--classes"));
}

TEST_F(PredictRunTest, AnotherArmThanTheFilesIsWarnedOf) {
  WeightsMetadata said = SaidOfWhole();
  said["arm"] = "segmented";
  SaveModel(Path("a.safetensors"), 1, said);
  options_.arm = "whole";
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(errors_.str(),
              HasSubstr("trained on images of the arm segmented"));
}

TEST_F(PredictRunTest, CasesThatCannotBeReadAreCountedAndTheOthersGoOn) {
  ASSERT_TRUE(WriteFileAtomically(Path("bad.png"), "no image").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("cases.csv"),
                                  "file\n0.png\nbad.png\nabsent.png\n1.png\n")
                  .ok());
  options_.data = {Path("cases.csv")};
  const absl::Status status = Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("2 of 4 cases could not be read"));
  EXPECT_THAT(out_.str(),
              HasSubstr("4 cases: 2 predicted, 2 without an answer: 2 "
                        "unreadable"));
  const std::vector<Row> rows = RowsOf(Written());
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_NE(rows[0].at("predicted"), "");
  EXPECT_EQ(rows[1].at("predicted"), "");
  EXPECT_EQ(rows[1].at("score_sick"), "");
  EXPECT_THAT(rows[1].at("abstained"), HasSubstr("unreadable: neither a PNG"));
  EXPECT_NE(rows[3].at("predicted"), "");
}

TEST_F(PredictRunTest, NoPatientsNameIsWritten) {
  const auto write = [this](const std::string& name, const std::string& part) {
    const std::string file = SmallChest()
                                 .Text(0x00080018, "UI", "1.2.3.4")
                                 .Text(0x00100010, "PN", "Doe^Jane")
                                 .Text(0x00100020, "LO", "Doe-77")
                                 .Text(0x00180015, "CS", part)
                                 .File();
    EXPECT_TRUE(WriteFileAtomically(Path(name), file).ok());
    return Path(name);
  };
  options_.data = {write("chest.dcm", "CHEST"), write("doe.dcm", "DOE ARM")};
  for (const char* out : {"named.csv", "named.jsonl"}) {
    options_.out = Path(out);
    ASSERT_TRUE(Run().ok());
    EXPECT_THAT(Written(), AllOf(HasSubstr("1.2.3.4"),
                                 HasSubstr("no frontal chest radiograph"),
                                 Not(HasSubstr("Doe")), Not(HasSubstr("DOE"))));
  }
}

TEST_F(PredictRunTest, AnOlderFileIsKeptUnlessForced) {
  ASSERT_TRUE(WriteFileAtomically(options_.out, "mine").ok());
  EXPECT_EQ(Run().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Written(), "mine");
  // A run that fails keeps it, too, and leaves nothing beside it.
  options_.force = true;
  options_.data = {Path("absent.csv")};
  EXPECT_FALSE(Run().ok());
  EXPECT_EQ(Written(), "mine");
  EXPECT_FALSE(FileExists(options_.out + ".part"));
}

TEST_F(PredictRunTest, NothingIsPredictedWhereNothingCanBeWritten) {
  options_.out = Path("absent/out.csv");
  EXPECT_THAT(Error(), HasSubstr("absent/out.csv.part"));
  options_.out = "/proc/out.csv";
  EXPECT_FALSE(Run().ok());
  options_.out = Path("out.xlsx");
  EXPECT_THAT(Error(), HasSubstr("name it .csv or .jsonl"));
}

TEST_F(PredictRunTest, AnEmptyManifestIsNamed) {
  ASSERT_TRUE(WriteFileAtomically(Path("none.csv"), "file,label\n").ok());
  options_.data = {Path("none.csv")};
  EXPECT_THAT(Error(), AllOf(HasSubstr("none.csv"), HasSubstr("no case")));
  EXPECT_FALSE(FileExists(options_.out));
}

TEST_F(PredictRunTest, TheFileIsForItsOwnerAlone) {
  ASSERT_TRUE(Run().ok());
  struct stat info;
  ASSERT_EQ(stat(options_.out.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(PredictRunTest, ThreadsChangeNoBit) {
  ASSERT_TRUE(Run().ok());
  const std::string one = Written();
  options_.threads = 4;
  options_.force = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Written(), one);
}

TEST_F(PredictRunTest, ViewsAreAveragedAndTheSameEachTime) {
  const double plain = std::atof(Predicted()[1].at("score_sick").c_str());
  options_.views = 4;
  const std::string first = Predicted()[1].at("score_sick");
  EXPECT_EQ(Predicted()[1].at("score_sick"), first);
  EXPECT_NE(std::atof(first.c_str()), plain);
  EXPECT_NEAR(std::atof(first.c_str()), plain, 0.3);
}

TEST_F(PredictRunTest, JsonLinesSayTheSame) {
  const std::vector<Row> rows = Predicted();
  options_.out = Path("out.jsonl");
  ASSERT_TRUE(Run().ok());
  const std::string text = Written();
  std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(rows.size()));
  const auto json = nlohmann::json::parse(lines[3]);
  EXPECT_EQ(json["case"], rows[3].at("case"));
  EXPECT_EQ(json["predicted"], rows[3].at("predicted"));
  EXPECT_TRUE(json["abstained"].is_null());
  EXPECT_NEAR(json["scores"]["sick"].get<double>(),
              std::atof(rows[3].at("score_sick").c_str()), 1e-8);
}

TEST_F(PredictRunTest, AStoresQuarantinedCasesHaveNoAnswer) {
  MakeCaseStore(Path("store"),
                {{"0123456789abcdef", false}, {"fedcba9876543210", true}});
  ASSERT_TRUE(WriteFileAtomically(Path("store/quarantine.csv"),
                                  "id,what,reason,file\n0123456789abcdef,case,"
                                  "it looks mirrored,x\n")
                  .ok());
  options_.data = {Path("store")};
  const std::vector<Row> rows = Predicted();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].at("case"), "0123456789abcdef");
  EXPECT_EQ(rows[0].at("abstained"),
            "quarantined in the store: it looks mirrored");
  EXPECT_NE(rows[1].at("predicted"), "");
  options_.every_case = true;
  EXPECT_NE(Predicted()[0].at("predicted"), "");
}

}  // namespace
}  // namespace hilum
