// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/e2e.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "sim/child_process.h"

namespace hilum {
namespace {

constexpr char kStudy[] = R"(name: tiny
classes: [covid19, normal, bacterial, viral]
arms: [segmented, whole]
sites: [site-a, site-b, site-c]
model: {architecture: hilum_small, trainable: all, input_size: 32}
cross_validation: {folds: 2}
training: {rounds: 2, local_epochs: 1, batch_size: 4}
seed: 3
)";

// Returns a short path: a Unix socket's path has at most 107 characters.
std::string NewFolder() {
  static int count = 0;
  return absl::StrCat(testing::TempDir(), "/hilum-", getpid(), "-", ++count);
}

}  // namespace

EndToEndTest::EndToEndTest() : folder_(NewFolder()) {
  std::filesystem::create_directories(folder_);
}

EndToEndTest::~EndToEndTest() {
  // The folder of a failed test is kept for inspection.
  if (!HasFailure()) std::filesystem::remove_all(folder_);
}

std::string EndToEndTest::Program(const std::string& name) {
  return absl::StrCat(HILUM_BIN_DIR "/", name);
}

std::string EndToEndTest::Path(const std::string& name) const {
  return absl::StrCat(folder_, "/", name);
}

std::string EndToEndTest::Text(const std::string& name) const {
  return ReadFile(Path(name)).value_or("");
}

void EndToEndTest::Write(const std::string& name,
                         const std::string& text) const {
  ASSERT_TRUE(WriteFileAtomically(Path(name), text).ok());
}

void EndToEndTest::MakeDataAndStudy() const {
  Write("study.yaml", kStudy);
  const Outcome made = Run({Program("hilum-sim"), "phantoms", "--count", "120",
                            "--size", "64", "--out", Path("data")});
  ASSERT_EQ(made.exit_status, 0) << made.output;
}

std::string EndToEndTest::ResultsOf(const std::string& run,
                                    const std::string& site) const {
  namespace fs = std::filesystem;
  const std::string results = absl::StrCat(run, "/sites/", site, "/results");
  std::vector<std::string> folders;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(Path(results), none)) {
    folders.push_back(
        absl::StrCat(results, "/", entry.path().filename().string()));
  }
  EXPECT_EQ(folders.size(), 1u) << results;
  return folders.empty() ? results : folders[0];
}

EndToEndTest::Outcome EndToEndTest::Run(
    const std::vector<std::string>& arguments) const {
  const std::string log = Path("command.log");
  std::filesystem::remove(log);
  auto child = ChildProcess::Start(arguments, log);
  if (!child.ok()) return {-1, std::string(child.status().message())};
  const auto exit_status = child->Wait(absl::Minutes(5));
  return {exit_status.value_or(-1), ReadFile(log).value_or("")};
}

std::string EndToEndTest::OpenToOthers(
    const std::string& folder, const std::vector<std::string>& but) const {
  namespace fs = std::filesystem;
  std::string open;
  const auto look = [&](const fs::path& path) {
    constexpr fs::perms kOthers = fs::perms::group_all | fs::perms::others_all;
    if ((fs::symlink_status(path).permissions() & kOthers) != fs::perms::none) {
      absl::StrAppend(&open, path.string(), " ");
    }
  };
  look(Path(folder));
  for (fs::recursive_directory_iterator at(Path(folder)), end; at != end;
       ++at) {
    const std::string name = fs::relative(at->path(), Path(folder));
    if (std::count(but.begin(), but.end(), name) > 0) {
      at.disable_recursion_pending();
    } else {
      look(at->path());
    }
  }
  return open;
}

std::vector<std::string> EndToEndTest::FilesWith(
    const std::string& folder, const std::string& word) const {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(Path(folder))) {
    const std::string name = fs::relative(entry.path(), Path(folder));
    if (absl::StrContains(name, word) ||
        (entry.is_regular_file() &&
         absl::StrContains(ReadFile(entry.path()).value_or(""), word))) {
      files.push_back(name);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string EndToEndTest::MissingKeys(const nlohmann::json& report,
                                      bool sites) {
  using Pointer = nlohmann::json::json_pointer;
  std::string missing;
  const auto want = [&](const std::string& path) {
    if (!report.contains(Pointer(path))) absl::StrAppend(&missing, path, " ");
  };
  for (const char* key : {"/study_hash", "/seed", "/versions", "/classes"}) {
    want(key);
  }
  for (const char* arm : {"segmented", "whole"}) {
    const std::string base = absl::StrCat("/arms/", arm, "/federated");
    for (const char* key : {"accuracy", "confusion", "macro/auc",
                            "macro/sensitivity", "macro/specificity"}) {
      want(absl::StrCat(base, "/pooled/", key));
    }
    for (const char* label : {"covid19", "normal", "bacterial", "viral"}) {
      for (const char* key : {"auc", "auc_error_bound", "ci95", "sensitivity",
                              "specificity", "n_positive", "n_negative"}) {
        want(absl::StrCat(base, "/pooled/per_class/", label, "/", key));
      }
    }
    for (const char* site : {"site-a", "site-b", "site-c"}) {
      if (sites) want(absl::StrCat(base, "/sites/", site));
    }
    want(absl::StrCat(base, "/tracks/fold-1/model_sha256"));
    want(absl::StrCat(base, "/tracks/final/model_sha256"));
  }
  return missing;
}

}  // namespace hilum
