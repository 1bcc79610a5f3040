// SPDX-License-Identifier: Apache-2.0
// Radiographs in a wrong orientation, on their way into a store and out of
// quarantine. Uses real ones from the shared set: drawn pictures do not look
// like them.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/sqlite/database.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/upright/find_orientation.h"
#include "site_agent/ingest/intake.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

const char kShared[] = HILUM_SOURCE_DIR "/../shared/pcxr/";

struct Picture {
  int rows = 0, columns = 0;
  std::vector<uint8_t> pixels;

  Picture Shown(const Turn& turn) const {
    Picture out{rows, columns,
                TurnPixels<uint8_t>(rows, columns, pixels, turn)};
    if (Transposes(turn)) std::swap(out.rows, out.columns);
    return out;
  }
  std::string Png() const { return *EncodePng8(rows, columns, pixels); }
  // Returns a chest film with a patient and, if `tag` is given, a Patient
  // Orientation.
  std::string Dicom(absl::string_view tag) const {
    DicomMaker maker = SmallChest();
    maker.Text(0x00080018, "UI", absl::StrCat("1.2.3.", pixels.size()))
        .Text(0x00100020, "LO", "P1")
        .Words(0x00280010, "US", {rows})
        .Words(0x00280011, "US", {columns})
        .Words(kPixelDataTag, "OW", [&] {
          std::vector<int> words;
          for (uint8_t v : pixels) words.push_back(v * 16);
          return words;
        }());
    if (!tag.empty()) maker.Text(0x00200020, "CS", tag);
    return maker.File();
  }
};

Picture FromFile(const std::string& path) {
  auto image = DecodeImage(ReadFile(path).value_or(""));
  EXPECT_TRUE(image.ok()) << path << ": " << image.status();
  Picture out{image->rows, image->columns, {}};
  for (float v : image->pixels) {
    out.pixels.push_back(static_cast<uint8_t>(v * 255 + 0.5f));
  }
  return out;
}

class LookTest : public FolderTest {
 protected:
  // Uses rows whose licence is not CC BY: the network was not trained on them.
  void SetUp() override {
    auto text = ReadFile(absl::StrCat(kShared, "manifest.csv"));
    if (!text.ok()) GTEST_SKIP() << "no shared images in " << kShared;
    auto rows = ParseCsv(*text);
    ASSERT_TRUE(rows.ok());
    const auto& header = rows->front();
    auto at = [&](const char* name) {
      return std::find(header.begin(), header.end(), name) - header.begin();
    };
    for (size_t i = 1; i < rows->size() && films_.size() < 12; ++i) {
      const auto& row = (*rows)[i];
      if (!absl::StrContains(row[at("licence")], "NC")) continue;
      if (row[at("mask")].empty()) continue;
      films_.push_back(FromFile(absl::StrCat(kShared, row[at("file")])));
      lungs_.push_back(FromFile(absl::StrCat(kShared, row[at("mask")])));
    }
    ASSERT_EQ(films_.size(), 12u);
  }

  void PutFilm(const std::string& name, const Picture& film) {
    Put(absl::StrCat("in/", name), film.Png());
    labels_.insert(name);
    std::string csv = "file,label,patient_id\n";
    for (const std::string& of : labels_) {
      absl::StrAppend(&csv, of, ",normal,P", of, "\n");
    }
    options_.labels = Put("labels.csv", csv);
  }
  void UseStore(absl::string_view name) {
    options_.store = absl::StrCat(root_, "/", name);
  }
  std::unique_ptr<Intake> Open() {
    auto intake = Intake::Open({.store = options_.store, .actor = "user x"},
                               RealClock(), RealSecureRng());
    EXPECT_TRUE(intake.ok()) << intake.status();
    return *std::move(intake);
  }
  std::vector<StoredCase> All() {
    auto intake = Open();
    std::vector<StoredCase> all;
    EXPECT_TRUE(intake->database()
                    .ForEachCase([&](const StoredCase& c) { all.push_back(c); })
                    .ok());
    return all;
  }

  std::vector<Picture> films_, lungs_;
  std::set<std::string> labels_;
};

struct Planes {
  int rows = 0, columns = 0, segmented_rows = 0;
  std::vector<uint16_t> whole, segmented;
  std::string lungs;
  uint32_t source_rows = 0;

