// SPDX-License-Identifier: Apache-2.0
// Fuzzes studies as YAML and as bytes, and the other YAML files. A valid study
// is still valid after a site has read it.
#include "common/config/study.h"
#include "hilum/v1/config.pb.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  const std::string text = FuzzInput(data, size).Rest();
  v1::SiteConfig site;
  (void)ParseYaml(text, "site.yaml", &site);
  v1::CoordinatorConfig coordinator;
  (void)ParseYaml(text, "coordinator.yaml", &coordinator);

  absl::StatusOr<v1::Study> sent = ParseStudy(text);
  if (sent.ok()) HILUM_CHECK(!StudyTracks(*sent).empty());

  v1::Study study;
  FieldPlaces places("study.yaml");
  if (!ParseYaml(text, "study.yaml", &study, &places).ok()) return 0;
  FillStudyDefaults(study);
  if (!ValidateStudy(study, places).ok()) return 0;
  const std::string bytes = SerializeStudy(study);
  HILUM_CHECK(SerializeStudy(ParseStudy(bytes).value()) == bytes);
  return 0;
}
