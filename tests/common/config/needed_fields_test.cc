// SPDX-License-Identifier: Apache-2.0
#include "common/config/needed_fields.h"

#include <gtest/gtest.h>

#include "hilum/v1/config.pb.h"

namespace hilum {
namespace {

TEST(NeededFieldsTest, FirstThatIsAbsentOrEmptyIsNamed) {
  v1::CoordinatorConfig config;
  config.set_listen("localhost:1");
  config.mutable_tls()->set_authority("ca.crt");
  EXPECT_TRUE(
      CheckNeededFields(config, "c.yaml", {"listen", "tls.authority"}).ok());
  const absl::Status status = CheckNeededFields(
      config, "c.yaml", {"listen", "tls.certificate", "state_dir"});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(),
            "c.yaml: 'tls.certificate' is missing; docs/configuration.md has "
            "all fields");
}

}  // namespace
}  // namespace hilum
