// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_E2E_E2E_H_
#define HILUM_TESTS_E2E_E2E_H_

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hilum {

// A folder of its own for each test, with a study small enough to run.
class EndToEndTest : public testing::Test {
 protected:
  EndToEndTest();
  ~EndToEndTest() override;

  static std::string Program(const std::string& name);
  std::string Path(const std::string& name) const;
  std::string Text(const std::string& name) const;  // of a file; "" if none
  void Write(const std::string& name, const std::string& text) const;

  // 24 phantoms of three sites in data/manifest.csv; study.yaml.
  void MakeDataAndStudy() const;

  // The folder of the only study that the site has worked on, below
  // RUN/sites/SITE; fails the test where there is none or another.
  std::string ResultsOf(const std::string& run, const std::string& site) const;

  // Standard output and error together, and the exit status.
  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Run(const std::vector<std::string>& arguments) const;

  // For use with EXPECT_EQ(..., ""). `sites`: they publish their figures.
  static std::string MissingKeys(const nlohmann::json& report,
                                 bool sites = true);

  // Paths of files below `folder` that others may read or change, and of
  // folders that they may enter, but for `but` and what is below these.
  // For use with EXPECT_EQ(..., "").
  std::string OpenToOthers(const std::string& folder,
                           const std::vector<std::string>& but) const;

  // Paths of files below `folder` that have `word` in them or in their name.
  std::vector<std::string> FilesWith(const std::string& folder,
                                     const std::string& word) const;

 private:
  const std::string folder_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_E2E_E2E_H_
