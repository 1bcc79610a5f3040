// SPDX-License-Identifier: Apache-2.0
// Fuzzes what files of weights say of their images. An accepted list is written
// and read back.
#include <map>
#include <string>

#include "common/base/check.h"
#include "common/model/trained_on.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  const std::string text(FuzzInput(data, size).Rest());
  const auto read = TrainedOnOf({{kTrainedOnKey, text}});
  if (!read.ok()) return 0;
  HILUM_CHECK(CheckTrainedOn(*read).ok());
  const auto again = TrainedOnOf({{kTrainedOnKey, TrainedOnText(*read)}});
  HILUM_CHECK(again.ok());
  HILUM_CHECK(again->size() == read->size());
  for (int i = 0; i < read->size(); ++i) {
    HILUM_CHECK((*again)[i].SerializeAsString() ==
                (*read)[i].SerializeAsString());
  }
  return 0;
}
