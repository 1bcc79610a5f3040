// SPDX-License-Identifier: Apache-2.0
// Checks the rules of docs/architecture.md that a compiler does not check.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // from the root of the tree
  std::string text;
};

std::vector<Source> Sources() {
  std::vector<Source> sources;
  for (const char* folder : {"proto", "common", "certs", "coordinator",
                             "site_agent", "sim", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(
             absl::StrCat(HILUM_SOURCE_DIR, "/", folder))) {
      std::string name = entry.path().filename();
      std::string kind = entry.path().extension();
      if (kind != ".cc" && kind != ".h" && kind != ".proto" && kind != ".sh" &&
          name != "CMakeLists.txt") {
        continue;
      }
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      sources.push_back(
          {fs::relative(entry.path(), HILUM_SOURCE_DIR), text.str()});
    }
  }
  return sources;
}

bool IsBelow(const std::string& path, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (absl::StrContains(absl::StrCat("/", path), folder)) return true;
  }
  return false;
}

// Returns the lines of sources outside `folders` that match.
std::vector<std::string> Lines(const std::vector<Source>& sources,
                               const std::string& pattern,
                               const std::vector<std::string>& folders) {
  std::regex wanted(pattern);
  std::vector<std::string> found;
  for (const Source& source : sources) {
    if (IsBelow(source.path, folders)) continue;
    int number = 0;
    for (absl::string_view view : absl::StrSplit(source.text, '\n')) {
      ++number;
      std::string line(view);
      if (std::regex_search(line, wanted)) {
        found.push_back(absl::StrCat(source.path, ":", number, ": ", line));
      }
    }
  }
  return found;
}

struct Boundary {
  const char* library;
  const char* pattern;
  std::vector<std::string> folders;
};

std::vector<Boundary> Boundaries() {
  return {{"Torch",
           R"(^#include <(torch|ATen|c10)/)",
           {"/trainer/models/", "/trainer/learning/",
            "/trainer/classification/", "/trainer/segmentation/",
            "/trainer/orientation/", "/trainer/heatmap/", "/trainer/predict/"}},
          {"DCMTK",
           R"(^#include <dcmtk/)",
           {"/imaging/dicom/", "/imaging/dicom_write/", "/site_agent/ingest/"}},
          {"gRPC",
           R"(^#include ([<"](grpc|grpcpp)/|.*\.grpc\.pb\.h))",
           {"/service/", "/common/rpc/"}},
          {"OpenSSL",
           R"(^#include <openssl/)",
           {"/common/crypto/", "/certs/", "/tests/bench/", "/tests/fuzz/"}},
          {"SQLite",
           R"(^#include <sqlite3)",
           {"/coordinator/storage/", "/common/sqlite/",
            "/tests/site_agent/ingest/"}},
          {"yaml-cpp", R"(^#include <yaml-cpp)", {"/common/config/"}},
          {"image decoders",
           R"(^#include <(png|jpeglib|turbojpeg|openjpeg))",
           {"/imaging/decode/", "/imaging/dicom/", "/imaging/pictures/"}},
          {"DICOM's network",
           R"(^#include <dcmtk/(dcmnet|dcmtls)/)",
           {"/site_agent/ingest/network/"}}};
}

TEST(TreeTest, HeavyHeadersStayInTheirFolders) {
  std::vector<Source> sources = Sources();
  ASSERT_GT(sources.size(), 100u);
  for (const Boundary& boundary : Boundaries()) {
    EXPECT_THAT(Lines(sources, boundary.pattern, boundary.folders),
                testing::IsEmpty())
        << boundary.library;
  }
}

TEST(TreeTest, EachBoundaryStillCatchesAPlantedInclude) {
  const Source planted[] = {
      {"site_agent/trainer/data/x.cc", "#include <torch/torch.h>"},
      {"site_agent/imaging/decode/x.cc", "#include <dcmtk/config.h>"},
      {"common/x.cc", "#include <grpcpp/server.h>"},
      {"sim/x.cc", "#include <openssl/evp.h>"},
      {"sim/x.cc", "#include <sqlite3.h>"},
      {"sim/x.cc", "#include <yaml-cpp/yaml.h>"},
      {"site_agent/imaging/lungs/x.cc", "#include <png.h>"},
      {"site_agent/ingest/x.cc", "#include <dcmtk/dcmnet/assoc.h>"}};
  std::vector<Boundary> boundaries = Boundaries();
  ASSERT_EQ(boundaries.size(), std::size(planted));
  for (size_t i = 0; i < boundaries.size(); ++i) {
    EXPECT_EQ(Lines({planted[i]}, boundaries[i].pattern, boundaries[i].folders)
                  .size(),
              1u)
        << boundaries[i].library;
  }
}