  bool operator==(const Planes&) const = default;
};

Planes PlanesOf(const std::string& store, const std::string& id) {
  auto reader = CaseStoreReader::Open(store);
  EXPECT_TRUE(reader.ok()) << reader.status();
  auto record = reader->Read(id);
  EXPECT_TRUE(record.ok()) << record.status();
  return {record->whole.rows,
          record->whole.columns,
          record->segmented.rows,
          {record->whole.pixels.begin(), record->whole.pixels.end()},
          {record->segmented.pixels.begin(), record->segmented.pixels.end()},
          std::string(record->lungs),
          record->source_rows};
}

TEST_F(LookTest, TurnedFilmsAreStoppedAndUprightOnesAreReady) {
  for (size_t i = 0; i < films_.size(); ++i) {
    PutFilm(absl::StrCat("up", i, ".png"), films_[i]);
    for (int quarters = 1; quarters < 4; ++quarters) {
      PutFilm(absl::StrCat("turned", quarters, "_", i, ".png"),
              films_[i].Shown({quarters, false}));
    }
    PutFilm(absl::StrCat("flipped", i, ".png"), films_[i].Shown({2, true}));
  }
  ASSERT_TRUE(Ingest().ok()) << said_.str();
  const auto reasons = Reasons();
  int turned = 0;
  for (const auto& [name, reason] : reasons) {
    EXPECT_FALSE(absl::StartsWith(name, "up")) << name << ": " << reason;
    EXPECT_TRUE(absl::StrContains(reason, "`release --turn ")) << reason;
    turned += absl::StartsWith(name, "turned");
  }
  EXPECT_EQ(Cases().size() + reasons.size(), 60u);
  EXPECT_GE(turned, 35);  // of 36
  EXPECT_GE(reasons.size(), 46u);
  EXPECT_TRUE(absl::StrContains(reasons.at("turned1_0.png"),
                                "turned by 90 degrees clockwise"))
      << reasons.at("turned1_0.png");
}

TEST_F(LookTest, ReleasedWithItsTurnACaseIsAsIfItHadLainRight) {
  options_.masks = absl::StrCat(root_, "/masks");
  for (int quarters = 1; quarters < 4; ++quarters) {
    for (const bool mirrored : {false, true}) {
      const Turn shown{quarters, mirrored};
      fs::remove_all(options_.folder);
      UseStore(absl::StrCat("upright", IndexOf(shown)));
      PutFilm("1.png", films_[1]);
      Put("masks/1.png", lungs_[1].Png());
      ASSERT_TRUE(Ingest().ok());
      const Planes upright = PlanesOf(options_.store, Only());
      UseStore(absl::StrCat("turned", IndexOf(shown)));
      PutFilm("1.png", films_[1].Shown(shown));
      Put("masks/1.png", lungs_[1].Shown(shown).Png());
      ASSERT_TRUE(Ingest().ok());
      ASSERT_EQ(Reasons().size(), 1u) << NameOf(shown);
      const std::string id = All().at(0).id;
      EXPECT_NE(PlanesOf(options_.store, id), upright);
      {
        auto intake = Open();
        auto outcome = intake->Release(id, Undoing(shown));
        ASSERT_TRUE(outcome.ok()) << outcome.status();
        EXPECT_EQ(outcome->state, CaseState::kReady);
        ASSERT_TRUE(intake->Export().ok());
      }
      EXPECT_EQ(Only(), id);
      EXPECT_EQ(PlanesOf(options_.store, id), upright) << NameOf(shown);
      const StoredCase stored = All().at(0);
      EXPECT_EQ(stored.rows, films_[1].rows);
      EXPECT_EQ(stored.columns, films_[1].columns);
    }
  }
}

