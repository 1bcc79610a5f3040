// SPDX-License-Identifier: Apache-2.0
// Checks the pages of documentation: links lead somewhere, each page is
// reachable from docs/README.md and says for whom it is, and the messages and
// files that a page names are in the tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "hilum/v1/config.pb.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Pages = std::map<std::string, std::string>;  // text by path from the root

std::string TextOf(const std::string& path) {
  std::ifstream file(absl::StrCat(HILUM_SOURCE_DIR, "/", path));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void AddFiles(const std::string& folder, const std::set<std::string>& kinds,
              Pages& pages) {
  const std::string root = absl::StrCat(HILUM_SOURCE_DIR, "/", folder);
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!kinds.contains(entry.path().extension())) continue;
    const std::string path = fs::relative(entry.path(), HILUM_SOURCE_DIR);
    pages[path] = TextOf(path);
  }
}

Pages AllPages() {
  Pages pages;
  for (const char* folder : {"docs", "tests", "proto", "common", "certs",
                             "coordinator", "site_agent", "sim"}) {
    AddFiles(folder, {".md"}, pages);
  }
  for (const char* page : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}) {
    pages[page] = TextOf(page);
  }
  return pages;
}

// Returns the parts of `text` that match the first group of `pattern`.
std::vector<std::string> Found(const std::string& text,
                               const std::string& pattern) {
  const std::regex wanted(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), wanted), end;
       at != end; ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

// Returns the anchor that GitHub makes for a heading: "files-and-logs" for "##
// Files, and logs".
std::string AnchorOf(absl::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ' || c == '-') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      anchor += absl::ascii_tolower(static_cast<unsigned char>(c));
    }
  }
  return anchor;
}

bool HasAnchor(const std::string& page, const std::string& anchor) {
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    if (!absl::StartsWith(line, "#")) continue;
    const size_t begin = line.find(' ');
    if (begin != absl::string_view::npos &&
        AnchorOf(line.substr(begin + 1)) == anchor) {
      return true;
    }
  }
  return false;
}

// Returns "PAGE: LINK" of each relative link to a missing file or to a missing
// heading. Ignores links of the web.
std::vector<std::string> BrokenLinks(const Pages& pages) {
  std::vector<std::string> broken;
  for (const auto& [path, text] : pages) {
    for (const std::string& link : Found(text, R"(\]\(([^)\s]+)\))")) {
      if (absl::StrContains(link, "://")) continue;
      const std::vector<std::string> parts = absl::StrSplit(link, '#');
      const fs::path beside = fs::path(path).parent_path() / parts[0];
      const std::string target =
          parts[0].empty() ? path : beside.lexically_normal().string();
      const bool exists =
          pages.contains(target) ||
          fs::exists(absl::StrCat(HILUM_SOURCE_DIR, "/", target));
      const bool leads =
          exists && (parts.size() == 1 ||
                     (pages.contains(target) &&
                      HasAnchor(pages.find(target)->second, parts[1])));
      if (!leads) broken.push_back(absl::StrCat(path, ": ", link));
    }
  }
  return broken;
}

TEST(DocsTest, EveryLinkLeadsToAFileAndAHeading) {
  EXPECT_THAT(BrokenLinks(AllPages()), IsEmpty());
  const std::string page = "# A page\n## Its part, and more\n";
  for (const char* planted :
       {"[x](nowhere.md)", "[x](#no-part)", "[x](b.md#no-part)",
        "[x](../docs/b.md#its-part)"}) {
    EXPECT_THAT(BrokenLinks({{"docs/a.md", planted}, {"docs/b.md", page}}),
                SizeIs(1))
        << planted;
  }
  EXPECT_THAT(
      BrokenLinks({{"docs/a.md", "[x](b.md#its-part-and-more)"},
                   {"docs/b.md", page + "[x](https://nowhere.example)"}}),
      IsEmpty());
}

// Returns the pages of docs/ that docs/README.md does not lead to.
std::vector<std::string> BehindNoDoor(const Pages& pages) {
  std::set<std::string> linked;
  for (const std::string& link :
       Found(pages.at("docs/README.md"), R"(\]\(([^)#\s]+)[^)\s]*\))")) {
    linked.insert(absl::StrCat("docs/", link));
  }
  std::vector<std::string> missing;
  for (const auto& [path, text] : pages) {
    if (absl::StartsWith(path, "docs/") && path != "docs/README.md" &&
        !linked.contains(path)) {
      missing.push_back(path);
    }
  }
  return missing;
}

