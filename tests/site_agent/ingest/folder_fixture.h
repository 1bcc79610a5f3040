// SPDX-License-Identifier: Apache-2.0
// A folder of films and a case store, for tests.
#ifndef HILUM_TESTS_SITE_AGENT_INGEST_FOLDER_FIXTURE_H_
#define HILUM_TESTS_SITE_AGENT_INGEST_FOLDER_FIXTURE_H_

#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/crypto/secure_rng.h"
#include "gtest/gtest.h"
#include "site_agent/ingest/folder.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {

namespace fs = std::filesystem;

// Makes a chest film with pixels of its own: `seed` in each of 40 rows and 30
// columns.
inline DicomMaker Film(int seed, absl::string_view patient) {
  std::vector<int> words;
  for (int i = 0; i < 40 * 30; ++i) words.push_back((i * seed + i / 7) % 4096);
  DicomMaker maker = SmallChest();
  maker.Text(0x00080018, "UI", absl::StrCat("1.2.3.", seed))
      .Text(0x00080050, "SH", absl::StrCat("ACC", seed))
      .Text(0x0020000d, "UI", absl::StrCat("1.2.9.", seed))
      .Text(0x00100020, "LO", patient)
      .Words(0x00280010, "US", {40})
      .Words(0x00280011, "US", {30})
      .Words(kPixelDataTag, "OW", words);
  return maker;
}

class FolderTest : public testing::Test {
 protected:
  FolderTest()
      : root_(absl::StrCat(
            testing::TempDir(), "/folder_test_", getpid(), "_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(root_);
    fs::create_directories(absl::StrCat(root_, "/in"));
    root_ = fs::canonical(root_);
    options_ = {.folder = absl::StrCat(root_, "/in"),
                .store = absl::StrCat(root_, "/store"),
                .threads = 2};
  }
  ~FolderTest() override { fs::remove_all(root_); }

  std::string Put(const std::string& name, const std::string& bytes) {
    const std::string path = absl::StrCat(root_, "/", name);
    fs::create_directories(fs::path(path).parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }
  absl::Status Ingest() {
    std::ostringstream progress;
    said_.str("");
    return IngestFolder(options_, said_, progress, RealClock(),
                        RealSecureRng());
  }
  std::string Stored(const std::string& name) {
    return ReadFile(absl::StrCat(options_.store, "/", name)).value_or("");
  }
  // Returns the reasons by file, relative to in/.
  std::map<std::string, std::string> Reasons() {
    std::map<std::string, std::string> reasons;
    auto records = ParseCsv(Stored("quarantine.csv"));
    for (size_t i = 1; records.ok() && i < records->size(); ++i) {
      const auto& record = (*records)[i];
      reasons[fs::path(record[3]).lexically_relative(options_.folder)] =
          record[2];
    }
    return reasons;
  }
  std::vector<std::vector<std::string>> Cases() {
    auto records = ParseCsv(Stored("cases.csv"));
    if (!records.ok() || records->empty()) return {};
    return {records->begin() + 1, records->end()};
  }
  std::string Only() { return Cases().at(0).at(0).substr(2); }

  std::string root_;
  FolderOptions options_;
  std::ostringstream said_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_INGEST_FOLDER_FIXTURE_H_