// The folders, each below those that may include it. A folder includes its
// subfolders, unless these have a line of their own. proto is below all.
constexpr const char* kLayers[] = {
    "proto",
    "common/base",
    "common/cli",
    "common/crypto",
    "common/sqlite",
    "common/metrics",
    "common/config",
    "common/model",
    "common/aggregation",
    "common/rpc",
    "certs",
    "common/secagg",
    "coordinator",
    "site_agent/sandbox",
    "site_agent/imaging",
    "site_agent/imaging/pictures",
    "site_agent/imaging/upright",
    "site_agent/imaging/case_store",
    "site_agent/imaging/dicom",
    "site_agent/imaging/decode",
    "site_agent/imaging/lungs",
    "site_agent/imaging/dicom_write",
    "site_agent/ingest",
    "site_agent/trainer/data",
    "site_agent/trainer/features",
    "site_agent/trainer/models",
    "site_agent/trainer/learning",
    "site_agent/trainer/classification",
    "site_agent/trainer/segmentation",
    "site_agent/trainer/segmentation/command",
    "site_agent/trainer/orientation",
    "site_agent/trainer/heatmap",
    "site_agent/trainer/predict",
    "site_agent/trainer/weights",
    "site_agent/trainer",
    "site_agent/gateway",
    "sim",
    "tests",
};

// Returns the index in kLayers of the longest line that holds `path`; -1: none.
int LayerOf(absl::string_view path) {
  int found = -1;
  size_t longest = 0;
  for (size_t i = 0; i < std::size(kLayers); ++i) {
    const std::string folder = absl::StrCat(kLayers[i], "/");
    if (absl::StartsWith(path, folder) && folder.size() > longest) {
      found = static_cast<int>(i);
      longest = folder.size();
    }
  }
  return found;
}

// Returns the includes of a folder by a lower one, and of the coordinator by
// the site's side.
std::vector<std::string> WrongIncludes(const std::vector<Source>& sources) {
  const std::regex include(
      "^#include "
      "\"((proto|common|certs|coordinator|site_agent|sim|tests)/[^\"]+)"
      "\"");
  std::vector<std::string> wrong;
  for (const Source& source : sources) {
    const int from = LayerOf(source.path);
    for (absl::string_view view : absl::StrSplit(source.text, '\n')) {
      const std::string line(view);
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string to = match[1];
      const bool between_sides = absl::StartsWith(source.path, "site_agent/") &&
                                 absl::StartsWith(to, "coordinator/");
      if (LayerOf(to) > from || LayerOf(to) < 0 || between_sides) {
        wrong.push_back(absl::StrCat(source.path, ": ", line));
      }
    }
  }
  return wrong;
}

TEST(TreeTest, AFolderIncludesOnlyWhatStandsBelowIt) {
  EXPECT_THAT(WrongIncludes(Sources()), testing::IsEmpty());
  for (const Source& planted :
       {Source{"common/base/x.cc", "#include \"common/crypto/sha256.h\""},
        Source{"site_agent/gateway/x.cc", "#include \"sim/for_each.h\""},
        Source{"site_agent/gateway/x.cc", "#include \"coordinator/round.h\""},
        Source{"coordinator/x.cc", "#include \"site_agent/imaging/image.h\""},
        Source{"site_agent/trainer/data/x.h",
               "#include \"site_agent/trainer/learning/device.h\""},
        Source{"common/base/x.cc", "#include \"common/nowhere/x.h\""}}) {
    EXPECT_EQ(WrongIncludes({planted}).size(), 1u) << planted.text;
  }
}

// Repeatable chance is for tests only: no other target can link it.
TEST(TreeTest, WhatIsForTestsStaysInTests) {
  const std::string pattern = R"(hilum_test_|^#include "tests/)";
  EXPECT_THAT(Lines(Sources(), pattern, {"/tests/"}), testing::IsEmpty());
  for (const char* planted :
       {"  DEPS hilum_test_support)",
        "#include \"tests/support/seeded_secure_rng.h\""}) {
    EXPECT_EQ(Lines({{"sim/x", planted}}, pattern, {"/tests/"}).size(), 1u);
  }
}

TEST(TreeTest, EverySourceNamesItsLicence) {
  for (const Source& source : Sources()) {
    std::vector<std::string> lines = absl::StrSplit(source.text, '\n');
    std::string head = lines[0] + (lines.size() > 1 ? lines[1] : "");
    EXPECT_TRUE(absl::StrContains(head, "SPDX-License-Identifier: Apache-2.0"))
        << source.path;
  }
}

TEST(TreeTest, ChanceSleepAndTheClockAreInjected) {
  EXPECT_THAT(
      Lines(Sources(), R"(absl::BitGen|RAND_bytes\(|std::random_device)",
            {"/common/crypto/secure_rng.cc", "/tests/"}),
      testing::IsEmpty());
  EXPECT_THAT(
      Lines(Sources(), R"(absl::SleepFor|sleep_for\(|usleep\()", {"/tests/"}),
      testing::IsEmpty());
  EXPECT_THAT(Lines(Sources(), R"(absl::Now\(\))",
                    {"/common/base/clock.cc", "/service/", "/tests/"}),
              testing::IsEmpty());
}

std::string LibrariesOf(const std::string& binary) {
  std::string command =
      absl::StrCat("ldd ", HILUM_BIN_DIR, "/", binary, " 2>&1");
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"),
                                             pclose);
  std::string text;
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe.get())) {
    text.append(buffer, got);
  }
  return text;
}