// The image is larger than the stored planes: the turned image is shrunk before
// it is turned back, so that sums are rounded in another order.
TEST_F(LookTest, ALargeFilmTurnedBackIsTheSameButForRounding) {
  GrayImage small{films_[2].rows, films_[2].columns, {}};
  for (uint8_t v : films_[2].pixels) small.pixels.push_back(v / 255.0f);
  const GrayImage large = ResizeImage(small, 1300, 1501);
  Picture film{1300, 1501, {}};
  for (float v : large.pixels) {
    film.pixels.push_back(static_cast<uint8_t>(v * 255 + 0.5f));
  }
  PutFilm("1.png", film);
  ASSERT_TRUE(Ingest().ok());
  const Planes upright = PlanesOf(options_.store, Only());
  UseStore("turned");
  PutFilm("1.png", film.Shown({1, false}));
  ASSERT_TRUE(Ingest().ok());
  const std::string id = All().at(0).id;
  ASSERT_TRUE(Open()->Release(id, {3, false}).ok());
  const Planes back = PlanesOf(options_.store, id);
  ASSERT_EQ(back.rows, upright.rows);
  ASSERT_EQ(back.whole.size(), upright.whole.size());
  int largest = 0;
  for (size_t i = 0; i < back.whole.size(); ++i) {
    largest = std::max(largest, std::abs(back.whole[i] - upright.whole[i]));
  }
  EXPECT_LE(largest, 2);  // of 65535
}

TEST_F(LookTest, WhatAPersonHasReleasedStaysReleased) {
  PutFilm("1.png", films_[0].Shown({2, false}));
  PutFilm("2.png", films_[1].Shown({1, false}));
  ASSERT_TRUE(Ingest().ok());
  ASSERT_EQ(Reasons().size(), 2u) << Stored("quarantine.csv");
  const std::string shard = Stored("shards/0001.shard");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Reasons().size(), 2u);
  EXPECT_EQ(Stored("shards/0001.shard"), shard);
  const std::vector<StoredCase> cases = All();
  {
    auto intake = Open();
    ASSERT_TRUE(intake->Release(cases[0].id).ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(
        intake->Release(cases[0].id, {2, false}).status()));
    ASSERT_TRUE(intake->Release(cases[1].id, {3, false}).ok());
    auto history = intake->database().HistoryOf(cases[0].id);
    ASSERT_TRUE(history.ok());
    ASSERT_EQ(history->size(), 2u);
    EXPECT_TRUE(absl::StrContains((*history)[0].reason, "180 degrees"));
    EXPECT_EQ((*history)[1].reason, "taken as it lies");
    EXPECT_EQ((*history)[1].actor, "user x");
    history = intake->database().HistoryOf(cases[1].id);
    ASSERT_EQ(history->size(), 2u);
    EXPECT_EQ((*history)[1].reason, "turned by 270 degrees clockwise");
  }
  const std::string turned = Stored("shards/0001.shard");
  EXPECT_GT(turned.size(), shard.size());
  ASSERT_TRUE(Ingest().ok());
  const std::string manifest = Stored("cases.csv");
  EXPECT_EQ(Cases().size(), 2u) << Stored("quarantine.csv");
  // The file is read again, since its time of change is new.
  PutFilm("2.png", films_[1].Shown({1, false}));
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Stored("cases.csv"), manifest);
  EXPECT_EQ(Stored("shards/0001.shard"), turned);
}

TEST_F(LookTest, APersonsQuarantineComesFirstAndGoesAlone) {
  PutFilm("1.png", films_[0].Shown({2, false}));
  ASSERT_TRUE(Ingest().ok());
  const std::string id = All().at(0).id;
  auto intake = Open();
  ASSERT_TRUE(intake->Quarantine(id, "drain").ok());
  auto outcome = intake->Release(id);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->state, CaseState::kQuarantined);
  EXPECT_TRUE(absl::StrContains(outcome->reason, "it looks turned"));
  // Only a person has noticed that this image is mirrored.
  ASSERT_TRUE(intake->Release(id).ok());
  ASSERT_TRUE(intake->Quarantine(id, "mirrored").ok());
  outcome = intake->Release(id, {0, true});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->state, CaseState::kReady);
}

TEST_F(LookTest, AMaskThatComesAfterTheTurnIsTurnedToo) {
  options_.masks = absl::StrCat(root_, "/masks");
  PutFilm("1.png", films_[1]);
  Put("masks/1.png", lungs_[1].Png());
  ASSERT_TRUE(Ingest().ok());
  const Planes upright = PlanesOf(options_.store, Only());
  UseStore("later");
  fs::remove_all(options_.masks);
  PutFilm("1.png", films_[1].Shown({3, false}));
  ASSERT_TRUE(Ingest().ok());
  const std::string id = All().at(0).id;
  ASSERT_TRUE(Open()->Release(id, {1, false}).ok());
  Put("masks/1.png", lungs_[1].Shown({3, false}).Png());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(PlanesOf(options_.store, id), upright);
}

