// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_DOCS_PAGE_H_
#define HILUM_TESTS_DOCS_PAGE_H_

#include <string>
#include <vector>

namespace hilum {

// The commands of a Markdown page: the lines between ```sh and ```.
// `./dev NAME` is not run, since it would install packages, build the tree or
// train for minutes; the test checks that `dev` has the command. All other
// commands are run.
struct PageCommands {
  // A Bash script. Line n of the script is line n of the page; lines of the
  // page that are not commands are empty.
  std::string script;
  // The NAMEs of `./dev NAME`.
  std::vector<std::string> dev_commands;
  // "LINE: what is wrong": a fence that does not name its language, or a
  // command that the test does not know.
  std::vector<std::string> faults;
};

// `text`: the whole page.
PageCommands CommandsOf(const std::string& text);

}  // namespace hilum

#endif  // HILUM_TESTS_DOCS_PAGE_H_
