// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/exports.h"

#include <sys/stat.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

class ExportsTest : public FolderTest {
 protected:
  ExportsTest() {
    fs::create_directories(options_.store);
    database_ =
        CaseDatabase::Open(absl::StrCat(options_.store, "/store.db")).value();
  }

  // A case whose grays are all in one bin of the fingerprint.
  void PutCase(const std::string& id, CaseState state, int bin = 0) {
    std::string histogram(4 * kFingerprintBins, '\0');
    histogram.replace(4 * bin, 4, std::string("\x40\x42\x0f\0", 4));  // 10^6
    StoredCase stored{.id = id, .digest = "d", .state = state};
    stored.reason = state == CaseState::kQuarantined ? "drain, \"left\"" : "";
    stored.label = "covid";
    stored.patient = "p";
    stored.view = "AP";
    stored.rows = 600;
    stored.columns = 400;
    stored.has_mask = state == CaseState::kReady;
    stored.lung_millionths = stored.has_mask ? 250000 : 0;
    stored.histogram = histogram;
    ASSERT_TRUE(database_->PutCase(stored).ok());
  }

  std::unique_ptr<CaseDatabase> database_;
};

TEST_F(ExportsTest, OnlyReadyCasesAreInTheManifest) {
  PutCase("aaaaaaaaaaaaaaaa", CaseState::kReady);
  PutCase("bbbbbbbbbbbbbbbb", CaseState::kUnlabelled);
  PutCase("cccccccccccccccc", CaseState::kQuarantined);
  ASSERT_TRUE(ExportStore(*database_, options_.store).ok());
  EXPECT_EQ(Stored("cases.csv"),
            "file,label,patient_id,mask,view\n"
            ".#aaaaaaaaaaaaaaaa,covid,p,.#aaaaaaaaaaaaaaaa,AP\n");
}

TEST_F(ExportsTest, QuarantineHasCasesThenRefusedFilesWithTheirReasons) {
  PutCase("cccccccccccccccc", CaseState::kQuarantined);
  Source shows{.id = "1",
               .name = "/in/c,1.dcm",
               .stamp = {},
               .case_id = "cccccccccccccccc"};
  Source refused{.id = "2",
                 .name = "/in/a.dcm",
                 .stamp = {},
                 .refusal = Refusal::kDamaged,
                 .reason = "cut short"};
  ASSERT_TRUE(database_->PutSource(refused).ok());
  ASSERT_TRUE(database_->PutSource(shows).ok());
  EXPECT_EQ(QuarantineCsv(*database_).value(),
            "id,what,reason,file\n"
            "cccccccccccccccc,case,\"drain, \"\"left\"\"\",\"/in/c,1.dcm\"\n"
            "2,refused,cut short,/in/a.dcm\n");
  const StoreCounts counts = CountStore(*database_).value();
  EXPECT_EQ(counts.quarantined, 1);
  EXPECT_EQ(counts.refused, 1);
  EXPECT_EQ(counts.ready + counts.unlabelled, 0);
}

TEST_F(ExportsTest, TheFingerprintIsOfWhatIsNotInQuarantine) {
  PutCase("aaaaaaaaaaaaaaaa", CaseState::kReady, 16);
  PutCase("bbbbbbbbbbbbbbbb", CaseState::kUnlabelled, 16);
  PutCase("cccccccccccccccc", CaseState::kQuarantined, 63);
  ASSERT_TRUE(ExportStore(*database_, options_.store).ok());
  const auto json = nlohmann::json::parse(Stored("fingerprint.json"));
  EXPECT_EQ(json["cases"], 2);
  EXPECT_EQ(json["gray_histogram_millionths"][16], 2000000);
  EXPECT_EQ(json["gray_histogram_millionths"][63], 0);
  EXPECT_DOUBLE_EQ(json["gray_quantiles"]["50"], 16.5 / 64);
  EXPECT_EQ(json["cases_with_mask"], 1);
  EXPECT_DOUBLE_EQ(json["mean_lung_area"], 0.25);
  EXPECT_EQ(json["longer_side_cases"][1], 2);  // over 512, up to 1024
}

TEST_F(ExportsTest, AnEmptyStoreExportsNoQuantileAndNothingOfBefore) {
  PutCase("aaaaaaaaaaaaaaaa", CaseState::kReady);
  ASSERT_TRUE(ExportStore(*database_, options_.store).ok());
  PutCase("aaaaaaaaaaaaaaaa", CaseState::kQuarantined);
  ASSERT_TRUE(ExportStore(*database_, options_.store).ok());
  EXPECT_TRUE(Cases().empty());
  const auto json = nlohmann::json::parse(Stored("fingerprint.json"));
  EXPECT_EQ(json["cases"], 0);
  EXPECT_TRUE(json["gray_quantiles"].empty());
}

TEST_F(ExportsTest, FilesAreForTheirOwnerAlone) {
  ASSERT_TRUE(ExportStore(*database_, options_.store).ok());
  for (const char* name : {"cases.csv", "quarantine.csv", "fingerprint.json"}) {
    struct stat info;
    ASSERT_EQ(stat(absl::StrCat(options_.store, "/", name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

}  // namespace
}  // namespace hilum