TEST_F(LookTest, ATagIsBelievedAboutTheSideAndContradictedOnlyWhenSure) {
  const std::string labels = "PatientID,label\nP1,normal\n";
  struct Shown {
    Turn turn;
    const char* tag;
    bool stopped;
  };
  for (const Shown& shown :
       {Shown{{0, false}, "L\\F", false}, Shown{{2, false}, "", true},
        // A correct tag: the image is displayed by it.
        Shown{{2, false}, "R\\H", false}, Shown{{0, true}, "R\\F", false},
        // A wrong tag.
        Shown{{2, false}, "L\\F", true}, Shown{{0, false}, "H\\L", true},
        // Dextrocardia, according to the tag.
        Shown{{0, true}, "L\\F", false}}) {
    fs::remove_all(options_.folder);
    fs::remove_all(options_.store);
    Put("in/1.dcm", films_[1].Shown(shown.turn).Dicom(shown.tag));
    options_.labels = Put("labels.csv", labels);
    ASSERT_TRUE(Ingest().ok());
    EXPECT_EQ(Cases().size(), shown.stopped ? 0u : 1u)
        << NameOf(shown.turn) << ", " << shown.tag << Stored("quarantine.csv");
    EXPECT_EQ(
        absl::StrContains(Stored("quarantine.csv"), "Patient Orientation"),
        shown.stopped && *shown.tag != 0);
  }
}

TEST_F(LookTest, AnOlderProgramsStoreGoesOn) {
  PutFilm("1.png", films_[0]);
  ASSERT_TRUE(Ingest().ok());
  const std::string manifest = Stored("cases.csv");
  const std::string path = absl::StrCat(options_.store, "/store.db");
  auto database = OpenDatabase(path, "test", {"", "", ""});
  ASSERT_TRUE(database.ok()) << database.status();
  ASSERT_TRUE(ExecuteSql(*database, path,
                         "ALTER TABLE cases DROP COLUMN look;"
                         "ALTER TABLE cases DROP COLUMN turn;"
                         "ALTER TABLE sources DROP COLUMN judged_by;"
                         "PRAGMA user_version = 1;")
                  .ok());
  sqlite3_close_v2(*database);
  PutFilm("2.png", films_[1].Shown({2, false}));
  ASSERT_TRUE(Ingest().ok()) << said_.str();
  EXPECT_EQ(Stored("cases.csv"), manifest);
  EXPECT_EQ(Reasons().size(), 1u);
}

// A case is turned once, even if the command is killed and tried again.
TEST_F(LookTest, AReleaseThatIsKilledTurnsOnceOrNotAtAll) {
  PutFilm("1.png", films_[1]);
  ASSERT_TRUE(Ingest().ok());
  const Planes upright = PlanesOf(options_.store, Only());
  UseStore("killed");
  PutFilm("1.png", films_[1].Shown({1, false}));
  ASSERT_TRUE(Ingest().ok());
  const std::string id = All().at(0).id;
  int kills = 0, exit_code = -1;
  for (int wait = 300; exit_code < 0; wait += wait / 4 + 200) {
    const pid_t child = fork();
    if (child == 0) {
      if (freopen("/dev/null", "w", stdout) == nullptr) _exit(9);
      if (freopen("/dev/null", "w", stderr) == nullptr) _exit(9);
      execl(HILUM_BIN_DIR "/hilum-ingest", "hilum-ingest", "release", "--store",
            options_.store.c_str(), id.c_str(), "--turn", "270", nullptr);
      _exit(9);
    }
    usleep(wait);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) exit_code = WEXITSTATUS(status);
    kills += exit_code < 0;
  }
  EXPECT_GT(kills, 2);
  // 1: an earlier try had finished before it was killed.
  EXPECT_LE(exit_code, 1);
  EXPECT_EQ(PlanesOf(options_.store, id), upright);
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Only(), id);
  EXPECT_EQ(PlanesOf(options_.store, id), upright);
}

}  // namespace
}  // namespace hilum
