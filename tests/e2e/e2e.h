// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_E2E_E2E_H_
#define HILUM_TESTS_E2E_E2E_H_

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hilum {

// A test with a folder of its own and a study small enough to run.
class EndToEndTest : public testing::Test {
 protected:
  EndToEndTest();
  ~EndToEndTest() override;

  static std::string Program(const std::string& name);
  std::string Path(const std::string& name) const;
  std::string Text(const std::string& name) const;  // of a file; "" if none
  void Write(const std::string& name, const std::string& text) const;

  // Writes 24 phantoms of three sites to data/manifest.csv, and study.yaml.
  void MakeDataAndStudy() const;

  // Returns the folder of the only study that the site has worked on, below
  // RUN/sites/SITE. The test fails if there is none or more than one.
  std::string ResultsOf(const std::string& run, const std::string& site) const;

  // The command's output and errors together, and its exit status.
  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Run(const std::vector<std::string>& arguments) const;

  // Returns the keys that the report lacks. For use with EXPECT_EQ(..., "").
  // `sites`: the sites publish their figures.
  static std::string MissingKeys(const nlohmann::json& report,
                                 bool sites = true);

  // Returns the paths below `folder` of files that other users may read or
  // change, and of folders that they may enter, except `but` and what is below
  // these. For use with EXPECT_EQ(..., "").
  std::string OpenToOthers(const std::string& folder,
                           const std::vector<std::string>& but) const;

  // Returns the paths of files below `folder` with `word` in them or in their
  // name.
  std::vector<std::string> FilesWith(const std::string& folder,
                                     const std::string& word) const;

 private:
  const std::string folder_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_E2E_E2E_H_