TEST(TreeTest, CoordinatorAndGatewayLinkNeitherTorchNorImageDecoders) {
  for (const char* binary : {"hilum-coordinator", "hilum-site"}) {
    std::string libraries = LibrariesOf(binary);
    ASSERT_THAT(libraries, testing::HasSubstr("libgrpc")) << binary;
    for (const char* banned : {"libtorch", "libc10", "libdcm", "libpng",
                               "libjpeg", "libturbojpeg", "libopenjp2"}) {
      EXPECT_THAT(libraries, testing::Not(testing::HasSubstr(banned)))
          << binary;
    }
  }
}

// The program has the hospital's network, but not the federation's, and no
// learner.
TEST(TreeTest, IngestLinksNeitherTheFederationNorTorch) {
  std::string libraries = LibrariesOf("hilum-ingest");
  ASSERT_THAT(libraries, testing::HasSubstr("libdcmdata"));
  for (const char* banned : {"libgrpc", "libtorch", "libc10"}) {
    EXPECT_THAT(libraries, testing::Not(testing::HasSubstr(banned)));
  }
}

// The process with the network decodes nothing: it hands files on to a process
// without network (site_agent/ingest/intake_process.h).
TEST(TreeTest, WhatReceivesKnowsNoDecoder) {
  const std::string pattern =
      R"(^#include "site_agent/(imaging/|ingest/()"
      R"((receiving_)?intake|read_image|folder|inspect)\.h))";
  std::vector<Source> receiving;
  for (Source& source : Sources()) {
    if (absl::StartsWith(source.path, "site_agent/ingest/network/")) {
      receiving.push_back(std::move(source));
    }
  }
  ASSERT_GT(receiving.size(), 10u);
  EXPECT_THAT(Lines(receiving, pattern, {}), testing::IsEmpty());
  for (const char* planted : {"#include \"site_agent/imaging/decode/decode.h\"",
                              "#include \"site_agent/ingest/intake.h\""}) {
    EXPECT_EQ(Lines({{"x", planted}}, pattern, {}).size(), 1u);
  }
}

struct CommentOpenings {
  size_t lines = 0;              // of comments
  std::vector<std::string> odd;  // "PATH:LINE: text" of each block
};

// Finds the blocks of comment lines that open with a word that hides the
// subject of the sentence. The licence's line does not belong to a block.
CommentOpenings OddOpenings(const std::vector<Source>& sources) {
  static const std::set<std::string> kOdd = {
      "Of", "As", "What", "Whose", "That", "Likewise", "With"};
  CommentOpenings found;
  for (const Source& source : sources) {
    const std::string kind = fs::path(source.path).extension();
    if (kind != ".cc" && kind != ".h" && kind != ".proto") continue;
    int number = 0;
    bool in_block = false;
    for (absl::string_view line : absl::StrSplit(source.text, '\n')) {
      ++number;
      line = absl::StripAsciiWhitespace(line);
      const bool is_comment = absl::ConsumePrefix(&line, "//");
      if (is_comment) ++found.lines;
      line = absl::StripLeadingAsciiWhitespace(line);
      const bool is_first = is_comment && !in_block;
      in_block = is_comment && !absl::StartsWith(line, "SPDX-");
      const std::vector<std::string> words =
          absl::StrSplit(line, absl::MaxSplits(absl::ByAnyChar(" ,:."), 1));
      if (is_first && kOdd.contains(words[0])) {
        found.odd.push_back(absl::StrCat(source.path, ":", number, ": ", line));
      }
    }
  }
  return found;
}

TEST(TreeTest, CommentsOpenWithTheirSubjectOrVerb) {
  std::vector<Source> sources = Sources();
  std::erase_if(sources, [](const Source& source) {
    return absl::StartsWith(source.path, "tests/tree/");
  });
  const CommentOpenings tree = OddOpenings(sources);
  ASSERT_GT(tree.lines, 1000u);
  std::vector<std::string> shown = tree.odd;
  shown.resize(std::min<size_t>(shown.size(), 10));
  EXPECT_LT(1000 * tree.odd.size(), 2 * tree.lines)
      << tree.odd.size() << " comments in " << tree.lines << " lines, first:\n"
      << absl::StrJoin(shown, "\n");
}

TEST(TreeTest, AnOddOpeningOfACommentIsCaught) {
  const CommentOpenings planted = OddOpenings(
      {{"sim/x.h",
        "// SPDX-License-Identifier: Apache-2.0\n// What it does.\nint a;\n"
        "  // Of the pool,\n  // With care.\nint b;  // As a\n"
        "// Returns a.\n// What else.\n"},
       {"sim/x.proto", "// Whose: the site's\n"},
       {"sim/x.sh", "// Of a shell"}});
  EXPECT_THAT(planted.odd,
              testing::ElementsAre("sim/x.h:2: What it does.",
                                   "sim/x.h:4: Of the pool,",
                                   "sim/x.proto:1: Whose: the site's"));
  EXPECT_EQ(planted.lines, 7u);
}

}  // namespace
}  // namespace hilum
