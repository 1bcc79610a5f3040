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

  // Standard output and error together, and the exit status.
  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Run(const std::vector<std::string>& arguments) const;

  // For use with EXPECT_EQ(..., "").
  static std::string MissingKeys(const nlohmann::json& report);

 private:
  const std::string folder_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_E2E_E2E_H_