TEST(DocsTest, TheDoorLeadsToEveryPage) {
  EXPECT_THAT(BehindNoDoor(AllPages()), IsEmpty());
  EXPECT_THAT(BehindNoDoor({{"docs/README.md", "[a](a.md#part)"},
                            {"docs/a.md", ""},
                            {"docs/b.md", ""}}),
              testing::ElementsAre("docs/b.md"));
}

// Returns whether the first paragraph says for whom the page is.
bool SaysForWhom(const std::string& page) {
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    if (line.empty() || absl::StartsWith(line, "#")) continue;
    return absl::StartsWith(line, "For ");
  }
  return false;
}

TEST(DocsTest, EachPageSaysForWhomItIs) {
  for (const auto& [path, text] : AllPages()) {
    if (!absl::StartsWith(path, "docs/")) continue;
    EXPECT_TRUE(SaysForWhom(text))
        << path
        << ": begin with a sentence that says for whom the page is, and what "
           "they can do after it: \"For operators: ...\"";
  }
  EXPECT_FALSE(SaysForWhom("# A page\n\nThree processes, one direction.\n"));
}

TEST(DocsTest, TheReadmeIsOneScreen) {
  const std::string readme = TextOf("README.md");
  EXPECT_LE(std::count(readme.begin(), readme.end(), '\n'), 45);
}

// Returns "PAGE: PATH" of each source that a page names in backticks and that
// is not in the tree.
std::vector<std::string> UnknownPaths(const Pages& pages) {
  const std::string path =
      R"(`((?:proto|common|certs|coordinator|site_agent|sim|tests|docs)/)"
      R"([a-z0-9_./-]+\.(?:cc|h|proto|sh|md|yaml|pml))`)";
  std::vector<std::string> unknown;
  for (const auto& [page, text] : pages) {
    if (page == "CHANGELOG.md") continue;  // describes older releases
    for (const std::string& named : Found(text, path)) {
      if (!fs::exists(absl::StrCat(HILUM_SOURCE_DIR, "/", named))) {
        unknown.push_back(absl::StrCat(page, ": ", named));
      }
    }
  }
  return unknown;
}

TEST(DocsTest, SourcesThatAPageNamesAreThere) {
  EXPECT_THAT(UnknownPaths(AllPages()), IsEmpty());
  EXPECT_THAT(UnknownPaths({{"docs/a.md", "see `common/base/nothing.h`"}}),
              SizeIs(1));
}

// Returns the rows "| ... | `FILE` | `FUNCTION` |" whose file does not define
// the function.
std::vector<std::string> UnknownFunctions(const std::string& page) {
  const std::regex row(R"(\| `([\w./]+)` \| `([\w:]+)` \|)");
  std::vector<std::string> unknown;
  for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end;
       ++at) {
    const std::string text = TextOf((*at)[1]);
    if (!absl::StrContains(text, absl::StrCat((*at)[2].str(), "("))) {
      unknown.push_back(absl::StrCat((*at)[1].str(), ": ", (*at)[2].str()));
    }
  }
  return unknown;
}

// Adds the paths of a message's fields as YAML has them ("tls.authority"). Does
// not go into `apart`, whose fields stand in a table of their own.
void AddFields(const google::protobuf::Descriptor& message,
               const std::string& prefix,
               const google::protobuf::Descriptor* apart,
               std::vector<std::string>& paths) {
  for (int i = 0; i < message.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *message.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    const google::protobuf::Descriptor* inner = field.message_type();
    if (inner == apart && apart != nullptr) continue;
    if (inner != nullptr && !field.is_repeated()) {
      AddFields(*inner, path + ".", apart, paths);
    } else {
      paths.push_back(path);
    }
  }
}

TEST(DocsTest, EveryFieldOfAConfigurationFileIsOnItsPage) {
  std::vector<std::string> paths;
  const auto* policy = v1::Policy::descriptor();
  AddFields(*v1::SiteConfig::descriptor(), "", policy, paths);
  AddFields(*policy, "", nullptr, paths);
  AddFields(*v1::CoordinatorConfig::descriptor(), "", nullptr, paths);
  EXPECT_THAT(paths, SizeIs(testing::Gt(30u)));
  const std::string page = TextOf("docs/configuration.md");
  for (const std::string& path : paths) {
    EXPECT_THAT(page, testing::HasSubstr(absl::StrCat("`", path, "`")));
  }
}

TEST(DocsTest, EachStepOfARoundIsInTheFileThatThePageNames) {
  const std::string page = TextOf("docs/one-round.md");
  EXPECT_GT(Found(page, R"(\| `([\w./]+)` \| `[\w:]+` \|)").size(), 15u);
  EXPECT_THAT(UnknownFunctions(page), IsEmpty());
  EXPECT_THAT(UnknownFunctions("| 1 | x | `coordinator/round.cc` | `No::At` |"),
              SizeIs(1));
}

// Returns the string literals of a source. Literals with nothing or a comma
// between them are joined, as StrCat does; a NUL separates the others.
std::string LiteralsOf(const std::string& source) {
  // Matches a comment, a raw literal, a quote as a character, a literal or
  // white space.
  static const std::regex token(
      R"re(//[^\n]*|R"(\w*)\([^]*?\)\1"|'\\?"'|"((?:[^"\\\n]|\\.)*)"|[^"/R'])re");
  std::string literals;
  bool is_apart = true;
  for (std::sregex_iterator at(source.begin(), source.end(), token), end;
       at != end; ++at) {
    const std::string text = at->str();
    if (text[0] == '"') {
      if (is_apart) literals += '\0';
      is_apart = false;
      literals +=
          absl::StrReplaceAll((*at)[2].str(), {{"\\n", "\n"}, {"\\\"", "\""}});
    } else if (text != "," &&
               !std::isspace(static_cast<unsigned char>(text[0]))) {
      is_apart = true;
    }
  }
  return literals;
}

// Returns the messages of the page, in the first column of its tables. The page
// has "..." for the variable parts.
std::vector<std::string> QuotedMessages(const std::string& page) {
  return Found(page, R"((?:^|\n)\| `([^`]+)` \|)");
}

// Returns the messages with a part that no literal contains.
std::vector<std::string> UnknownMessages(
    const std::vector<std::string>& messages,
    const std::vector<std::string>& literals) {
  std::vector<std::string> unknown;
  for (const std::string& message : messages) {
    size_t longest = 0;
    bool found = true;
    for (absl::string_view view : absl::StrSplit(message, "...")) {
      const std::string part(view);
      longest = std::max(longest, part.size());
      found &=
          part.size() < 6 || std::any_of(literals.begin(), literals.end(),
                                         [&](const std::string& text) {
                                           return absl::StrContains(text, part);
                                         });
    }
    if (!found || longest < 10) unknown.push_back(message);
  }
  return unknown;
}

TEST(DocsTest, EachMessageThatThePageQuotesIsInTheSources) {
  Pages sources;
  for (const char* folder :
       {"common", "certs", "coordinator", "site_agent", "sim"}) {
    AddFiles(folder, {".cc", ".h"}, sources);
  }
  std::vector<std::string> literals;
  for (const auto& [path, text] : sources) {
    literals.push_back(LiteralsOf(text));
  }
  const std::vector<std::string> messages =
      QuotedMessages(TextOf("docs/messages.md"));
  EXPECT_GT(messages.size(), 60u);
  EXPECT_THAT(UnknownMessages(messages, literals), IsEmpty())
      << "the program says it otherwise now: change docs/messages.md";
}

TEST(DocsTest, AMessageThatNoProgramSaysIsFound) {
  const std::vector<std::string> literals = {LiteralsOf(
      "x(\"the site speaks \"\n    \"protocol \", n,\n \"; install \", "
      "\"the same release\")")};
  const auto messages = QuotedMessages(
      "| message | x |\n| `the site speaks protocol ...; install the same "
      "release` | x |\n| `the site speaks dialect ...` | x |\n| `short` | x |");
  ASSERT_THAT(messages, SizeIs(3));
  EXPECT_THAT(UnknownMessages(messages, literals),
              testing::ElementsAre("the site speaks dialect ...", "short"));
}

}  // namespace
}  // namespace hilum
